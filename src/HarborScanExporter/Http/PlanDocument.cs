using System.Text.Json;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Http;

/// <summary>The answer of GET /api/v1/plan: what a run would do now, what it would leave alone, and why. Its shape is described in openapi.yaml.</summary>
internal sealed record PlanDocument
{
    public string Version { get; init; } = FindingsDocument.CurrentVersion;

    /// <summary>The database's clock at the look; null when it could not look.</summary>
    public DateTimeOffset? GeneratedAt { get; init; }

    /// <summary>How far repairs may go: a word of the setting.</summary>
    public required string Mode { get; init; }

    /// <summary>Why there is no plan; null when there is one.</summary>
    public string? Problem { get; init; }

    /// <summary>What the look could not see, a sentence each; null when it saw everything.</summary>
    public IReadOnlyList<string>? Incomplete { get; init; }

    /// <summary>Why nothing is written now, whatever is due.</summary>
    public required IReadOnlyList<BlockPart> Blocks { get; init; }

    /// <summary>The next batch, in the order in which it is done.</summary>
    public required IReadOnlyList<RepairPart> Repairs { get; init; }

    /// <summary>What is left alone; at most <see cref="PlanParts.MostRefusals"/>.</summary>
    public required IReadOnlyList<RefusalPart> Refusals { get; init; }

    /// <summary>How many things are left alone, by reason.</summary>
    public required SortedDictionary<string, long> Left { get; init; }

    public static PlanDocument Of(RepairPlan? plan, FindingsReport report, RemediationMode mode) => new()
    {
        GeneratedAt = FindingsDocument.TimeOf(report.Now),
        Mode = mode.Word(),
        Problem = plan is null ? report.Problem : null,
        Incomplete = report.Incomplete is { Count: > 0 } incomplete ? incomplete : null,
        Blocks = PlanParts.Blocks(plan),
        Repairs = [.. (plan?.Repairs ?? []).Select(RepairPart.Of)],
        Refusals = PlanParts.Refusals(plan),
        Left = PlanParts.Left(plan),
    };

    /// <summary>The document as text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, RequestsJson.Default.PlanDocument);
}
