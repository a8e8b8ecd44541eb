namespace HarborScanExporter.Scraping;

/// <summary>The families that tell of what is remembered between scrapes, and of the full readings that it is compared with.</summary>
internal static class ReconciliationFamilies
{
    public static readonly Family Timestamp = new("harbor_scan_reconciliation_timestamp_seconds", "When the newest full reading of Harbor's tables that ended well was made; absent until one has.");

    public static readonly Family Duration = new("harbor_scan_reconciliation_duration_seconds", "How long the newest full reading that ended well took; absent until one has.");

    public static readonly Family Reconciliations = new("harbor_scan_reconciliations_total", "Full readings of Harbor's tables begun by this process.");

    public static readonly Family Failures = new("harbor_scan_reconciliation_failures_total", "Full readings that failed, by reason.", "reason");

    public static readonly Family Drift = new("harbor_scan_reconciliation_drift_total", "Open rows that full readings found and the scrapes before did not know; what Harbor itself does leaves none.", "table");

    public static readonly Family WatchedRows = new("harbor_scan_watched_rows", "Rows whose ids are remembered: open ones, and finished ones that Harbor may still open again.", "table", "kind");

    public static readonly Family RowsRead = new("harbor_scan_scrape_rows_read", "Rows of the table that this collection's own statements read, by the server's count.", "table");

    public static readonly Family WholeReads = new("harbor_scan_scrape_whole_reads", "How often this collection's own statements read the table as a whole, by the server's count; 0 is right.", "table");

    /// <summary>Every family of it.</summary>
    public static IReadOnlyList<Family> All { get; } = [Timestamp, Duration, Reconciliations, Failures, Drift, WatchedRows, RowsRead, WholeReads];
}
