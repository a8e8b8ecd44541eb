using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Http;

/// <summary>What of a plan both documents show.</summary>
internal static class PlanParts
{
    /// <summary>Refusals that are written out; the numbers by reason are whole.</summary>
    public const int MostRefusals = 500;

    public static IReadOnlyList<BlockPart> Blocks(RepairPlan? plan) => [.. (plan?.Blocks ?? []).Select(block => new BlockPart(block.Reason, block.Text))];

    public static IReadOnlyList<RefusalPart> Refusals(RepairPlan? plan) => [.. (plan?.Refusals ?? []).Take(MostRefusals).Select(RefusalPart.Of)];

    /// <summary>How many things are left alone, by reason.</summary>
    public static SortedDictionary<string, long> Left(RepairPlan? plan) => new(
        (plan?.Refusals ?? []).GroupBy(refusal => refusal.Reason).ToDictionary(reason => reason.Key, reason => reason.Sum(refusal => refusal.Count), StringComparer.Ordinal),
        StringComparer.Ordinal);
}

/// <summary>Why nothing at all is written now.</summary>
/// <param name="Reason">One of <see cref="SkipReason"/>.</param>
/// <param name="Text">A sentence, with the mend.</param>
internal sealed record BlockPart(string Reason, string Text);
