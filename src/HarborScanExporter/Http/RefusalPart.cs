using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Http;

/// <summary>One thing that is left alone, and why.</summary>
internal sealed record RefusalPart
{
    /// <summary>The finding; null when it speaks of more than one.</summary>
    public string? Finding { get; init; }

    /// <summary>Its verdict or kind, or the state of live scans.</summary>
    public required string Verdict { get; init; }

    /// <summary>One of <see cref="SkipReason"/>.</summary>
    public required string Reason { get; init; }

    public required string Text { get; init; }

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public required long Count { get; init; }

    /// <summary>Until it may no longer hold; null when time alone does not end it.</summary>
    public double? HoldsForSeconds { get; init; }

    public static RefusalPart Of(Refusal refusal) => new()
    {
        Finding = refusal.FindingId,
        Verdict = refusal.Verdict,
        Reason = refusal.Reason,
        Text = refusal.Text,
        Type = refusal.Type,
        TaskId = refusal.TaskId,
        ExecutionId = refusal.ExecutionId,
        Count = refusal.Count,
        HoldsForSeconds = refusal.HoldsFor is { } seconds ? Math.Round(seconds, 1) : null,
    };
}
