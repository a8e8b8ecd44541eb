using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Remediation.Presentation;

/// <summary>A plan or a run as people and programs are told of it.</summary>
internal sealed record ToldRun
{
    /// <summary>Its id in the audit; null of a plan.</summary>
    public string? Run { get; init; }

    /// <summary>How far the settings let repairs go.</summary>
    public RemediationMode? Ceiling { get; init; }

    /// <summary>Whether its statements were rolled back.</summary>
    public bool DryRun { get; init; }

    public required RunEnd End { get; init; }

    /// <summary>Why it came to no clean end, with the mend; null when it did.</summary>
    public string? Problem { get; init; }

    public int Batches { get; init; }

    /// <summary>What forbids every write.</summary>
    public IReadOnlyList<PlanBlock> Blocks { get; init; } = [];

    /// <summary>What is planned, or what became of it; an outcome without a state is only planned.</summary>
    public required IReadOnlyList<RepairOutcome> Outcomes { get; init; }

    /// <summary>What is left alone, a thing each.</summary>
    public IReadOnlyList<Refusal> Refusals { get; init; } = [];

    /// <summary>Whether something is still to be repaired; what lives, or what Harbor itself ends, is not.</summary>
    public bool IsSomethingLeft =>
        Refusals.Any(left => !left.IsSettled)
        || Outcomes.GroupBy(outcome => (outcome.Repair.FindingId, outcome.Repair.TaskId))
            .Any(ofOne => DryRun || ofOne.Last().State is not (RepairState.Done or RepairState.NoEffect));

    /// <summary>Of a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="ceiling">How far the settings let repairs go.</param>
    public static ToldRun Of(RepairPlan plan, RemediationMode ceiling) => new()
    {
        Ceiling = ceiling,
        End = plan.IsBlocked ? RunEnd.Blocked : RunEnd.Left,
        Problem = plan.IsBlocked ? string.Join(' ', plan.Blocks.Select(block => block.Text)) : null,
        Blocks = plan.Blocks,
        Outcomes = [.. plan.Repairs.Select(repair => new RepairOutcome(repair, "", null, null))],
        Refusals = plan.Refusals,
    };

    /// <summary>Of a run that came to its end.</summary>
    public static ToldRun Of(RunResult result) => new()
    {
        Run = result.Run,
        DryRun = result.DryRun,
        End = result.End,
        Problem = result.Problem,
        Batches = result.Batches,
        Blocks = result.Plan?.Blocks ?? [],
        // What was planned and held is told too.
        Outcomes = result is { Plan: { IsBlocked: true } held, Outcomes.Count: 0 } ? [.. held.Repairs.Select(repair => new RepairOutcome(repair, "", null, null))] : result.Outcomes,
        Refusals = result.Plan?.Refusals ?? [],
    };
}
