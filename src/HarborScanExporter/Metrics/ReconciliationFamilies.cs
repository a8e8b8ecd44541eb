using HarborScanExporter.Observation;

namespace HarborScanExporter.Metrics;

/// <summary>What is told of the reconciliations, and of what a scrape reads between them. Absent where every scrape reads the whole tables.</summary>
internal static class ReconciliationFamilies
{
    public static readonly Family Timestamp = new("harbor_scan_reconciliation_timestamp_seconds",
        "The database's clock when the whole tables were last read; absent before the first time.");

    public static readonly Family Duration = new("harbor_scan_reconciliation_duration_seconds", "How long the last read of the whole tables took.");

    public static readonly Family Total = new("harbor_scan_reconciliations_total", "Reads of the whole tables that came to their end.");

    public static readonly Family Failures = new("harbor_scan_reconciliation_failures_total", "Reads of the whole tables that failed, by reason.", "reason");

    public static readonly Family Drift = new("harbor_scan_reconciliation_drift_total",
        "Open rows that a read of the whole tables found and the scrapes before it did not know. Stays 0 for all that Harbor itself does.", "table");

    public static readonly Family Watched = new("harbor_scan_watched_rows",
        "Rows that each scrape reads again by primary key: those open, and those finished lately, which Harbor may bring to life again.", "table", "row");

    public static readonly Family RowsRead = new("harbor_scan_scrape_rows_read", "Rows that the statements of this scrape fetched from the table, as the server counts.", "table");

    public static readonly Family WholeReads = new("harbor_scan_scrape_whole_reads",
        "How often the statements of this scrape read the table from end to end, as the server counts; 0 unless an index is missing or not used.", "table");

    /// <summary>Every family.</summary>
    public static IReadOnlyList<Family> All { get; } = [Timestamp, Duration, Total, Failures, Drift, Watched, RowsRead, WholeReads];

    /// <summary>Writes what the reconciliation has done by now.</summary>
    public static void Write(ReconciliationState state, Samples samples)
    {
        samples.AddIfKnown(Timestamp, state.Now);
        samples.AddIfKnown(Duration, state.Seconds);
        samples.Add(Total, state.Total);
        foreach (var (reason, count) in state.Failures) samples.Add(Failures, count, reason);
        samples.Add(Drift, state.TaskDrift, "task");
        samples.Add(Drift, state.ExecutionDrift, "execution");
        if (state.Watched is not { } watched) return;
        samples.Add(Watched, watched.OpenTasks, "task", "open");
        samples.Add(Watched, watched.FinishedTasks, "task", "finished");
        samples.Add(Watched, watched.OpenExecutions, "execution", "open");
        samples.Add(Watched, watched.FinishedExecutions, "execution", "finished");
    }
}
