using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Remediation.Undo;

/// <summary>
/// Takes a repair back: restores the before images of its line in the audit, and only rows that are still as it left them (conventions 5.10).
/// A pause forbids it not: who stops repairs may want to take them back.
/// </summary>
internal sealed partial class Undoing(RepairDatabase database, ExporterSettings settings, ILogger<Undoing> logger, Reconciliation? reconciliation = null)
{
    /// <summary>Whether a repair can be taken back as far as its line tells; the rows are asked when it is.</summary>
    /// <param name="action">The line's action.</param>
    /// <param name="state">The line's state.</param>
    public static bool IsPossible(string action, string state) => state == RepairState.Done && (IsOfTask(action) || IsOfExecution(action) || IsSweep(action));

    /// <summary>Takes the repair with this line back, in one transaction with a line of its own.</summary>
    /// <param name="id">The line of the audit.</param>
    /// <param name="asker">Who asks for it.</param>
    /// <param name="cancellationToken">Gives it up, with nothing written.</param>
    public async Task<UndoResult> UndoAsync(long id, Asker asker, CancellationToken cancellationToken)
    {
        if (settings.Remediation.Mode != RemediationMode.Execute)
            return Refused(UndoReason.Off, $"Nothing is written while {Setting.Names.Remediation} is not {RemediationMode.Execute.Word()}.");
        UndoResult result;
        try
        {
            result = await TryAsync(id, asker, cancellationToken);
        }
        catch (AuditException error)
        {
            result = Refused(RepairFailure.Audit, error.Message);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            result = RepairWriting.FailureOf(error) is RepairFailure.Locked
                ? Refused(UndoReason.Busy, $"Another transaction holds a row of repair {id}. Try again.")
                : Refused(RepairWriting.FailureOf(error), $"The repairing role cannot work ({RepairWriting.FailureOf(error)}): {FailureReason.Words(error)}. {FailureReason.Mend(error, DatabaseMend.SignIn.Repairing)} Nothing was taken back.");
        }
        // A row that ended long ago may be open again.
        if (result.Done) reconciliation?.Want();
        LogUndo(id, asker.Source, asker.Actor, result.Done, result.Reason ?? "", result.Audit ?? 0);
        return result;
    }

    private static bool IsOfTask(string action) => action == RepairAction.FinishTask.Word() || action == RepairAction.FixStatusCode.Word();

    private static bool IsOfExecution(string action) => action == RepairAction.RefreshExecution.Word() || action == RepairAction.CloseEmptyExecution.Word();

    private static bool IsSweep(string action) => action == RepairAction.Sweep.Word();

    private async Task<UndoResult> TryAsync(long id, Asker asker, CancellationToken cancellationToken)
    {
        await using var transaction = await database.BeginAsync(cancellationToken);
        if (await transaction.IsStandbyAsync(cancellationToken))
            return Refused(UndoReason.Standby, $"The database is a standby, which takes no writes. Point {Setting.Names.DatabaseHost} at the primary.");
        if (!await AuditException.GuardAsync(() => transaction.TryLockRunAsync(cancellationToken))) return Refused(UndoReason.Busy, "A run holds the lock of repairs. Try again when it has ended.");
        var line = await AuditException.GuardAsync(() => UndoLine.LockAsync(transaction, id, cancellationToken));
        if (line is null) return Refused(UndoReason.NotFound, $"There is no repair {id}.");
        if (line.State == RepairState.Undone) return Refused(UndoReason.NotDone, $"Repair {id} was taken back already.");
        if (line.State != RepairState.Done) return Refused(UndoReason.NotDone, $"Repair {id} is {line.State}: it changed no row.");
        var (undone, refused) = IsOfTask(line.Action) ? await OfTaskAsync(transaction, line, asker, cancellationToken)
            : IsOfExecution(line.Action) ? await OfExecutionAsync(transaction, line, asker, cancellationToken)
            : IsSweep(line.Action) ? await OfSweepAsync(transaction, line, asker, cancellationToken)
            : (null, Refused(UndoReason.NotUndoable, NotUndoable(line)));
        if (undone is null) return refused!;
        var audit = await AuditException.GuardWriteAsync(async () =>
        {
            await UndoLine.EndAsync(transaction, id, cancellationToken);
            return await AuditTable.AddAsync(transaction, undone, cancellationToken);
        });
        await transaction.CommitAsync(cancellationToken);
        return new UndoResult(true, null, null) { Audit = audit };
    }

    /// <summary>The task, then its execution: the order of Harbor's hooks.</summary>
    private static async Task<(AuditLine?, UndoResult?)> OfTaskAsync(RepairTransaction transaction, UndoLine line, Asker asker, CancellationToken cancellationToken)
    {
        if (await TaskUndo.LockAsync(transaction, line.Id, cancellationToken) is not { } before)
            return (null, await WhyNotAsync(transaction, line, cancellationToken));
        var after = await TaskUndo.RestoreAsync(transaction, line.Id, cancellationToken);
        var execution = await ExecutionUndo.FollowAsync(transaction, line, cancellationToken);
        var status = (await TaskRow.ReadAsync(transaction, line.TaskId!.Value, cancellationToken))?.Status;
        return (Line(line, asker, status, AuditLine.Images(before, execution?.After is null ? null : execution.Before), AuditLine.Images(after, execution?.After)), null);
    }

    private static async Task<(AuditLine?, UndoResult?)> OfExecutionAsync(RepairTransaction transaction, UndoLine line, Asker asker, CancellationToken cancellationToken)
    {
        var execution = await ExecutionUndo.TakeBackAsync(transaction, line, cancellationToken);
        if (execution is null) return (null, Refused(UndoReason.MovedOn, $"Execution {line.ExecutionId} of repair {line.Id} is gone."));
        if (execution.After is null)
        {
            return (null, Refused(UndoReason.MovedOn,
                $"Execution {line.ExecutionId} is no longer as repair {line.Id} left it: Harbor or a later repair has written it since. Look at it before anything is written."));
        }
        return (Line(line, asker, null, AuditLine.Images(null, execution.Before), AuditLine.Images(null, execution.After)), null);
    }

    private static async Task<(AuditLine?, UndoResult?)> OfSweepAsync(RepairTransaction transaction, UndoLine line, Asker asker, CancellationToken cancellationToken) =>
        await SweepUndo.RestoreAsync(transaction, line.Before!, cancellationToken)
            ? (Line(line, asker, null, null, line.Before) with { Evidence = [$"Repair {line.Id} ({line.Action}) was taken back: the execution and its tasks are there again."] }, null)
            : (null, Refused(UndoReason.MovedOn, $"A row with one of the ids that repair {line.Id} removed is there: nothing was put back. Look at execution {line.ExecutionId} and its tasks."));

    private static async Task<UndoResult> WhyNotAsync(RepairTransaction transaction, UndoLine line, CancellationToken cancellationToken)
    {
        if (await TaskUndo.IsAsLeftAsync(transaction, line.Id, cancellationToken))
            return Refused(UndoReason.Busy, $"Another transaction holds task {line.TaskId}. Try again.");
        if (await TaskRow.ReadAsync(transaction, line.TaskId!.Value, cancellationToken) is not { } now)
            return Refused(UndoReason.MovedOn, $"Task {line.TaskId} of repair {line.Id} is gone.");
        if (await TaskUndo.LaterAsync(transaction, line.Id, cancellationToken) is { } later)
            return Refused(UndoReason.MovedOn, $"Repair {later} has changed task {line.TaskId} since. Take that one back first.");
        return Refused(UndoReason.MovedOn,
            $"Task {line.TaskId} is no longer as repair {line.Id} left it: it is {now.Status} with code {now.Code} and revision {now.Revision}. Harbor has written it since, and what it wrote is newer.");
    }

    private static string NotUndoable(UndoLine line) => line.Action == AuditLine.Undo
        ? $"Line {line.Id} is itself an undo. A repair that was taken back is not repeated; repair the row by hand, or wait for it to move on."
        : $"Repair {line.Id} is a {line.Action}, which Harbor did: no row was written that could be put back.";

    private static AuditLine Line(UndoLine line, Asker asker, string? status, string? before, string? after) => new()
    {
        Run = Guid.NewGuid().ToString("n")[..12],
        Asker = asker,
        Action = AuditLine.Undo,
        State = RepairState.Done,
        Verdict = line.Verdict,
        Evidence = [$"Repair {line.Id} ({line.Action}) was taken back; the row was still as it had left it."],
        Type = line.Type,
        TaskId = line.TaskId,
        ExecutionId = line.ExecutionId,
        JobId = line.JobId,
        RobotId = line.RobotId,
        ArtifactId = line.ArtifactId,
        Revision = line.Revision,
        Status = status,
        Before = before,
        After = after,
        UndoOf = line.Id,
    };

    private static UndoResult Refused(string reason, string problem) => new(false, problem, reason);

    [LoggerMessage(50, LogLevel.Information, "Undo of repair {Repair} for {Source} ({Actor}), done {Done} {Reason}. Line {Audit}.")]
    private partial void LogUndo(long repair, string source, string actor, bool done, string reason, long audit);
}
