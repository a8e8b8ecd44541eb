using HarborScanExporter.Diagnosis;
using HarborScanExporter.Metrics;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>The state of a row that a repair was decided on; a row that has moved on since is not written (conventions 5.4).</summary>
/// <param name="Status">Harbor's word.</param>
/// <param name="Code">Its code as the row holds it.</param>
/// <param name="Revision">status_revision; 0 for NULL.</param>
/// <param name="Updated">update_time in seconds since 1970; null when the row holds no usable time.</param>
internal sealed record Fence(string Status, long Code, long Revision, double? Updated);

/// <summary>One repair that is to be done.</summary>
internal sealed record PlannedRepair
{
    public required RepairAction Action { get; init; }

    /// <summary>The finding that it ends, for example <c>task-307257</c>.</summary>
    public required string FindingId { get; init; }

    /// <summary>The verdict or kind that it rests on.</summary>
    public required string Verdict { get; init; }

    /// <summary>What will be done and why, in a sentence.</summary>
    public required string Text { get; init; }

    /// <summary>The proof, a sentence each.</summary>
    public required IReadOnlyList<string> Evidence { get; init; }

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public string? JobId { get; init; }

    public long? RobotId { get; init; }

    public long? ArtifactId { get; init; }

    /// <summary>The status that is written; null where nothing is.</summary>
    public string? Status { get; init; }

    /// <summary>When the scan ended, in seconds since 1970, where a report tells; null for the time of the repair.</summary>
    public double? Ended { get; init; }

    /// <summary>The row it was decided on; null where no row of task is written or stopped.</summary>
    public Fence? Fence { get; init; }

    /// <summary>Repository with its project and digest, of a rescan.</summary>
    public (string Repository, string Digest, string? ScanType)? Artifact { get; init; }

    /// <summary>The execution that is removed, as it was found; null where none is.</summary>
    public SweepCandidate? Old { get; init; }
}

/// <summary>One thing that is left alone, and why.</summary>
/// <param name="FindingId">The finding; null when it speaks of more than one.</param>
/// <param name="Verdict">Its verdict or kind.</param>
/// <param name="Reason">One of <see cref="SkipReason"/>.</param>
/// <param name="Text">The reason in a sentence, with the mend where there is one.</param>
internal sealed record Refusal(string? FindingId, string Verdict, string Reason, string Text)
{
    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    /// <summary>How many rows it speaks of; 0 where nobody has counted them.</summary>
    public long Count { get; init; } = 1;

    /// <summary>Whether time alone changes it, nothing does, or nobody knows of a row: what leaves only such things alone is at a clean end.</summary>
    public bool IsSettled => Count == 0 || Reason is SkipReason.Live or SkipReason.HarborSweeps or SkipReason.ArtifactGone;

    /// <summary>Seconds until it may no longer hold; null when time alone does not end it.</summary>
    public double? HoldsFor { get; init; }
}

/// <summary>Why nothing at all is written now.</summary>
/// <param name="Reason">One of <see cref="SkipReason"/>.</param>
/// <param name="Text">A sentence, with the mend.</param>
internal sealed record PlanBlock(string Reason, string Text);

/// <summary>What is to be done, what is left alone, and why.</summary>
/// <param name="Blocks">Why nothing is written now; empty when it may be. The repairs are those that were due without them.</param>
/// <param name="Repairs">At most one batch, in the order in which they are done.</param>
/// <param name="Refusals">Everything else that was found, and live scans by state.</param>
internal sealed record RepairPlan(IReadOnlyList<PlanBlock> Blocks, IReadOnlyList<PlannedRepair> Repairs, IReadOnlyList<Refusal> Refusals)
{
    public bool IsBlocked => Blocks.Count > 0;

    /// <summary>Whether the share rule holds all of it back, or a part.</summary>
    public bool IsHeldByShare => Blocks.Any(block => block.Reason == SkipReason.Share) || Refusals.Any(refusal => refusal.Reason == SkipReason.Share);
}
