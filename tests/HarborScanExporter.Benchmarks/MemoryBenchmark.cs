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

    /// <summary>Scrapes after which the memory is looked at first: the garbage collector takes a while to settle on the size of its heap.</summary>
    public int EarlyScrapes => Math.Max(1, scrapes / 10);

    /// <summary>Scrapes after which it is looked at again.</summary>
    public int LateScrapes => scrapes;

    public async Task<MemoryFigures> RunAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        Progress.Say($"everything on: scraping {Progress.Count(scrapes)} times");
        var harbor = await FilledHarbor.CreateAsync(server, "harbor_memory", Tasks);
        await using var redis = await PrivateRedis.StartAsync();
        await redis.FillAsync(await JobServiceBenchmark.WaitingJobsAsync(harbor), ItemBytes);
        using var everything = new EverythingOn(redis);
        await using var exporter = MeasuredExporter.Start(native, harbor, everything.Settings);
        await exporter.CompleteAsync(cancellationToken);
        var (_, _, failedEarly) = await exporter.RepeatAsync(EarlyScrapes, cancellationToken);
        var early = exporter.Use().Resident;
        var (times, last, failedLate) = await exporter.RepeatAsync(LateScrapes - EarlyScrapes, cancellationToken);
        var late = exporter.Use().Resident;
        Progress.Say($"everything on: {Concurrent} scrapes at the same time");
        var together = await Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => exporter.ScrapeAsync(cancellationToken)));
        var collections = together.Max(scrape => scrape.Text.Sum("harbor_scan_collections_total")) - last.Sum("harbor_scan_collections_total");
        return new MemoryFigures(early, late, times, failedEarly + failedLate, collections, together.Count(scrape => scrape.Text.IsUp));
    }
}
