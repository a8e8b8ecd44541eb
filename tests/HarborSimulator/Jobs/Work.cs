namespace HarborSimulator.Jobs;

/// <summary>What a job does when a worker runs it.</summary>
/// <param name="Type">The queue.</param>
/// <param name="TaskId">The task whose hook address the job carries.</param>
/// <param name="Duration">Asked once at each start; null = it never ends.</param>
/// <param name="EndAsync">Does the job's own writing and gives its final status.</param>
internal sealed record Work(string Type, long TaskId, Func<TimeSpan?> Duration, Func<CancellationToken, Task<string>> EndAsync);

/// <summary>A worker pool: one process of the job service.</summary>
internal sealed class WorkerPool
{
    public required string Id { get; init; }
    public required long StartedAt { get; init; }
    public required IReadOnlyList<string> Workers { get; init; }
    public required int Number { get; init; }

    /// <summary>Busy workers and what they run; null while a worker finds no record of a job that it took.</summary>
    public Dictionary<string, Run?> Busy { get; } = new(StringComparer.Ordinal);

    public bool IsAlive { get; set; } = true;

    /// <summary>Job types that its enqueuer has announced in known_jobs, and until when it does not do so again.</summary>
    public Dictionary<string, DateTime> Announced { get; } = new(StringComparer.Ordinal);

    /// <summary>Unix seconds of its next heartbeat after Redis was emptied; 0 = its last one is there.</summary>
    public long BeatsAgainAt { get; set; }

    /// <summary>Hooks that core has not taken and that are still to be tried again.</summary>
    public HashSet<Hook> Untold { get; } = [];

    /// <summary>Those of them that wait for their turn.</summary>
    public Queue<Hook> Waiting { get; } = new();

    /// <summary>How many are being tried.</summary>
    public int Retrying { get; set; }
}

/// <summary>A status that core is to be told.</summary>
internal sealed record Hook(string JobId, string Status, long Revision);

/// <summary>One run of a job on a worker.</summary>
internal sealed class Run
{
    public required string JobId { get; init; }
    public required string Item { get; init; }
    public required Work Work { get; init; }
    public required WorkerPool Pool { get; init; }
    public required string Worker { get; init; }
    public required long Revision { get; init; }
    public required DateTime StartedAt { get; init; }

    /// <summary>Null when it never ends.</summary>
    public DateTime? EndsAt { get; set; }

    /// <summary>When it next looks at its stop flag, the record of which is gone, and takes its process down; null while the record is there.</summary>
    public DateTime? LooksAt { get; set; }

    /// <summary>It was stopped, killed or replaced: what was planned for it no longer happens.</summary>
    public bool IsOver { get; set; }
}
