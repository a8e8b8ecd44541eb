using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>What was repaired, and what came of it, as the audit holds it: a restart of the exporter loses nothing, and replicas tell the same.</summary>
internal sealed class RemediationCollector : ICollector
{
    public static readonly Family Repairs = new("harbor_scan_remediation_repairs_total",
        "Repairs that were done, by action, as the audit holds them; those without effect and those taken back since are among them.", "action");

    public static readonly Family Failures = new("harbor_scan_remediation_repair_failures_total",
        "Repairs that changed nothing, by action and reason, as the audit holds them.", "action", "reason");

    public static readonly Family Reverted = new("harbor_scan_remediation_reverted_total", "Repairs that were found not to have held, as the audit holds them.");

    public static readonly Family Promoted = new("harbor_scan_remediation_promoted_total",
        "Repairs to Error or Stopped that were made Success because all reports came after all, as the audit holds them.");

    public static readonly Family Undone = new("harbor_scan_remediation_undone_total", "Repairs that a person took back, as the audit holds them.");

    public static readonly Family BreakerOpen = new("harbor_scan_remediation_breaker_open",
        "1 while too many repairs failed or did not hold, which stops all repairs; it closes as they grow older.");

    public static readonly Family OpenIntents = new("harbor_scan_remediation_open_intents",
        "Acts of Harbor's API that were written ahead and whose outcome is not written yet.");

    public static readonly Family LastRun = new("harbor_scan_remediation_last_run_timestamp_seconds",
        "When a run wrote its newest line of the audit; absent when none has.");

    public string Name => CollectorNames.Remediation;

    public string Cost => "reads by index of what the audit has not counted for good yet and of its last three hours, and of its few totals";

    public IReadOnlyList<Family> Families { get; } = [Repairs, Failures, Reverted, Promoted, Undone, BreakerOpen, OpenIntents, LastRun];

    public void Write(HarborObservation seen, Samples samples)
    {
        var (counts, late) = (seen.Audit!.Value.Counts, seen.Audit.Value.OfLate);
        AddRepairs(samples, counts);
        AddFailures(samples, counts);
        samples.Add(Reverted, Lines(counts, count => count.Verification == "reverted"));
        samples.Add(Promoted, Lines(counts, count => count.Verification == "promoted"));
        samples.Add(Undone, Lines(counts, count => count is { Action: "undo", State: "done" }));
        samples.Add(BreakerOpen, Breaker.IsOpen(late.Repaired, late.Failed, late.Reverted) ? 1 : 0);
        samples.Add(OpenIntents, Lines(counts, count => count.State == "intended"));
        samples.AddIfKnown(LastRun, late.NewestRun);
    }

    /// <summary>A state moves on from done and never back to failed, so that the count never falls.</summary>
    private static void AddRepairs(Samples samples, IReadOnlyList<RepairCount> counts)
    {
        foreach (var action in RepairActionWords.All.Select(action => action.Word()))
            samples.Add(Repairs, Lines(counts, count => count.Action == action && count.State is "done" or "no_effect" or "undone"), action);
    }

    /// <summary>Of all products those with 0 that can be; one that was thought impossible is told when it is there.</summary>
    private static void AddFailures(Samples samples, IReadOnlyList<RepairCount> counts)
    {
        var failed = counts.Where(count => count.State == "failed").GroupBy(count => (count.Action, count.Failure))
            .ToDictionary(group => group.Key, group => group.Sum(count => count.Lines));
        var known = RepairActionWords.All.SelectMany(action => RepairFailure.Of(action).Select(reason => (Action: action.Word(), Failure: reason)));
        foreach (var key in known.Union(failed.Keys)) samples.Add(Failures, failed.GetValueOrDefault(key), key.Action, key.Failure);
    }

    private static long Lines(IReadOnlyList<RepairCount> counts, Func<RepairCount, bool> which) => counts.Where(which).Sum(count => count.Lines);
}
