using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Decides on a stuck task (conventions 5.9; harbor-facts 6.2).</summary>
internal static class TaskPlanning
{
    /// <summary>After Harbor took a stop, its hook is given this long to reach the row.</summary>
    private const double StopSettle = 120;

    /// <summary>Why nothing is repaired of a verdict; null where a repair was thought through for it.</summary>
    private static string? NoRepairOf(Judgement judgement) => judgement switch
    {
        Judgement.Lost or Judgement.Unreported or Judgement.Hung or Judgement.NotQueued => null,
        Judgement.Overdue => "Rows alone cannot say whether a worker holds it.",
        Judgement.Queued or Judgement.Running or Judgement.Paused or Judgement.Requeued or Judgement.Settling or Judgement.Unjudged => $"No repair is known for {judgement.Word}. Look for a newer exporter.",
    };

    /// <summary>The decision.</summary>
    public static Decision Decide(JudgedTask judged, Look look, PastOfThings past)
    {
        var task = judged.Task;
        var its = past.OfTask(task.Id);
        if (NoRepairOf(judged.Judgement) is { } none) return Refuse(judged, SkipReason.NoProof, none);
        if (judged.Job is not { } job)
            return Refuse(judged, SkipReason.NoProof, "Redis was not asked about this job: more scans are in doubt than one look takes.");
        if (look.WantsSecondLook(FindingId.OfTask(task.Id)) is { } early) return Refuse(judged, SkipReason.SecondLook, early.Text) with { HoldsFor = early.HoldsFor };
        if (job.Record is not null && look.JobOwners.GetValueOrDefault(task.JobId, 1) > 1)
            return Refuse(judged, SkipReason.SharedJob, "More than one task names this job: what Redis says of it may be of another. A person has to look.");

        // A stop of this very row that Harbor took, and that changed nothing.
        var stopped = its.Where(one => one.Action == RepairAction.StopJob.Word() && one.Revision == task.StatusRevision
            && one.State is RepairState.Done or RepairState.NoEffect).MaxBy(one => one.At);
        if (past.Forbids(its, task.StatusRevision, judged.Judgement == Judgement.Hung ? null : stopped) is { } forbidden)
            return Refuse(judged, forbidden.Reason, forbidden.Text) with { HoldsFor = forbidden.HoldsFor };
        // A stop would write Stopped over a good report.
        if (judged.Judgement == Judgement.Unreported || (judged.IsOverWithResult && judged.Judgement != Judgement.Hung)) return Finish(judged, look);
        var canStop = look.HasApi && look.Diagnosed.SchemaVersion >= HarborSchema.StopByJobSince && JobIdForm.Is(task.JobId) && look.JobOwners.GetValueOrDefault(task.JobId, 1) == 1;
        if (judged.Judgement == Judgement.Hung)
        {
            if (stopped is not null) return Refuse(judged, SkipReason.WorkerHolds, $"Stop {stopped.Id} did not make the worker let go. Restart the job service.");
            return canStop
                ? Stop(judged, look)
                : Refuse(judged, SkipReason.NeedsApi, "A worker holds it: only a stop by Harbor's API ends it. Set HARBOR_API_USERNAME; Harbor before 2.7 has no such stop: stop the scan of its artifact.");
        }
        if (stopped is null && canStop) return Stop(judged, look);
        if (stopped is not null && past.Now - (stopped.EndedAt ?? stopped.At) < StopSettle)
        {
            return Refuse(judged, SkipReason.InProgress, $"Harbor took stop {stopped.Id}; its effect is waited for.")
                with { HoldsFor = StopSettle - (past.Now - (stopped.EndedAt ?? stopped.At)) };
        }
        if (job.Holder is not null)
            return Refuse(judged, SkipReason.Stranded, "The list of a dead pool holds its job, and a start of the job service runs it again. Restart the job service, or set HARBOR_API_USERNAME so that it can be stopped.");
        if (job.Record is { IsFinal: false, IsAcknowledged: false })
            return Refuse(judged, SkipReason.RecordOpen, "The job's record is open and core has not acknowledged it: a written row flips back within the hour. Set HARBOR_API_USERNAME, so that the job can be stopped.");
        return Finish(judged, look);
    }

    private static PlannedRepair Stop(JudgedTask judged, Look look) => Planned(judged, look) with
    {
        Action = RepairAction.StopJob,
        Text = $"Harbor's API stops job {judged.Task.JobId}: {(judged.Judgement == Judgement.Lost ? "the job service does not know it, so that core makes the row Stopped" : "the job service ends it and reports Stopped")}.",
        Status = ScanStatus.Stopped,
    };

    private static PlannedRepair Finish(JudgedTask judged, Look look)
    {
        var status = TruthfulStatus.Of(judged);
        var ended = status == ScanStatus.Success ? TruthfulEnd.Of(judged, look.Diagnosed.Now) : null;
        var why = judged.Stored ? "every report it names is stored"
            : judged.Job?.Record is { IsFinal: true } record ? $"the job's record says {record.Status} and its reports are not stored"
            : "the job service does not know how it ended, and its reports are not stored";
        return Planned(judged, look) with
        {
            Action = RepairAction.FinishTask,
            Text = $"The row becomes {status} with code 3 and {(ended is null ? "an end" : "the end that its report tells")}, and its execution is recomputed: {why}.",
            Status = status,
            Ended = ended,
        };
    }

    private static PlannedRepair Planned(JudgedTask judged, Look look) => new()
    {
        Action = RepairAction.FinishTask,
        FindingId = FindingId.OfTask(judged.Task.Id),
        Verdict = judged.Judgement.Word,
        Text = "",
        Evidence = look.Findings.GetValueOrDefault(FindingId.OfTask(judged.Task.Id))?.Evidence ?? [],
        Type = judged.Task.Type,
        TaskId = judged.Task.Id,
        ExecutionId = judged.Task.ExecutionId,
        JobId = judged.Task.JobId,
        RobotId = judged.Named?.RobotId,
        ArtifactId = judged.Named?.ArtifactId,
        Fence = new Fence(judged.Task.Status, judged.Task.StatusCode, judged.Task.StatusRevision, judged.Task.Updated),
    };

    private static Refusal Refuse(JudgedTask judged, string reason, string text) => new(FindingId.OfTask(judged.Task.Id), judged.Judgement.Word ?? "", reason, text)
    {
        Type = judged.Task.Type,
        TaskId = judged.Task.Id,
        ExecutionId = judged.Task.ExecutionId,
    };
}
