using HarborScanExporter.Metrics.Collectors;

namespace HarborScanExporter.Metrics;

/// <summary>The families that tell of the scrape itself, and the list of all there are.</summary>
internal static class ScrapeFamilies
{
    public static readonly Family Up = new("harbor_scan_up", "1 when this collection reached the database and every enabled collector of it succeeded; Redis has harbor_scan_jobservice_up.");

    public static readonly Family CollectorSuccess = new("harbor_scan_collector_success", "1 when the collector succeeded in this collection; its families are absent when not.", "collector");

    public static readonly Family CollectorDuration = new("harbor_scan_collector_duration_seconds", "How long the collector and the reads it needed took in this collection, those it shares with others included in each; of one that reads whole tables, in the newest reconciliation. Absent when it did not run.", "collector");

    public static readonly Family BuildInfo = new("harbor_scan_build_info", "This program.", "version", "revision", "runtime");

    /// <summary>Every family this program can write, without those of <see cref="ProcessUse"/>.</summary>
    public static IReadOnlyList<Family> All { get; } =
    [
        Up,
        .. CollectorSet.All([]).SelectMany(collector => collector.Families).Distinct(),
        CollectorSuccess, CollectorDuration,
        ProcessCounters.Collections, ProcessCounters.Failures, ProcessCounters.Coalesced, ProcessCounters.CutShort,
        .. RemediationCounters.Families,
        .. ScanCounters.Families,
        .. ReconciliationFamilies.All,
        BuildInfo,
    ];
}
