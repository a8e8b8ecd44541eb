using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Metrics;

/// <summary>The duration of a collector is that of the reads it needs, also of those that were made for all before it ran.</summary>
public sealed class CollectorDurationTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData("6h", "task", "tasks", "executions")]
    [InlineData("6h", "execution", "executions", "tasks")]
    [InlineData("0", "task", "tasks", "executions")]
    [InlineData("0", "execution", "executions", "tasks")]
    public async Task A_slow_table_shows_in_the_collectors_that_read_it_and_in_no_other(string interval, string table, string slow, string quick)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: Hour), created: Hour);
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_RECONCILIATION_INTERVAL", interval), ("HARBOR_SCAN_SCRAPE_TIMEOUT", "1m"));
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        await harbor.Database.ExecuteAsync($"alter table {table} enable row level security; create policy slow on {table} using ((select pg_sleep(3)) is not null)");
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.InRange(scrape.Value("harbor_scan_collector_duration_seconds", ("collector", slow)), 3, 60);
        Assert.InRange(scrape.Value("harbor_scan_collector_duration_seconds", ("collector", quick)), 0, 2.9);
        // What rests on both says so.
        Assert.InRange(scrape.Value("harbor_scan_collector_duration_seconds", ("collector", "diagnosis")), 3, 60);
    }
}
