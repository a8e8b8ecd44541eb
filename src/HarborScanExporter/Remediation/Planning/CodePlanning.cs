using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Decides on a task that is final by its status and not by its code (harbor-facts 6.2, S14; 6.3 claim 3).</summary>
internal static class CodePlanning
{
    /// <summary>The decision. A code below 3 is what lets the true end of a living job in, so that nothing of the job may be left in Redis.</summary>
    public static Decision Decide(WrongCodeTask task, Look look, PastOfThings past)
    {
        var id = FindingId.OfCodes(task.ExecutionId);
        // Whatever the look took up: the code of a row that is right, or open, is never written.
        if (!ScanStatus.IsFinal(task.Fence.Status) || task.Fence.Code >= ScanStatus.CodeOf(ScanStatus.Success))
            return Refuse(task, SkipReason.Live, $"The row is {task.Fence.Status} with code {task.Fence.Code}: its code is not that of a row that contradicts itself.");
        if (task.Job is not { } job) return Refuse(task, SkipReason.NoProof, "Redis was not asked about this job.");
        if (job.Holder is not null) return Refuse(task, SkipReason.WorkerHolds, "A worker, or the list of a pool, holds its job: its true end is still to come.");
        if (job.IsQueued) return Refuse(task, SkipReason.JobQueued, "Its job still waits in the queue and will run.");
        if (job.Record is { IsFinal: false }) return Refuse(task, SkipReason.RecordOpen, "The job's record is open: its true end is still to come. It is failed within a day of its last sign.");
        // The hook of an end that core has not taken overwrites a lower code, and says the truth.
        if (job.Record is { IsFinal: true, IsAcknowledged: false }) return Refuse(task, SkipReason.RecordOpen, "Core has not acknowledged the end in the job's record; the job service sends it again within the hour.");
        if (!look.Diagnosed.JobService.ListsReadWhole) return Refuse(task, SkipReason.NoProof, "The queue was read in part only: absence from it proves nothing.");
        // Redis was emptied a moment ago under a worker that lives: core takes its end as long as the code is below 3.
        if (job.Record is null && task.Fence.Updated is { } began && EvidenceJudge.MayRunInMemory(began, look.Diagnosed.JobService.EmptiedFor, look.Diagnosed.JobService))
            return Refuse(task, SkipReason.NoProof, "Redis was emptied while a worker may have been at it: its end may still come.");
        if (look.WantsSecondLook(id) is { } early) return Refuse(task, SkipReason.SecondLook, early.Text) with { HoldsFor = early.HoldsFor };
        if (past.Forbids(past.OfTask(task.Id), task.Fence.Revision) is { } forbidden)
            return Refuse(task, forbidden.Reason, forbidden.Text) with { HoldsFor = forbidden.HoldsFor };
        return new PlannedRepair
        {
            Action = RepairAction.FixStatusCode,
            FindingId = id,
            Verdict = Inconsistency.FinalStatusWrongCode,
            Text = $"The row, which is {task.Fence.Status} with code {task.Fence.Code}, gets code 3 and an end, and its execution is recomputed.",
            Evidence =
            [
                $"The row is {task.Fence.Status} with code {task.Fence.Code}, revision {task.Fence.Revision}.",
                job.Record is { } record ? $"Its job's record says {record.Status}, which core has acknowledged; no queue, worker or list holds it." : "Nothing in Redis names its job.",
            ],
            Type = task.Type,
            TaskId = task.Id,
            ExecutionId = task.ExecutionId,
            JobId = task.JobId,
            Status = task.Fence.Status,
            Fence = task.Fence,
        };
    }

    private static Refusal Refuse(WrongCodeTask task, string reason, string text) =>
        new(FindingId.OfCodes(task.ExecutionId), Inconsistency.FinalStatusWrongCode, reason, text) { Type = task.Type, TaskId = task.Id, ExecutionId = task.ExecutionId };
}
