using System.Text.Json;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Http;

/// <summary>The answer of POST /api/v1/repairs: what a run did, what it left alone, and why. Its shape is described in openapi.yaml.</summary>
internal sealed record RunDocument
{
    public string Version { get; init; } = FindingsDocument.CurrentVersion;

    /// <summary>The run's id, which its lines in the audit carry.</summary>
    public required string Run { get; init; }

    /// <summary>dry-run or execute.</summary>
    public required string Mode { get; init; }

    public required RunEnd End { get; init; }

    /// <summary>Why it did not come to a clean end; null when it did, or when something was left.</summary>
    public string? Problem { get; init; }

    public required int Batches { get; init; }

    /// <summary>What the newest look could not see, a sentence each; null when it saw everything.</summary>
    public IReadOnlyList<string>? Incomplete { get; init; }

    /// <summary>Why nothing more was written at the end.</summary>
    public required IReadOnlyList<BlockPart> Blocks { get; init; }

    public required IReadOnlyList<RepairPart> Repairs { get; init; }

    /// <summary>What was left alone at the end; at most <see cref="PlanParts.MostRefusals"/>.</summary>
    public required IReadOnlyList<RefusalPart> Refusals { get; init; }

    /// <summary>How many things were left alone, by reason.</summary>
    public required SortedDictionary<string, long> Left { get; init; }

    public static RunDocument Of(RunResult result) => new()
    {
        Run = result.Run,
        Mode = (result.DryRun ? RemediationMode.DryRun : RemediationMode.Execute).Word(),
        End = result.End,
        Problem = result.Problem,
        Batches = result.Batches,
        Incomplete = result.Incomplete is { Count: > 0 } incomplete ? incomplete : null,
        Blocks = PlanParts.Blocks(result.Plan),
        Repairs = [.. result.Outcomes.Select(RepairPart.Of)],
        Refusals = PlanParts.Refusals(result.Plan),
        Left = PlanParts.Left(result.Plan),
    };

    /// <summary>The document as text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, RequestsJson.Default.RunDocument);
}
