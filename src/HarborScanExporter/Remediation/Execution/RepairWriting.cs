using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;
using Npgsql;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>Writes the row changes of one batch, execution by execution, each with its lines of the audit, into one transaction.</summary>
internal static class RepairWriting
{
    /// <summary>Writes those of one execution: its tasks in the order of their ids, then the execution itself (the order of Harbor's hooks).</summary>
    /// <param name="transaction">The transaction of the batch.</param>
    /// <param name="repairs">Repairs of rows of one execution, or its removal alone.</param>
    /// <param name="run">The run's id.</param>
    /// <param name="asker">Who asked for it.</param>
    /// <param name="cancellationToken">Gives the batch up.</param>
    /// <exception cref="AuditException">A line could not be written; the transaction must be rolled back.</exception>
    public static async Task<IReadOnlyList<RepairOutcome>> WriteAsync(
        RepairTransaction transaction, IReadOnlyList<PlannedRepair> repairs, string run, Asker asker, CancellationToken cancellationToken)
    {
        try
        {
            return await transaction.PartAsync(
                () => repairs is [{ Old: { } old } one]
                    ? SweepAsync(transaction, one, old, run, asker, cancellationToken)
                    : ChangeAsync(transaction, repairs, run, asker, cancellationToken),
                cancellationToken);
        }
        catch (PostgresException error)
        {
            var failure = FailureOf(error);
            List<RepairOutcome> outcomes = [];
            foreach (var repair in repairs) outcomes.Add(await FailedAsync(transaction, repair, run, asker, failure, cancellationToken));
            return outcomes;
        }
    }

    /// <summary>Writes the intent of an act of Harbor's API; the row must still be the one that was judged.</summary>
    public static async Task<RepairOutcome> IntendAsync(RepairTransaction transaction, PlannedRepair repair, string run, Asker asker, CancellationToken cancellationToken)
    {
        string? before = null;
        if (repair is { Fence: { } fence, TaskId: { } task })
        {
            before = await TaskWrite.ReadAsync(transaction, task, fence, cancellationToken);
            if (before is null) return await FailedAsync(transaction, repair, run, asker, RepairFailure.LostRace, cancellationToken);
        }
        var images = before is null ? null : AuditLine.Images(before, null);
        var id = await AddAsync(transaction, AuditLine.Of(repair, run, asker, RepairState.Intended) with { Before = images }, cancellationToken);
        return new RepairOutcome(repair, RepairState.Intended, null, id) { Before = images };
    }

    /// <summary>The word of a database error.</summary>
    public static string FailureOf(Exception error) => error switch
    {
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure } => RepairFailure.Locked,
        // The functions that write come with the SQL of the roles.
        PostgresException { SqlState: PostgresErrorCodes.UndefinedFunction } => RepairFailure.Permission,
        PostgresException { SqlState: var state } when state.StartsWith("23", StringComparison.Ordinal) => RepairFailure.Constraint,
        _ => FailureReason.Of(error) switch
        {
            FailureReason.Timeout => RepairFailure.Timeout,
            FailureReason.Permission => RepairFailure.Permission,
            FailureReason.Connect or FailureReason.Auth => RepairFailure.Connect,
            _ => RepairFailure.Other,
        },
    };

    private static async Task<IReadOnlyList<RepairOutcome>> ChangeAsync(
        RepairTransaction transaction, IReadOnlyList<PlannedRepair> repairs, string run, Asker asker, CancellationToken cancellationToken)
    {
        var message = $"harbor-scan-exporter repair {run}";
        List<(PlannedRepair Repair, string Before, string After)> tasks = [];
        List<(PlannedRepair Repair, string Failure)> failed = [];
        foreach (var repair in repairs.Where(repair => repair.TaskId is not null).OrderBy(repair => repair.TaskId))
        {
            var (id, fence) = (repair.TaskId!.Value, repair.Fence!);
            if (await TaskWrite.LockAsync(transaction, id, fence, cancellationToken) is not { } before)
            {
                var isHeld = await TaskWrite.ReadAsync(transaction, id, fence, cancellationToken) is not null;
                failed.Add((repair, isHeld ? RepairFailure.Locked : RepairFailure.LostRace));
                continue;
            }
            var after = repair.Action switch
            {
                RepairAction.FixStatusCode => await TaskWrite.FixCodeAsync(transaction, id, fence, message, cancellationToken),
                RepairAction.FinishTask => await TaskWrite.FinishAsync(transaction, id, fence, repair.Status!, repair.Ended, message, cancellationToken),
                _ => throw NoWrite(repair.Action),
            };
            if (after is null) failed.Add((repair, RepairFailure.LostRace));
            else tasks.Add((repair, before, after));
        }

        var ofExecution = repairs.SingleOrDefault(repair => repair.TaskId is null);
        var execution = repairs[0].ExecutionId!.Value;
        var images = ofExecution?.Action switch
        {
            null => null,
            RepairAction.CloseEmptyExecution => await ExecutionWrite.CloseEmptyAsync(transaction, execution, message, cancellationToken),
            RepairAction.RefreshExecution => await ExecutionWrite.RefreshAsync(transaction, execution, cancellationToken),
            { } action => throw NoWrite(action),
        };
        var isRefreshed = images?.After is not null;
        if (!isRefreshed && tasks.Count > 0) images = await ExecutionWrite.RecomputeAsync(transaction, execution, cancellationToken);

        List<RepairOutcome> outcomes = [];
        foreach (var (repair, before, after) in tasks) outcomes.Add(await DoneAsync(repair, before, after));
        if (ofExecution is not null)
        {
            if (isRefreshed) outcomes.Add(await DoneAsync(ofExecution, null, null));
            else failed.Add((ofExecution, RepairFailure.LostRace));
        }
        foreach (var (repair, failure) in failed) outcomes.Add(await FailedAsync(transaction, repair, run, asker, failure, cancellationToken));
        return outcomes;

        async Task<RepairOutcome> DoneAsync(PlannedRepair repair, string? before, string? after)
        {
            var line = AuditLine.Of(repair, run, asker, RepairState.Done) with
            {
                Before = AuditLine.Images(before, images?.After is null ? null : images.Before),
                After = AuditLine.Images(after, images?.After),
            };
            var id = await AddAsync(transaction, line, cancellationToken);
            return new RepairOutcome(repair, RepairState.Done, null, id) { Before = line.Before, After = line.After };
        }
    }

    private static InvalidOperationException NoWrite(RepairAction action) => new($"No row is written for {action.Word()}.");

    private static async Task<IReadOnlyList<RepairOutcome>> SweepAsync(
        RepairTransaction transaction, PlannedRepair repair, SweepCandidate old, string run, Asker asker, CancellationToken cancellationToken)
    {
        var (failure, before) = await SweepWriting.RemoveAsync(transaction, old, cancellationToken);
        if (failure is not null) return [await FailedAsync(transaction, repair, run, asker, failure, cancellationToken)];
        var id = await AddAsync(transaction, AuditLine.Of(repair, run, asker, RepairState.Done) with { Before = before }, cancellationToken);
        return [new RepairOutcome(repair, RepairState.Done, null, id) { Before = before }];
    }

    private static async Task<RepairOutcome> FailedAsync(
        RepairTransaction transaction, PlannedRepair repair, string run, Asker asker, string failure, CancellationToken cancellationToken)
    {
        var id = await AddAsync(transaction, AuditLine.Of(repair, run, asker, RepairState.Failed) with { Failure = failure }, cancellationToken);
        return new RepairOutcome(repair, RepairState.Failed, failure, id);
    }

    private static async Task<long?> AddAsync(RepairTransaction transaction, AuditLine line, CancellationToken cancellationToken)
    {
        try
        {
            return await AuditTable.AddAsync(transaction, line, cancellationToken);
        }
        catch (PostgresException error)
        {
            throw new AuditException(error);
        }
    }
}
