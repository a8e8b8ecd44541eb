namespace HarborScanExporter.Benchmarks;

/// <summary>Memory over many scrapes with everything on, and scrapes at the same time: with the usual 200 open tasks, whose number is what counts.</summary>
/// <param name="native">The published binary.</param>
/// <param name="scrapes">Scrapes in all.</param>
internal sealed class MemoryBenchmark(string native, int scrapes)
{
    /// <summary>Scrapes at the same time.</summary>
    public const int Concurrent = 50;

    /// <summary>Scrapes of a whole run: at two a minute, three days and a half.</summary>
    public const int UsualScrapes = 10_000;

    private const int Tasks = 10_000;

    /// <summary>As long as Harbor's items in the queue are.</summary>
    private const int ItemBytes = 3_000;

    /// <summary>Scrapes until the end of the first look at the memory: the garbage collector takes a while to settle on the size of its heap.</summary>
    public int EarlyScrapes => Math.Max(1, scrapes / 10);

    /// <summary>Scrapes until the end of the second look.</summary>
    public int LateScrapes => scrapes;

    /// <summary>Scrapes of a look, after each of which the memory is measured: collections of garbage take it up and down by a mebibyte.</summary>
    public int LookedAt => Math.Max(1, EarlyScrapes / 2);

    public async Task<MemoryFigures> RunAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        Progress.Say($"everything on: scraping {Progress.Count(scrapes)} times");
        var harbor = await FilledHarbor.CreateAsync(server, "harbor_memory", Tasks);
        await using var redis = await PrivateRedis.StartAsync();
        await redis.FillAsync(await JobServiceBenchmark.WaitingJobsAsync(harbor), ItemBytes);
        using var everything = new EverythingOn(redis);
        await using var exporter = MeasuredExporter.Start(native, harbor, everything.Settings);
        await exporter.CompleteAsync(cancellationToken);
        var (_, _, failedFirst) = await exporter.RepeatAsync(Math.Max(1, EarlyScrapes - LookedAt), cancellationToken);
        var (early, _, failedEarly) = await HighestAsync(exporter, cancellationToken);
        var (times, _, failedBetween) = await exporter.RepeatAsync(Math.Max(1, LateScrapes - EarlyScrapes - LookedAt), cancellationToken);
        var (late, last, failedLate) = await HighestAsync(exporter, cancellationToken);
        Progress.Say($"everything on: {Concurrent} scrapes at the same time");
        var together = await Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => exporter.ScrapeAsync(cancellationToken)));
        var collections = together.Max(scrape => scrape.Text.Sum("harbor_scan_collections_total")) - last.Sum("harbor_scan_collections_total");
        return new MemoryFigures(early, late, times, failedFirst + failedEarly + failedBetween + failedLate, collections, together.Count(scrape => scrape.Text.IsUp));
    }

    private async Task<(long Resident, MetricsText Last, int Failed)> HighestAsync(MeasuredExporter exporter, CancellationToken cancellationToken)
    {
        var (highest, failed) = (0L, 0);
        for (var scrape = 1; ; scrape++)
        {
            var (_, text) = await exporter.ScrapeAsync(cancellationToken);
            if (!text.IsUp) failed++;
            highest = Math.Max(highest, exporter.Use().Resident);
            if (scrape == LookedAt) return (highest, text, failed);
        }
    }
}
