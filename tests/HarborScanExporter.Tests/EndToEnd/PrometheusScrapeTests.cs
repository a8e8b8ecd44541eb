using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Tests.Dashboards;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>An exporter over a Harbor with every fault, and a real Prometheus that has scraped it.</summary>
public sealed class ScrapedExporter : IAsyncLifetime
{
    private TestHarbor? _harbor;
    private RedisServer? _redis;
    private RunningExporter? _exporter;
    private PrometheusServer? _prometheus;

    internal RunningExporter Exporter => _exporter ?? throw new InvalidOperationException("Not started.");

    internal PrometheusServer Prometheus => _prometheus ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync()
    {
        _harbor = await TestHarbor.CreateAsync();
        _redis = await RedisServer.StartAsync();
        await ScanSituation.FaultyAsync(_harbor, _redis);
        var time = new FakeTimeProvider();
        _exporter = await RunningExporter.StartAsync(
            _harbor.RemediationEnvironment(("HARBOR_SCAN_COLLECTORS_ENABLED", "sweepable,orphan_reports"), ("HARBOR_REDIS_URL", _redis.Url), ("HARBOR_SCAN_RECONCILIATION_INTERVAL", "1d")), time);
        var counters = Exporter.Services.GetRequiredService<ScanCounters>();
        counters.Finished(ScanType.ImageScan, ScanStatus.Success, 20.5);
        counters.Finished(ScanType.ImageScan, ScanStatus.Success, 70);
        counters.Finished(ScanType.ImageScan, ScanStatus.Error, 200_000);
        // The first collection connects and compiles, and is the first of two looks.
        await Exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        _prometheus = await PrometheusServer.StartAsync([new ScrapeTarget(Exporter.Address.Authority)], interval: TimeSpan.FromSeconds(2));
        await Prometheus.ScrapedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_prometheus is not null) await _prometheus.DisposeAsync();
        if (_exporter is not null) await _exporter.DisposeAsync();
        if (_harbor is not null) await _harbor.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
    }
}

/// <summary>What a real Prometheus makes of /metrics, and what HTTP clients get.</summary>
public sealed class PrometheusScrapeTests(ScrapedExporter scraped) : IClassFixture<ScrapedExporter>
{
    private const string OpenMetrics = "application/openmetrics-text";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As Prometheus 2.42 asks.</summary>
    private const string AsPrometheusAsks =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

    [Fact]
    public async Task The_target_is_healthy_and_shows_that_the_database_is_seen()
    {
        var target = Assert.Single(await scraped.Prometheus.TargetsAsync());
        Assert.Equal(("up", ""), (target.Health, target.LastError));
        Assert.Equal(1, Assert.Single(await scraped.Prometheus.QueryAsync("harbor_scan_up")).Value);
        Assert.Equal(9, Assert.Single(await scraped.Prometheus.QueryAsync("sum(harbor_scan_stuck_tasks)")).Value);
    }

    [Fact]
    public async Task Prometheus_takes_every_series_of_a_text_scrape()
    {
        var text = await scraped.Exporter.ScrapeAsync();
        Assert.True(text.Series.Count > 200);
        Assert.Equal(text.Series.Count, Assert.Single(await scraped.Prometheus.QueryAsync("scrape_samples_scraped")).Value);
        Assert.Equal(text.Series.Count, Assert.Single(await scraped.Prometheus.QueryAsync("scrape_samples_post_metric_relabeling")).Value);
        var own = text.Series.Keys.Count(series => series.StartsWith("harbor_scan_", StringComparison.Ordinal));
        Assert.Equal(own, Assert.Single(await scraped.Prometheus.QueryAsync("""count({__name__=~"harbor_scan_.+"})""")).Value);
    }

    [Fact]
    public async Task Prometheus_negotiates_OpenMetrics_and_knows_the_type_of_every_family()
    {
        using var http = new HttpClient { BaseAddress = scraped.Prometheus.Address };
        var answer = JsonNode.Parse(await http.GetStringAsync(new Uri("api/v1/targets/metadata?limit=1000", UriKind.Relative), Token))!;
        var types = answer["data"]!.AsArray().ToDictionary(one => one!["metric"]!.GetValue<string>(), one => one!["type"]!.GetValue<string>(), StringComparer.Ordinal);
        // OpenMetrics names the family of a counter without _total; the text format names it with.
        var expected = ScrapeFamilies.All.ToDictionary(
            family => family.Type == FamilyType.Counter ? family.Name[..^"_total".Length] : family.Name, family => family.Type.ToString().ToLowerInvariant(), StringComparer.Ordinal);
        Assert.Equal(3, expected.Count(family => family.Value == "histogram"));
        Assert.Equal(18, expected.Count(family => family.Value == "counter"));
        Assert.Equal(expected.Order(Comparer<KeyValuePair<string, string>>.Create((left, right) => string.CompareOrdinal(left.Key, right.Key))),
            types.Where(type => type.Key.StartsWith("harbor_scan_", StringComparison.Ordinal))
                .Order(Comparer<KeyValuePair<string, string>>.Create((left, right) => string.CompareOrdinal(left.Key, right.Key))));
    }

    [Fact]
    public async Task Prometheus_takes_the_buckets_the_count_and_the_sum_of_a_histogram()
    {
        const string Series = """{type="IMAGE_SCAN"}""";
        var buckets = await scraped.Prometheus.QueryAsync($"harbor_scan_task_duration_seconds_bucket{Series}");
        Assert.Equal(
            ScanCounters.TaskDuration.Buckets.Append(double.PositiveInfinity).Select(bound => (bound, bound switch { < 30 => 0.0, < 120 => 1, < 1e6 => 2, _ => 3 })),
            buckets.Select(bucket => (bucket["le"] == "+Inf" ? double.PositiveInfinity : double.Parse(bucket["le"], CultureInfo.InvariantCulture), bucket.Value)).Order());
        Assert.Equal(3, Assert.Single(await scraped.Prometheus.QueryAsync($"harbor_scan_task_duration_seconds_count{Series}")).Value);
        Assert.Equal(200_090.5, Assert.Single(await scraped.Prometheus.QueryAsync($"harbor_scan_task_duration_seconds_sum{Series}")).Value);
        // Half of three lies in the middle of the bucket from 60 to 120.
        var median = Assert.Single(await scraped.Prometheus.QueryAsync($"histogram_quantile(0.5, harbor_scan_task_duration_seconds_bucket{Series})"));
        Assert.Equal(90, median.Value);
    }

    /// <summary>Requests have traces, and the library makes an example of them wherever something is observed.</summary>
    [Fact]
    public async Task No_scrape_is_an_example_of_a_scan()
    {
        using var response = await SendAsync(HttpMethod.Get, AsPrometheusAsks);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.Contains("harbor_scan_task_duration_seconds_bucket{type=\"IMAGE_SCAN\",le=\"30.0\"} 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("trace_id", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AsPrometheusAsks)]
    [InlineData("application/openmetrics-text; version=1.0.0; charset=utf-8")]
    public async Task Who_asks_for_OpenMetrics_gets_one_document_with_one_end(string accept)
    {
        using var response = await SendAsync(HttpMethod.Get, accept);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal((OpenMetrics, "utf-8"), (response.Content.Headers.ContentType!.MediaType, response.Content.Headers.ContentType.CharSet));
        Assert.Contains("version=1.0.0", response.Content.Headers.ContentType.ToString(), StringComparison.Ordinal);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.Equal(1, text.Split('\n').Count(line => line == "# EOF"));
        Assert.EndsWith("# EOF\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE harbor_scan_collections counter\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/plain; version=0.0.4")]
    [InlineData("*/*")]
    [InlineData(null)]
    public async Task Who_asks_for_text_gets_text(string? accept)
    {
        using var response = await SendAsync(HttpMethod.Get, accept);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("version=0.0.4", response.Content.Headers.ContentType.ToString(), StringComparison.Ordinal);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.DoesNotContain("# EOF", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE harbor_scan_collections_total counter\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AsPrometheusAsks, OpenMetrics)]
    [InlineData("text/plain", "text/plain")]
    public async Task HEAD_answers_as_GET_without_a_body(string accept, string type)
    {
        using var response = await SendAsync(HttpMethod.Head, accept);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Token));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Other_methods_are_refused(string method)
    {
        using var response = await SendAsync(new HttpMethod(method), null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow.Order(StringComparer.Ordinal));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string? accept)
    {
        using var request = new HttpRequestMessage(method, "/metrics");
        if (accept is not null) Assert.True(request.Headers.TryAddWithoutValidation("Accept", accept));
        return await scraped.Exporter.Client.SendAsync(request, Token);
    }
}
