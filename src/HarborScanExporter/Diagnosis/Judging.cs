using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>Judges the open tasks of one collection by the best evidence there is: Redis, rows alone, or rows while Redis is blind.</summary>
/// <param name="Rows">What the database as a whole says.</param>
/// <param name="Service">What Redis says, or why it says nothing.</param>
/// <param name="Limits">The limits of the settings.</param>
/// <param name="Seen">For how many seconds an absence was seen, by task.</param>
internal sealed record Judging(RowEvidence Rows, JobServiceEvidence Service, Limits Limits, IReadOnlyDictionary<long, double> Seen)
{
    /// <summary>What Redis holds of the task's job; null when it was not asked about it. A task without a job id has no job.</summary>
    public static JobEvidence? JobOf(ScanTask task, JobServiceEvidence service) =>
        !service.IsUsable ? null : task.JobId.Length == 0 ? JobEvidence.Nothing : service.Jobs.GetValueOrDefault(task.JobId);

    /// <summary>For how many seconds the same was missing of the task; 0 at the first look.</summary>
    public double SeenFor(ScanTask task) => Seen.GetValueOrDefault(task.Id);

    /// <summary>The judgement, by the mode that the evidence allows (design 3.2).</summary>
    /// <param name="task">An open task.</param>
    /// <param name="stored">Whether every report the task names is stored; asked only of a task in doubt.</param>
    public Judgement Judge(ScanTask task, bool stored) => Service.State switch
    {
        EvidenceState.NotConfigured => TaskJudge.Judge(task, stored, Rows, Limits),
        EvidenceState.Usable when JobOf(task, Service) is { } job => EvidenceJudge.Judge(task, job, stored, SeenFor(task), Rows, Service, Limits),
        EvidenceState.Usable => EvidenceJudge.BeyondBound(task, Rows, Service, Limits),
        _ => EvidenceJudge.Blind(task, stored, Rows, Limits),
    };

    /// <summary>Whether the judgement depends on the task's reports, or is one that a second look at the row may change.</summary>
    public bool IsInDoubt(ScanTask task) =>
        Judge(task, stored: false).IsStuck
        || (Service.State == EvidenceState.NotConfigured && TaskJudge.NeedsReports(task, Rows.Now, Limits))
        || (JobOf(task, Service) is { } job && EvidenceJudge.AbsenceOf(job, Service) != Absence.None);
}
