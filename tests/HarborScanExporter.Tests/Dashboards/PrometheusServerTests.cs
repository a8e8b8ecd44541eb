using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

public sealed class PrometheusServerTests
{
    [Fact]
    public async Task It_says_how_its_targets_are_and_whom_it_tells()
    {
        await using var target = DashboardTarget.Healthy();
        var address = (await target.StartAsync()).Authority;
        var nobody = $"127.0.0.1:{Tool.FreePort()}";
        await using var prometheus = await PrometheusServer.StartAsync([new ScrapeTarget(address), new ScrapeTarget(nobody)],
            alertmanager: nobody);

        await Eventually.HoldsAsync(
            async () => (await prometheus.TargetsAsync()).Count(one => one.Health != "unknown") == 2, TimeSpan.FromSeconds(10),
            () => prometheus.Log);
        var targets = (await prometheus.TargetsAsync()).ToDictionary(one => one.Address);
        Assert.Equal(("up", ""), (targets[address].Health, targets[address].LastError));
        Assert.Equal("down", targets[nobody].Health);
        Assert.Contains("connection refused", targets[nobody].LastError, StringComparison.Ordinal);
        Assert.Equal([new Uri($"http://{nobody}/api/v2/alerts")], await prometheus.AlertmanagersAsync());
    }

    [Fact]
    public async Task It_answers_scalars_vectors_and_ranges_and_refuses_nonsense()
    {
        await using var target = DashboardTarget.Faulty();
        await using var prometheus = await PrometheusServer.StartAsync([new ScrapeTarget((await target.StartAsync()).Authority)],
            interval: DashboardTarget.ScrapeInterval);
        await prometheus.ScrapedAsync();

        Assert.Equal(42, Assert.Single(await prometheus.QueryAsync("42")).Value);
        Assert.Equal(double.PositiveInfinity, Assert.Single(await prometheus.QueryAsync("vector(1) / 0")).Value);
        var up = Assert.Single(await prometheus.QueryAsync("harbor_scan_up"));
        Assert.Equal((1, "harbor-scan-exporter", ""), (up.Value, up["job"], up["harbor"]));
        var line = Assert.Single(await prometheus.QueryRangeAsync("harbor_scan_up", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(0.5)));
        Assert.All(line.Samples, sample => Assert.Equal(1, sample.Value));
        var refused = await Assert.ThrowsAsync<PrometheusQueryException>(() => prometheus.QueryAsync("sum("));
        Assert.StartsWith("bad_data: ", refused.Message, StringComparison.Ordinal);
    }
}
