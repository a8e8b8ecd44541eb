using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>An open task with its judgement and what it rests on.</summary>
internal sealed record JudgedTask
{
    public required ScanTask Task { get; init; }

    public required Judgement Judgement { get; init; }

    /// <summary>What Redis holds of its job; null where Redis was not asked about it.</summary>
    public JobEvidence? Job { get; init; }

    /// <summary>For how many seconds the same absence was seen.</summary>
    public double SeenFor { get; init; }

    /// <summary>What the task names; null where that was not read, for tasks that are not in doubt.</summary>
    public TaskAttributes? Named { get; init; }

    /// <summary>The reports it names, as far as they exist.</summary>
    public IReadOnlyList<ScanReport> Reports { get; init; } = [];

    /// <summary>Whether it names reports and every one of them holds the result of its own scan.</summary>
    public bool Stored { get; init; }

    /// <summary>How many of them hold the result of an earlier scan, as on Harbors that keep a report through a rescan.</summary>
    public int EarlierResults { get; init; }

    /// <summary>
    /// Whether Harbor refuses a vulnerability scan of the digests of its reports while it is open, in every repository, and whether IMAGE_SCAN
    /// or SCAN_ALL made it (harbor-facts 5.3). A row whose reports are gone refuses none, nor does one of SBOM (harbor-facts 0.2).
    /// </summary>
    public bool RefusesRescan => Reports.Count > 0 && Task.Type != ScanType.Sbom;

    /// <summary>Whether Harbor refuses to generate the SBOM of its artifact while it is open; nothing else (harbor-facts 0.2).</summary>
    public bool RefusesSbom => Reports.Count > 0 && Task.Type == ScanType.Sbom;

    /// <summary>
    /// Whether the work is over and its result is there, whatever the row says: every report is stored, nothing holds the job, and what core
    /// has acknowledged does not flip the row back (harbor-facts 7.3).
    /// </summary>
    public bool IsOverWithResult => this is { Stored: true, Job.Holder: null } && Job.Record is null or { IsFinal: true } or { IsAcknowledged: true };
}

/// <summary>An execution that contradicts its tasks, and how.</summary>
/// <param name="Execution">The execution.</param>
/// <param name="Kind">One of <see cref="Inconsistency"/>.</param>
/// <param name="OpenTasks">How many of its tasks are open.</param>
/// <param name="Tasks">How many it has.</param>
internal sealed record InconsistentExecution(ScanExecution Execution, string Kind, int OpenTasks, long Tasks);

/// <summary>Tasks of one execution whose status is final and whose code is below 3.</summary>
internal sealed record WrongCodes(string Type, long ExecutionId, long Tasks);

/// <summary>What one collection found out about the scans that are not over; metrics, findings and repairs all speak of it.</summary>
internal sealed record Diagnosed
{
    /// <summary>The database's clock at the snapshot, in seconds since 1970.</summary>
    public required double Now { get; init; }

    public required long SchemaVersion { get; init; }

    /// <summary>Every open task.</summary>
    public required IReadOnlyList<JudgedTask> Tasks { get; init; }

    public required IReadOnlyList<InconsistentExecution> Executions { get; init; }

    public required IReadOnlyList<WrongCodes> WrongCodes { get; init; }

    /// <summary>The executions that Harbor's sweep should remove and cannot, by type.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<long>> SweepBlocked { get; init; }

    /// <summary>The manual scan-all for whose sake Harbor refuses another though it is not alive; null when there is none.</summary>
    public ScanExecution? BlockingScanAll { get; init; }

    /// <summary>The newest scan-all of trigger MANUAL, by start, for whose sake Harbor may refuse another; null when there is none.</summary>
    public ScanExecution? NewestManualScanAll { get; init; }

    public required JobServiceEvidence JobService { get; init; }

    /// <summary>Settling tasks of which something is missing in Redis: one look may have fallen between two steps of the job service.</summary>
    public IEnumerable<JudgedTask> Missing => !JobService.IsUsable ? [] : Tasks.Where(task =>
        task.Judgement == Judgement.Settling && task.Job is { } job && EvidenceJudge.AbsenceOf(job, JobService) != Absence.None);

    /// <summary>Open tasks of which this diagnosis cannot say whether they live.</summary>
    public IEnumerable<JudgedTask> Undecided => Missing.Concat(Tasks.Where(task => task.Judgement == Judgement.Unjudged));

    /// <summary>Jobs whose hooks are sent again and again though no task names them; null where that cannot be asked.</summary>
    public IReadOnlyList<string>? OrphanHooks { get; init; }

    /// <summary>The paused queues; null when unknown.</summary>
    public IReadOnlySet<string>? PausedQueues { get; init; }

    /// <summary>When the queue of scans was paused, in seconds since 1970; null when it is not, or when no row tells.</summary>
    public double? ScansPausedSince { get; init; }

    /// <summary>Whether Harbor is read-only; null when unknown.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>The newest end of a scan that succeeded, none of the future; seconds since 1970, null when there is none.</summary>
    public double? NewestSuccess { get; init; }
}
