using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>What a run has done so far. What was committed is told, whatever happens after it.</summary>
/// <param name="run">The run's id.</param>
/// <param name="dryRun">Whether its statements are rolled back.</param>
internal sealed class RunProgress(string run, bool dryRun)
{
    private readonly List<IReadOnlyList<RepairOutcome>> _batches = [];
    private IReadOnlyList<RepairOutcome> _committing = [];
    private RepairPlan? _plan;
    private FindingsReport? _report;

    public string Run => run;

    public bool DryRun => dryRun;

    /// <summary>A batch was planned.</summary>
    public void Planned(RepairPlan plan, FindingsReport report) => (_plan, _report) = (plan, report);

    /// <summary>A batch is about to be committed: until it is, nobody knows whether it was.</summary>
    public void Committing(IReadOnlyList<RepairOutcome> outcomes) => _committing = outcomes;

    /// <summary>A batch was committed, or rolled back as a dry run; what its acts still come to shows in the same list.</summary>
    public void Ended(IReadOnlyList<RepairOutcome> outcomes)
    {
        _committing = [];
        if (outcomes.Count > 0) _batches.Add(outcomes);
    }

    /// <summary>What the run came to.</summary>
    /// <param name="end">Why it came to its end.</param>
    /// <param name="problem">The reason in a sentence; null for a clean end.</param>
    public RunResult Result(RunEnd end, string? problem) => new()
    {
        Run = run,
        DryRun = dryRun,
        End = end,
        Problem = _committing.Count == 0 ? problem
            : $"{problem} Whether {(_committing.Count == 1 ? "the last repair was" : $"the last {Words.Number(_committing.Count)} repairs were")} written is not known here: the audit tells.".TrimStart(),
        Plan = _plan,
        Outcomes = [.. _batches.SelectMany(batch => batch).Select(outcome => dryRun ? outcome with { Audit = null } : outcome)],
        Unconfirmed = _committing,
        Batches = _batches.Count,
        Incomplete = _report?.Incomplete ?? [],
    };
}
