namespace HarborScanExporter.Benchmarks;

/// <summary>What was measured at one size of Harbor's tables.</summary>
internal sealed record SizeFigures
{
    /// <summary>Tasks, and executions.</summary>
    public required int Tasks { get; init; }

    /// <summary>Pages of the table <c>task</c>, without its indexes.</summary>
    public required long TaskPages { get; init; }

    /// <summary>Pages of the table <c>execution</c>, without its indexes.</summary>
    public required long ExecutionPages { get; init; }

    /// <summary>How long making the rows took.</summary>
    public required TimeSpan Filling { get; init; }

    /// <summary>Starts with warm caches.</summary>
    public required Start Warm { get; init; }

    /// <summary>The start after the server was restarted and the page cache dropped.</summary>
    public required Start Cold { get; init; }

    /// <summary>Whether the page cache could be dropped before it.</summary>
    public required bool WasPageCacheDropped { get; init; }

    /// <summary>Scrapes in the steady state.</summary>
    public required Spread Scrape { get; init; }

    /// <summary>Of these, those that were no success by their own word.</summary>
    public required int Failed { get; init; }

    /// <summary>The server's work for one of them.</summary>
    public required DatabaseWork Work { get; init; }

    /// <summary>Our processor time for one of them.</summary>
    public required TimeSpan Processor { get; init; }

    /// <summary>Resident memory after them, in bytes.</summary>
    public required long Resident { get; init; }

    /// <summary>The last answer.</summary>
    public required MetricsText Text { get; init; }

    public required PlainFigures PostgresExporter { get; init; }

    public required PlainFigures SqlExporter { get; init; }

    /// <summary>Open tasks that the exporter counted, in whatever state.</summary>
    public double OpenCounted => Text.Sum("harbor_scan_stuck_tasks") + Text.Sum("harbor_scan_live_tasks");
}
