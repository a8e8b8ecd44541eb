using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Scraping;

public sealed class ScrapeTests
{
    [Fact]
    public async Task An_empty_Harbor_has_every_closed_set_at_zero()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal("", string.Join(Environment.NewLine, exporter.Warnings));
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.Equal(21, scrape.Series.Keys.Count(series => series.StartsWith("harbor_scan_tasks{", StringComparison.Ordinal)));
        Assert.InRange(scrape.Series.Count, 200, 499);
    }
}
