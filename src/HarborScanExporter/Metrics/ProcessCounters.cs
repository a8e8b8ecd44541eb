using HarborScanExporter.Failures;
using HarborScanExporter.Observation;

namespace HarborScanExporter.Metrics;

/// <summary>What this process has done since its start: the only values that outlive a scrape.</summary>
internal static class ProcessCounters
{
    public static readonly Family Collections = new("harbor_scan_collections_total", "Collections begun; concurrent scrapes share one.");

    public static readonly Family Failures = new("harbor_scan_collection_failures_total", "Collections that failed in whole or in part, by the first reason.", "reason");

    public static readonly Family Coalesced = new("harbor_scan_scrapes_coalesced_total", "Scrapes that shared the collection of another.");

    public static readonly Family CutShort = new("harbor_scan_scrapes_cut_short_total",
        "Scrapes that asked for less time than the collection they shared took, and were answered with what there was.");

    /// <summary>Writes all counters, those at 0 too.</summary>
    public static void Write(ObservationCounts counts, Samples samples)
    {
        samples.Add(Collections, counts.Begun);
        samples.Add(Coalesced, counts.Shared);
        samples.Add(CutShort, counts.CutShort);
        foreach (var reason in FailureReason.All) samples.Add(Failures, counts.Failed(reason), reason);
    }
}
