using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Rules about each query; that it is valid PromQL is asked of promtool.</summary>
internal static class QueryRules
{
    private static readonly HashSet<string> CounterFunctions = new(["rate", "irate", "increase"], StringComparer.Ordinal);

    public static IEnumerable<string> SelectsTheJob(Dashboard dashboard) => HasMatcher(dashboard, "job=~\"$job\"");

    public static IEnumerable<string> SelectsTheInstance(Dashboard dashboard) => HasMatcher(dashboard, "instance=~\"$instance\"");

    public static IEnumerable<string> SelectsTheHarbor(Dashboard dashboard) => HasMatcher(dashboard, "harbor=~\"$harbor\"");

    /// <summary>Any other range is too short for some scrape interval or too long for some zoom.</summary>
    public static IEnumerable<string> RatesOverTheRateInterval(Dashboard dashboard)
    {
        foreach (var (target, expression) in Expressions(dashboard))
        {
            foreach (var selector in expression.Selectors.Where(selector => Rated(selector.Calls) && selector.Range != "$__rate_interval"))
                yield return $"{target}: {selector.Metric}[{selector.Range}]";
            foreach (var subquery in expression.Subqueries.Where(subquery => Rated(subquery.Calls)))
                yield return $"{target}: a rate over [{subquery.Range}]";
        }
    }

    public static IEnumerable<string> RatesNoGauge(Dashboard dashboard) =>
        Selectors(dashboard).Where(one => one.Selector.Calls.Any(call => CounterFunctions.Contains(call.Name)) && !IsCounter(one.Selector))
            .Select(one => $"{one.Target}: {one.Selector.Metric} is no counter");

    public static IEnumerable<string> RatesEveryCounter(Dashboard dashboard) =>
        Selectors(dashboard).Where(one => IsCounter(one.Selector) && !Rated(one.Selector.Calls))
            .Select(one => $"{one.Target}: {one.Selector.Metric} is a counter and shown as it is");

    /// <summary>Replicas of the exporter read the same rows: they are merged before anything is added up.</summary>
    public static IEnumerable<string> AddsUpNothingOverReplicas(Dashboard dashboard) =>
        Selectors(dashboard).Where(one => AddsUpReplicas(one.Selector.Calls))
            .Select(one => $"{one.Target}: {one.Selector.Metric} is added up over replicas");

    /// <summary>Harbor's rows are shown once, however many replicas read them; what a replica says of itself is shown by replica.</summary>
    public static IEnumerable<string> MergesReplicasOrShowsEach(Dashboard dashboard)
    {
        string[] ofAReplica = ["harbor_scan_up", "harbor_scan_build_info", "harbor_scan_collections_total",
            "harbor_scan_collection_failures_total", "harbor_scan_scrapes_coalesced_total", "harbor_scan_remediation_requests_total",
            "harbor_scan_remediation_requests_rejected_total", "harbor_scan_remediation_skipped_total", "harbor_scan_remediation_audit_failures_total"];
        return Selectors(dashboard)
            .Where(one => one.Selector.Metric.StartsWith("harbor_scan_", StringComparison.Ordinal)
                && !ofAReplica.Contains(one.Selector.Metric))
            .Where(one => !one.Selector.Calls.Any(call => call.MergesReplicas))
            .Select(one => $"{one.Target}: {one.Selector.Metric} is not merged over replicas");
    }

    public static IEnumerable<(Target Target, PromQlSelector Selector)> Selectors(Dashboard dashboard) =>
        Expressions(dashboard).SelectMany(one => one.Expression.Selectors.Select(selector => (one.Target, selector)));

    private static IEnumerable<(Target Target, PromQl Expression)> Expressions(Dashboard dashboard) =>
        dashboard.Panels.SelectMany(panel => panel.Targets).Select(target => (target, PromQl.Read(target.Expression)));

    private static IEnumerable<string> HasMatcher(Dashboard dashboard, string matcher) =>
        Selectors(dashboard).Where(one => !one.Selector.Matchers.Contains(matcher))
            .Select(one => $"{one.Target}: {one.Selector.Metric} without {matcher}");

    private static bool IsCounter(PromQlSelector selector) => SeriesNames.Rises(selector.Metric);

    private static bool Rated(IReadOnlyList<PromQlCall> calls) => calls.Count > 0 && CounterFunctions.Contains(calls[^1].Name);

    private static bool AddsUpReplicas(IReadOnlyList<PromQlCall> calls)
    {
        var merged = calls.ToList().FindLastIndex(call => call.MergesReplicas);
        return calls.Skip(merged + 1).Any(call => call.AddsUp);
    }
}
