using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Undo;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>
/// Makes a scan Success that was written off and came to its end after all: core ignores the hook of a run that was repaired (harbor-facts 7.3),
/// but its reports are stored, and a status of Error hides them.
/// </summary>
internal static class Promotion
{
    /// <summary>Whether a repair is one that reports can overtake.</summary>
    public static bool Concerns(DueCheck line) => line.Action == RepairAction.FinishTask.Word() && line.Status is ScanStatus.Error or ScanStatus.Stopped;

    /// <summary>Writes it under the fences of a repair, with a line of its own in the audit; false when the row is not as the repair left it, or held.</summary>
    /// <param name="transaction">The transaction of the look.</param>
    /// <param name="line">The repair.</param>
    /// <param name="now">The row as it was read.</param>
    /// <param name="ended">When its newest report was made, in seconds since 1970; null for now.</param>
    /// <param name="run">The id of the look.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="Npgsql.PostgresException">The database refuses; nothing of it may be committed.</exception>
    public static async Task<bool> WriteAsync(RepairTransaction transaction, DueCheck line, TaskNow now, double? ended, string run, CancellationToken cancellationToken)
    {
        if (await TaskUndo.LockAsync(transaction, line.Id, cancellationToken) is not { } before) return false;
        var fence = new Fence(now.Status, now.Code, now.Revision, Epoch.Usable(now.Updated));
        var message = $"harbor-scan-exporter repair {run}";
        if (await TaskWrite.FinishAsync(transaction, now.Id, fence, ScanStatus.Success, ended, message, cancellationToken) is not { } after) return false;
        var execution = await ExecutionWrite.RecomputeAsync(transaction, line.ExecutionId!.Value, cancellationToken);
        await AuditTable.AddAsync(transaction, new AuditLine
        {
            Run = run,
            Asker = new Asker(RunSource.Verification, "harbor-scan-exporter"),
            Action = RepairAction.FinishTask.Word(),
            State = RepairState.Done,
            Verdict = line.Verdict,
            Evidence = [$"Repair {line.Id} wrote {line.Status}; since then every report that the task names was stored."],
            Type = line.Type,
            TaskId = line.TaskId,
            ExecutionId = line.ExecutionId,
            JobId = line.JobId,
            RobotId = line.RobotId,
            ArtifactId = line.ArtifactId,
            Revision = line.Revision,
            Status = ScanStatus.Success,
            Before = AuditLine.Images(before, execution?.After is null ? null : execution.Before),
            After = AuditLine.Images(after, execution?.After),
        }, cancellationToken);
        return true;
    }
}
