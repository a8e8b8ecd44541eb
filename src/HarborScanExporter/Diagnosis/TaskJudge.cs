using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>
/// Judges a scan task that is not over on the database's rows alone. Age by itself proves nothing below <see cref="Limits.Never"/>: a
/// scan waits for hours behind a big scan-all and is healthy. What Harbor ends by itself within two hours is not stuck.
/// </summary>
internal static class TaskJudge
{
    /// <summary>The first rule that fits decides.</summary>
    /// <param name="task">An open task.</param>
    /// <param name="stored">Whether every report the task names is stored; asked only of a task for which <see cref="NeedsReports"/> holds.</param>
    /// <param name="evidence">What the other rows say.</param>
    /// <param name="limits">The limits of the settings.</param>
    public static Judgement Judge(ScanTask task, bool stored, RowEvidence evidence, Limits limits)
    {
        var judgement = task.IsRunning ? Running(task, stored, evidence, limits) : Waiting(task, evidence, limits);
        return judgement == Judgement.Unjudged && task.RowAge(evidence.Now) < Limits.Young ? Judgement.Settling : judgement;
    }

    /// <summary>Whether the judgement of this task depends on its reports.</summary>
    public static bool NeedsReports(ScanTask task, double now, Limits limits) => task.IsRunning && task.RunningAge(now) > limits.RunningLimit;

    private static Judgement Running(ScanTask task, bool stored, RowEvidence evidence, Limits limits)
    {
        var age = task.RunningAge(evidence.Now);
        if (age > limits.RunningLimit && stored) return Judgement.Unreported;
        if (age > limits.Never) return Judgement.Overdue;
        if (age > limits.RunningLimit)
        {
            // The row of a job that was put back into the queue keeps the word Running: behind a backlog it may only wait its turn.
            return evidence.AcknowledgedBacklog ? Judgement.Unjudged : Judgement.Overdue;
        }
        return Judgement.Running;
    }

    private static Judgement Waiting(ScanTask task, RowEvidence evidence, Limits limits)
    {
        var age = task.WaitingAge(evidence.Now);
        if (age > limits.Never) return Judgement.Lost;
        if (evidence.QueuePaused) return Judgement.Paused;
        if (task.IsAcknowledged) return Judgement.Queued;
        return task.RunCount == 0 && age > limits.LostAfter && ReaperPassedOver(task, evidence) ? Judgement.Lost : Judgement.Unjudged;
    }

    /// <summary>
    /// The job service repeats the status of every job that core has not confirmed, waiting ones too. If core heard it without a break
    /// for two of its rounds since this row was made, and never of this row, it does not know the job. One hook alone proves nothing:
    /// while core is down, Harbor read-only or the job service away, its rounds are lost.
    /// </summary>
    private static bool ReaperPassedOver(ScanTask task, RowEvidence evidence) =>
        evidence.OpenTasks < Limits.ReaperMayLag
        && !evidence.ReadOnly
        && evidence.Hooks is { } hooks
        && (task.Created ?? task.ExecutionStarted) is { } created
        && hooks.Until - Math.Max(created, hooks.From) >= Limits.TwoReaperRounds;
}
