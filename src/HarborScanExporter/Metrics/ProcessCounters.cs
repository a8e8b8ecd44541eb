using HarborScanExporter.Failures;

namespace HarborScanExporter.Metrics;

/// <summary>What this process has done since its start: the only values that outlive a scrape.</summary>
internal sealed class ProcessCounters
{
    public static readonly Family Collections = new("harbor_scan_collections_total", "Collections begun; concurrent scrapes share one.");

    public static readonly Family Failures = new("harbor_scan_collection_failures_total", "Collections that failed in whole or in part, by the first reason.", "reason");

    public static readonly Family Coalesced = new("harbor_scan_scrapes_coalesced_total", "Scrapes that shared the collection of another.");

    public static readonly Family CutShort = new("harbor_scan_scrapes_cut_short_total",
        "Scrapes that asked for less time than the collection they shared took, and were answered with what there was.");

    private readonly long[] _failures = new long[FailureReason.All.Count];
    private long _collections;
    private long _coalesced;
    private long _cutShort;

    public void CollectionBegan() => Interlocked.Increment(ref _collections);

    public void ScrapeCoalesced() => Interlocked.Increment(ref _coalesced);

    public void ScrapeCutShort() => Interlocked.Increment(ref _cutShort);

    public void CollectionFailed(string reason) => Interlocked.Increment(ref _failures[FailureReason.IndexOf(reason)]);

    /// <summary>Writes all counters, those at 0 too.</summary>
    public void Write(Samples samples)
    {
        samples.Add(Collections, Interlocked.Read(ref _collections));
        samples.Add(Coalesced, Interlocked.Read(ref _coalesced));
        samples.Add(CutShort, Interlocked.Read(ref _cutShort));
        foreach (var reason in FailureReason.All) samples.Add(Failures, Interlocked.Read(ref _failures[FailureReason.IndexOf(reason)]), reason);
    }
}
