namespace HarborScanExporter.Findings;

/// <summary>How urgent a finding is, as the alerts have it: scanning, pulls or sweeping blocked now; to be looked at today; to be known.</summary>
internal enum Severity
{
    Critical,
    Warning,
    Info,
}

/// <summary>What a finding speaks of.</summary>
internal enum FindingKind
{
    /// <summary>The whole system; it replaces hundreds of findings on tasks.</summary>
    System,

    /// <summary>One open task.</summary>
    Task,

    /// <summary>One execution.</summary>
    Execution,
}

/// <summary>An artifact that a finding blocks: one repository that holds the digest.</summary>
/// <param name="Project">The project's name.</param>
/// <param name="Repository">The repository's name, with its project.</param>
/// <param name="Digest">The digest.</param>
/// <param name="PreventsVulnerable">Whether the project refuses pulls of what is not scanned well; null where the role cannot see it.</param>
internal sealed record BlockedArtifact(string Project, string Repository, string Digest, bool? PreventsVulnerable);

/// <summary>Who is blocked by a finding.</summary>
internal sealed record Blocked
{
    /// <summary>Harbor refuses to scan these digests again (409), in every repository that holds them.</summary>
    public bool Rescan { get; init; }

    /// <summary>Harbor refuses to generate the SBOM of this one artifact again (409).</summary>
    public bool Sbom { get; init; }

    /// <summary>Pulls are refused (412) in a project that prevents vulnerable images; null where that cannot be seen.</summary>
    public bool? Pulls { get; init; } = false;

    /// <summary>A manual scan-all is refused (409).</summary>
    public bool ScanAll { get; init; }

    /// <summary>Harbor's sweep cannot remove the execution, or fails for its whole type.</summary>
    public bool Sweep { get; init; }

    public IReadOnlyList<BlockedArtifact> Artifacts { get; init; } = [];

    public required string Text { get; init; }

    public static Blocked Nobody { get; } = new() { Text = "Nobody is blocked by it." };
}

/// <summary>Whether and when Harbor heals it by itself.</summary>
/// <param name="ByItself">False when it never will; null when that is not known.</param>
/// <param name="At">Seconds since 1970 at which it will at the latest; null when unknown or never.</param>
/// <param name="Text">The answer in words.</param>
internal sealed record Healing(bool? ByItself, double? At, string Text);

/// <summary>One thing that is wrong, with the answers to an operator's questions: what, since when, why, who, whether it heals, what to do, what not.</summary>
internal sealed record Finding
{
    /// <summary>Stable while the finding lasts, for example <c>task-307257</c>.</summary>
    public required string Id { get; init; }

    public required FindingKind Kind { get; init; }

    /// <summary>A verdict, an inconsistency, or a word of <see cref="SystemWord"/>.</summary>
    public required string Verdict { get; init; }

    public required Severity Severity { get; init; }

    /// <summary>The vendor type; null for findings on the whole system.</summary>
    public string? Type { get; init; }

    /// <summary>The row's status.</summary>
    public string? Status { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public string? JobId { get; init; }

    /// <summary>How many rows, jobs, workers or accounts it speaks of.</summary>
    public long Count { get; init; } = 1;

    /// <summary>Seconds since 1970; null when unknown.</summary>
    public double? Since { get; init; }

    /// <summary>What is wrong, in a sentence.</summary>
    public required string What { get; init; }

    /// <summary>The proof, a sentence each.</summary>
    public required IReadOnlyList<string> Evidence { get; init; }

    public Blocked Blocked { get; init; } = Blocked.Nobody;

    public required Healing Healing { get; init; }

    /// <summary>The smallest safe repair.</summary>
    public required string Repair { get; init; }

    /// <summary>What must not be done, a sentence each.</summary>
    public IReadOnlyList<string> Avoid { get; init; } = [];
}

/// <summary>The words of findings on the whole system.</summary>
internal static class SystemWord
{
    public const string RedisUnreachable = "redis_unreachable";
    public const string RedisRefused = "redis_refused";
    public const string RedisWrongDatabase = "redis_wrong_database";
    public const string RedisStale = "redis_stale";
    public const string RedisEmptied = "redis_emptied";
    public const string JobServiceDown = "jobservice_down";
    public const string QueuePaused = "queue_paused";
    public const string ReadOnly = "read_only";
    public const string QueueOld = "queue_old";
    public const string QueuedOver24h = "queued_over_24h";
    public const string GhostWorkers = "ghost_workers";
    public const string OrphanHooks = "orphan_hooks";
    public const string LeakedRobots = "leaked_robots";
    public const string ScanAllBlocked = "scan_all_blocked";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        RedisUnreachable, RedisRefused, RedisWrongDatabase, RedisStale, RedisEmptied, JobServiceDown, QueuePaused, ReadOnly, QueueOld, QueuedOver24h, GhostWorkers,
        OrphanHooks, LeakedRobots, ScanAllBlocked,
    ];
}
