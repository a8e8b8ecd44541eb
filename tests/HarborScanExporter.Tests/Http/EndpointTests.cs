using System.Net;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Http;

public sealed class EndpointTests
{
    [Fact]
    public async Task The_landing_page_tells_what_this_is_and_shows_no_secret()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        using var answer = await exporter.Client.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("<h1>Harbor Scan Exporter</h1>", page, StringComparison.Ordinal);
        Assert.Contains("""<a href="metrics">""", page, StringComparison.Ordinal);
        Assert.Contains($"<td><code>HARBOR_DATABASE_USERNAME</code></td><td><code>{harbor.Role}</code></td>", page, StringComparison.Ordinal);
        Assert.Contains("<td><code>HARBOR_SCAN_SETTLE</code></td><td><code>5m</code></td>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", page.Replace("without secrets", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("HARBOR_DATABASE_PASSWORD<", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_are_escaped_on_the_page()
    {
        await using var exporter = await RunningExporter.StartAsync(new Dictionary<string, string>
        {
            ["HARBOR_DATABASE_HOST"] = "<script>alert(1)</script>", ["HARBOR_DATABASE_USERNAME"] = "x", ["HARBOR_SCAN_LISTEN"] = "http://127.0.0.1:0",
        });
        var page = await exporter.Client.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("&lt;script&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/metrics", HttpStatusCode.OK)]
    [InlineData("HEAD", "/metrics", HttpStatusCode.OK)]
    [InlineData("POST", "/metrics", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/healthz", HttpStatusCode.OK)]
    [InlineData("HEAD", "/healthz", HttpStatusCode.OK)]
    [InlineData("GET", "/readyz", HttpStatusCode.OK)]
    [InlineData("DELETE", "/", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/metrics/", HttpStatusCode.OK)]
    [InlineData("GET", "/api/v1/findings", HttpStatusCode.NotFound)]
    public async Task Each_route_answers_its_methods(string method, string path, HttpStatusCode status)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await exporter.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, answer.StatusCode);
        var body = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        if (method == "HEAD") Assert.Empty(body);
        if (method == "GET" && status == HttpStatusCode.OK) Assert.NotEmpty(body);
    }

    [Fact]
    public async Task A_database_that_is_away_makes_the_process_not_ready_and_leaves_it_healthy()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_DATABASE_PORT", $"{Tool.FreePort()}"));
        using var ready = await exporter.Client.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Matches(
            "^not ready \\(connect\\). Check HARBOR_DATABASE_HOST, _PORT, _DBNAME and _SSLMODE, that the server runs, and that its connections are not exhausted. "
            + "\\(Failed to connect to 127.0.0.1:[0-9]+: Connection refused\\)\n$",
            await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("ok\n", await exporter.Client.GetStringAsync(new Uri("/healthz", UriKind.Relative), TestContext.Current.CancellationToken));
    }
}
