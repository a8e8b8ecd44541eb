using HarborScanExporter.Text;

namespace HarborScanExporter.Harbor;

/// <summary>How far the job service's Redis can be asked; all but <see cref="NotConfigured"/> are label values of <c>state</c>.</summary>
internal enum EvidenceState
{
    /// <summary>No HARBOR_REDIS_URL: verdicts rest on rows alone.</summary>
    NotConfigured,

    /// <summary>Readable, and it shows a job service: known_jobs or a fresh heartbeat.</summary>
    Usable,

    /// <summary>No connection, or no answer in time.</summary>
    Unreachable,

    /// <summary>A wrong password, a command or key that the user may not use, or keys that another program writes.</summary>
    Refused,

    /// <summary>Readable and without known_jobs and live pools: another database number or namespace, or emptied.</summary>
    Empty,

    /// <summary>It shows a job service whose jobs no task of this database has: that of another Harbor.</summary>
    Foreign,

    /// <summary>It stands still while Harbor goes on: a replica cut off from its master, a former master, a restored copy, or a database no longer used.</summary>
    Stale,
}

/// <summary>The words of <see cref="EvidenceState"/> in labels and findings.</summary>
internal static class EvidenceStateWords
{
    /// <summary>The lower-case word.</summary>
    public static string Word(this EvidenceState state) => state switch
    {
        EvidenceState.NotConfigured => "not_configured",
        EvidenceState.Usable => "usable",
        EvidenceState.Unreachable => "unreachable",
        EvidenceState.Refused => "refused",
        EvidenceState.Empty => "empty",
        EvidenceState.Foreign => "foreign",
        _ => "stale",
    };
}

/// <summary>A worker pool: one instance of the job service.</summary>
/// <param name="Id">Its id in Redis.</param>
/// <param name="Heartbeat">Unix seconds of its newest heartbeat; null when only its lists are left.</param>
/// <param name="Started">Unix seconds of its start.</param>
/// <param name="Concurrency">How many workers it has.</param>
/// <param name="Host">Its host's name.</param>
internal sealed record WorkerPool(string Id, double? Heartbeat, double? Started, int Concurrency, string? Host)
{
    /// <summary>Harbor itself calls a pool dead after 10 s; three beats more leave room for the clocks.</summary>
    public const double FreshSeconds = 30;

    /// <summary>Whether its heartbeat is fresh at that time, in seconds since 1970.</summary>
    public bool IsAliveAt(double now) => Heartbeat is { } heartbeat && now - heartbeat <= FreshSeconds;
}

/// <summary>One queue of the job service.</summary>
/// <param name="Length">Jobs that wait in it.</param>
/// <param name="Oldest">Unix seconds at which the oldest job among those read was enqueued; null when none was read.</param>
/// <param name="Paused">Whether an operator paused it.</param>
internal sealed record QueueEvidence(long Length, double? Oldest, bool Paused)
{
    /// <summary>False when its entries were left out because of their size: then only its length is known.</summary>
    public bool WasRead { get; init; } = true;
}

/// <summary>A worker that is held by a job whose work is over for Harbor (failure mode GHOST).</summary>
/// <param name="JobId">The job.</param>
/// <param name="Pool">The pool whose worker it holds.</param>
/// <param name="Status">The final word of its record; null when the record has expired.</param>
internal sealed record GhostWorker(string JobId, string Pool, string? Status);

/// <summary>What Redis holds of one job. Read in the order queue, lists in progress, record.</summary>
internal sealed record JobEvidence
{
    /// <summary>It stands in the queue.</summary>
    public bool IsQueued { get; init; }

    /// <summary>The pool whose list or worker holds it; null when none does.</summary>
    public WorkerPool? Holder { get; init; }

    /// <summary>Unix seconds at which the worker began; null when no worker tells.</summary>
    public double? WorkerStarted { get; init; }

    /// <summary>Its record; null when there is none, or one without <c>id</c>.</summary>
    public JobRecord? Record { get; init; }

    /// <summary>Nothing in Redis names the job.</summary>
    public static JobEvidence Nothing { get; } = new();
}

/// <summary>What the job service's Redis says, for judging open tasks with proof (harbor-facts 8.6).</summary>
internal sealed record JobServiceEvidence
{
    public required EvidenceState State { get; init; }

    /// <summary>Why it cannot be used, in a sentence; null when it can.</summary>
    public string? Problem { get; init; }

    /// <summary>Where it was looked for, without credentials.</summary>
    public string Address { get; init; } = "";

    /// <summary>Redis' own clock, in seconds since 1970.</summary>
    public double Now { get; init; }

    public IReadOnlyList<WorkerPool> Pools { get; init; } = [];

    /// <summary>Workers of live pools that hold a job of any type.</summary>
    public int BusyWorkers { get; init; }

    /// <summary>Workers of live pools.</summary>
    public int Workers { get; init; }

    /// <summary>The queue in which scans of all types wait.</summary>
    public QueueEvidence Scans { get; init; } = new(0, null, false);

    /// <summary>The queue of Harbor's sweep.</summary>
    public QueueEvidence Sweeps { get; init; } = new(0, null, false);

    /// <summary>What was left out because of its size, in a sentence; null when nothing was. What is missing there proves nothing.</summary>
    public string? LeftOut { get; init; }

    /// <summary>Whether the queue and every list in progress were read in whole: only then does absence from them prove anything.</summary>
    public bool ListsReadWhole { get; init; }

    /// <summary>
    /// Whether Redis was emptied while a pool that still lives was up: a pool announces its job types in known_jobs at its start, and after
    /// the loss they stay away until the next start (harbor-facts 0.2).
    /// </summary>
    public bool EmptiedUnderPools { get; init; }

    /// <summary>For how many seconds this process has seen that it was; 0 at the first look.</summary>
    public double EmptiedFor { get; init; }

    /// <summary>The newest record, start of a worker or enqueuing that was seen, in seconds since 1970; null when none was.</summary>
    public double? NewestWork { get; init; }

    /// <summary>Whether this server says of itself that it is a replica without its master; false also where the user may not ask.</summary>
    public bool LostItsMaster { get; init; }

    /// <summary>What Redis holds of the judged jobs, by job id; a job that was not asked about is missing.</summary>
    public IReadOnlyDictionary<string, JobEvidence> Jobs { get; init; } = new Dictionary<string, JobEvidence>();

    /// <summary>The jobs that stand in the queue or in a list or worker of a pool, as far as those were read.</summary>
    public IReadOnlyCollection<string> Listed { get; init; } = [];

    public IReadOnlyList<GhostWorker> Ghosts { get; init; } = [];

    /// <summary>Jobs whose hook is sent again and again and that no open task names; whether a task names them the database must say.</summary>
    public IReadOnlyList<string> UnclaimedHooks { get; init; } = [];

    /// <summary>Some of the jobs that Redis shows, by the ids under which core knows them; empty when it shows none.</summary>
    public IReadOnlyList<string> SomeJobs { get; init; } = [];

    /// <summary>
    /// Whether one of them must be a task of some Harbor: it waits, is worked at, or a core has acknowledged it. A job whose hook nobody takes
    /// may be one that no task has anywhere.
    /// </summary>
    public bool ShowsTasks { get; init; }

    /// <summary>
    /// Whether Redis knows no judged job but shows others: either every open scan is lost, or this is the Redis of another Harbor, whose
    /// jobs no task here has. The database must say which.
    /// </summary>
    public bool MayBeForeign => IsUsable && Jobs.Count > 0 && ShowsTasks && Jobs.Values.All(job => job == JobEvidence.Nothing);

    public bool IsUsable => State == EvidenceState.Usable;

    /// <summary>Whether a pool's heartbeat is fresh.</summary>
    public bool IsUp => Pools.Any(pool => pool.IsAliveAt(Now));

    /// <summary>Since when a pool has lived without a break, in seconds since 1970; null when none lives.</summary>
    public double? UpSince => Pools.Where(pool => pool.IsAliveAt(Now)).Min(pool => (double?)(pool.Started ?? Now));

    /// <summary>The same as the evidence of another Harbor, which proves nothing here.</summary>
    public JobServiceEvidence OfAnotherHarbor() => Without(
        EvidenceState.Foreign,
        $"{Address} shows a job service, and none of {Words.Count(SomeJobs.Count, "job")} seen there is a task of this database: it belongs to another Harbor. Check HARBOR_REDIS_URL and HARBOR_REDIS_NAMESPACE.",
        Address);

    /// <summary>The newest sign of life: a heartbeat or work, in seconds since 1970 and never later than <see cref="Now"/>; null when there is none.</summary>
    public double? NewestSign => Pools.Select(pool => pool.Heartbeat).Append(NewestWork).Max() is { } sign ? Math.Min(sign, Now) : null;

    /// <summary>
    /// Whether it can tell of a task's job: it showed a sign of life after what it should hold of the job was written. What stood still before then proves
    /// nothing, whether a pool seems to live or not.
    /// </summary>
    /// <param name="task">An open task.</param>
    /// <param name="job">What it holds of the job; a record is written once, when the task is made.</param>
    public bool IsNewerThan(ScanTask task, JobEvidence job) => IsUp
        ? !((job.Record is null ? task.Created ?? task.ExecutionStarted : RowFreshness.Of(task)) > NewestSign - RowFreshness.Enqueuing)
        : RowFreshness.Of(task) <= NewestSign - RowFreshness.Difference;

    /// <summary>
    /// The same, or that of a Redis that stands still: it has lost its master, or no pool lives in it and Harbor's rows went on after its newest sign of
    /// life (design: evidence must be fresh to prove an absence).
    /// </summary>
    /// <param name="rows">The newest time at which a row shows that a job service worked, in seconds since 1970; null when none does.</param>
    public JobServiceEvidence Beside(double? rows)
    {
        if (!IsUsable || !(LostItsMaster || (!IsUp && rows - (NewestSign ?? 0) > RowFreshness.WentOn))) return this;
        var last = NewestSign is { } sign ? $"its newest sign of life is of {Words.Time(sign)}" : "it shows no sign of life";
        return Without(EvidenceState.Stale, LostItsMaster
            ? $"{Address} is a replica without its master, and {last}. Mend the replication, or give the exporter the Redis that the job service writes."
            : $"{Address} stands still: {last}, and Harbor's rows went on until {Words.Time(rows!.Value)}. It is a replica cut off from its master, a former master, a restored copy, "
                + "or a database that the job service no longer uses. Check HARBOR_REDIS_URL.", Address);
    }

    /// <summary>Evidence there is none of.</summary>
    public static JobServiceEvidence Without(EvidenceState state, string? problem = null, string address = "") =>
        new() { State = state, Problem = problem, Address = address };
}
