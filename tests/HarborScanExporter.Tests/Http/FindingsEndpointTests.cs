using System.Net;
using System.Text;
using System.Text.Json;
using CsCheck;
using HarborScanExporter.Tests.Http.StatusPage;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Http;

/// <summary>GET of /api/v1/findings against real databases.</summary>
public sealed class FindingsEndpointTests(TroubledNightFixture fixture) : IClassFixture<TroubledNightFixture>
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData("", "task-1,task-2,task-4,task-3,execution-6,system-robots")]
    [InlineData("verdict=lost", "task-1,task-2")]
    [InlineData("verdict=lost,hung", "task-1,task-2,task-4")]
    [InlineData("verdict=unreported&verdict=leaked_robots", "task-3,system-robots")]
    [InlineData("verdict=&type=&project=&page=&page_size=", "task-1,task-2,task-4,task-3,execution-6,system-robots")]
    [InlineData("type=SCAN_ALL", "")]
    [InlineData("type=IMAGE_SCAN", "task-1,task-2,task-4,task-3,execution-6")]
    [InlineData("project=mirror", "task-4,task-3")]
    [InlineData("project=library,payments", "task-1,task-2,task-3")]
    [InlineData("project=none", "")]
    [InlineData("project=mirror&verdict=hung&type=IMAGE_SCAN", "task-4")]
    public async Task A_filter_and_a_page_choose_findings(string query, string expected)
    {
        var night = fixture.Night;
        using var whole = JsonDocument.Parse(await night.Operated.GetAsync($"/api/v1/findings?{query}"));
        string[] ids = expected.Split(',', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(ids.Order(StringComparer.Ordinal), Ids(whole).Order(StringComparer.Ordinal));
        Assert.Equal(ids.Length, whole.RootElement.GetProperty("total").GetInt32());
        // Pages of two make up the whole, in its order.
        List<string> paged = [];
        for (var page = 1; page <= (ids.Length / 2) + 1; page++)
        {
            using var part = JsonDocument.Parse(await night.Operated.GetAsync($"/api/v1/findings?{query.Replace("&page=&page_size=", "", StringComparison.Ordinal)}&page={page}&page_size=2"));
            Assert.Equal((ids.Length, page, 2), (part.RootElement.GetProperty("total").GetInt32(), part.RootElement.GetProperty("page").GetInt32(), part.RootElement.GetProperty("page_size").GetInt32()));
            paged.AddRange(Ids(part));
        }
        Assert.Equal(Ids(whole), paged);
        Assert.Equal("critical", whole.RootElement.GetProperty("state").GetProperty("level").GetString());
        Assert.Equal(81, whole.RootElement.GetProperty("summary").GetProperty("open_tasks").GetInt32());
    }

    [Theory]
    [InlineData("verdict=stuck", "verdict", "verdict: stuck is unknown. Give one of lost, unreported, hung, not_queued, overdue, execution_not_refreshed, ")]
    [InlineData("verdict=lost,LOST", "verdict", "verdict: LOST is unknown. ")]
    [InlineData("type=image_scan", "type", "type: image_scan is unknown. Give one of IMAGE_SCAN, SCAN_ALL, SBOM.")]
    [InlineData("page=0", "page", "page: Give one whole number from 1 on.")]
    [InlineData("page=-1", "page", "page: Give one whole number from 1 on.")]
    [InlineData("page=99999999999", "page", "page: Give one whole number from 1 on.")]
    [InlineData("page=1&page=2", "page", "page: Give one whole number from 1 on.")]
    [InlineData("page_size=0", "page_size", "page_size: Give one whole number from 1 to 500.")]
    [InlineData("page_size=501", "page_size", "page_size: Give one whole number from 1 to 500.")]
    [InlineData("page_size=ten", "page_size", "page_size: Give one whole number from 1 to 500.")]
    [InlineData("verdcit=lost", "verdcit", "verdcit: This route has no such parameter. It takes verdict, type, project, page, page_size.")]
    [InlineData("sort=age", "sort", "sort: This route has no such parameter. ")]
    public async Task A_parameter_that_cannot_be_used_is_named_with_the_mend(string query, string parameter, string detail)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("GET", $"/api/v1/findings?{query}", OperatedHarbor.Bearer());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("Bad Request", 400, parameter), (problem.RootElement.GetProperty("title").GetString(), problem.RootElement.GetProperty("status").GetInt32(), problem.RootElement.GetProperty("parameter").GetString()));
        Assert.StartsWith(detail, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_page_there_can_be_is_empty()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var document = JsonDocument.Parse(await operated.GetAsync("/api/v1/findings?page=2147483647&page_size=500"));
        Assert.Equal((0, int.MaxValue), (document.RootElement.GetProperty("findings").GetArrayLength(), document.RootElement.GetProperty("page").GetInt32()));
        Assert.Equal(("ok", "Scanning works. No scan is open."),
            (document.RootElement.GetProperty("state").GetProperty("level").GetString(), document.RootElement.GetProperty("state").GetProperty("sentence").GetString()));
    }

    [Fact]
    public async Task A_database_that_is_away_is_a_503_that_knows_nothing_and_a_page_that_says_so()
    {
        var port = Tool.FreePort();
        await using var operated = await OperatedHarbor.StartAsync(changes: ("HARBOR_DATABASE_PORT", $"{port}"));
        using var answer = await operated.SendAsync("GET", "/api/v1/findings", OperatedHarbor.Bearer());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/json"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var problem = "Harbor's database could not be read (connect). Check HARBOR_DATABASE_HOST, _PORT, _DBNAME and _SSLMODE, that the server runs, and that its connections are not exhausted. "
            + $"(Failed to connect to 127.0.0.1:{port}: Connection refused)";
        Assert.Equal(("unknown", problem), (document.RootElement.GetProperty("state").GetProperty("level").GetString(), document.RootElement.GetProperty("state").GetProperty("sentence").GetString()));
        Assert.Equal(0, document.RootElement.GetProperty("findings").GetArrayLength());
        Assert.False(document.RootElement.TryGetProperty("generated_at", out _));
        using var page = await operated.SendAsync("GET", "/", OperatedHarbor.Basic());
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var html = WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Contains($"<p id=\"state\" class=\"state unknown\" role=\"status\"><strong>Unknown</strong> <span>{problem}</span></p>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"findings\"", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_query_and_no_header_makes_it_fail()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        string[] paths = ["/", "/status", "/api/v1/findings", "/api/v1/openapi.yaml", "/nothing"];
        string[] names = ["verdict", "type", "project", "page", "page_size", "q", "sort", "refresh", "x", "", "page[]", "%00", "Page"];
        await Gen.Select(Gen.OneOf(paths), Gen.OneOf(names).Array[0, 4], Gen.String[0, 40], Gen.OneOf("Accept", "Cookie", "X-Forwarded-For", "Range", "If-None-Match", "Content-Type", "Expect"))
            .SampleAsync(async (path, parameters, value, header) =>
            {
                var query = string.Join('&', parameters.Select(name => $"{Uri.EscapeDataString(name)}={Escaped(value)}"));
                using var answer = await operated.SendAsync("GET", $"{path}?{query}", OperatedHarbor.Bearer(), request => request.Headers.TryAddWithoutValidation(header, Visible(value)));
                Assert.True((int)answer.StatusCode is 200 or 400 or 404 or 417, $"{path}?{query} with {header}: {value}: {(int)answer.StatusCode}");
            }, iter: 400, threads: 1);
        foreach (var raw in new[] { "?%", "?page=%zz", "?q=%ff%fe", "?q=%00", "?verdict=%u0041", "?" + new string('&', 2000), "?q=" + new string('a', 7000), "?" + string.Join('&', Enumerable.Range(0, 900).Select(i => $"a{i}=1")) })
            foreach (var path in paths)
            {
                var status = await RawAsync(operated.Address, $"GET {path}{raw} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OperatedHarbor.Token}\r\nConnection: close\r\n\r\n");
                Assert.True(status is 200 or 400 or 404 or 414, $"{path}{raw[..Math.Min(40, raw.Length)]}: {status}");
            }
        foreach (var header in new[] { "Basic", "Basic ", "Basic =", "Bearer", "Bearer ", " ", "Basic \u00e9\u00e9", "Basic " + Convert.ToBase64String([0xff, 0xfe, (byte)':', 0xff]), "Bearer a, Bearer b", new string('A', 9000) })
        {
            var status = await RawAsync(operated.Address, $"GET /api/v1/findings HTTP/1.1\r\nHost: x\r\nAuthorization: {header}\r\nConnection: close\r\n\r\n");
            Assert.True(status is 401 or 400, $"Authorization: {header}: {status}");
        }
        Assert.Equal(401, await RawAsync(operated.Address, $"GET /api/v1/findings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OperatedHarbor.Token}\r\nAuthorization: Bearer {OperatedHarbor.Token}\r\nConnection: close\r\n\r\n"));
        Assert.Equal(431, await RawAsync(operated.Address, $"GET / HTTP/1.1\r\nHost: x\r\nX: {new string('a', 40_000)}\r\nConnection: close\r\n\r\n"));
        Assert.Equal(404, await RawAsync(operated.Address, $"GET /\u00e9\u0001 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OperatedHarbor.Token}\r\nConnection: close\r\n\r\n") is 400 or 404 ? 404 : 0);
        Assert.DoesNotContain(operated.Exporter.Warnings, warning => warning.Contains("exception", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task What_rows_hold_breaks_neither_JSON_nor_page()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        const string nasty = """</script><script>alert(1)</script><img src=x onerror=alert(2)>'"&amp;{{7*7}}""";
        var quoted = nasty.Replace("'", "''", StringComparison.Ordinal);
        await seed.ExecuteAsync($"""
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            values (1, 1, 'library/{quoted}' || E'\u202e\u0001\u2028', 'sha256:{quoted}', 'IMAGE', 1, 'm', 'm', 'a');
            insert into scan_report (uuid, digest, registration_uuid, mime_type, report) values ('u1', 'sha256:{quoted}', 's', 'm', null);
            """);
        var execution = await seed.ExecutionAsync(started: 30 * Hour, trigger: "<b>");
        await seed.TaskAsync(execution, created: 30 * Hour, jobId: "<svg/onload=alert(3)>\\\"}", extraAttributes: """{"artifact_id":1,"artifact_tag":"<b>","report_uuids":["u1","<i>"],"robot_id":1}""");
        await using var operated = await OperatedHarbor.StartAsync(harbor);
        using var document = JsonDocument.Parse(await operated.GetAsync("/api/v1/findings"));
        var finding = document.RootElement.GetProperty("findings").EnumerateArray().Single(one => one.GetProperty("kind").GetString() == "task");
        Assert.Equal("<svg/onload=alert(3)>\\\"}", finding.GetProperty("job_id").GetString());
        Assert.Equal($"sha256:{nasty}", finding.GetProperty("blocked").GetProperty("artifacts")[0].GetProperty("digest").GetString());
        foreach (var address in new[] { "/", $"/?q={Uri.EscapeDataString(nasty)}", $"/?project={Uri.EscapeDataString("\"><script>alert(4)</script>")}", $"/?verdict={Uri.EscapeDataString("<script>alert(5)</script>")}" })
        {
            var page = await operated.GetAsync(address);
            Assert.DoesNotContain("alert(", page.Replace("alert(1)&lt;", "", StringComparison.Ordinal).Replace("alert(2)&gt;", "", StringComparison.Ordinal)
                .Replace("alert(3)&gt;", "", StringComparison.Ordinal).Replace("alert(4)&lt;", "", StringComparison.Ordinal).Replace("alert(5)&lt;", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Equal(1, page.Split("<script>").Length - 1);
            Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<svg", page, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Many_pages_at_once_leave_the_scrapes_their_database()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        for (var i = 0; i < 20; i++) await seed.TaskAsync(await seed.ExecutionAsync(started: 30 * Hour), created: 30 * Hour, jobId: $"job-{i}");
        await using var operated = await OperatedHarbor.StartAsync(harbor);
        for (var round = 0; round < 5; round++)
        {
            var pages = Enumerable.Range(0, 30).Select(_ => operated.GetAsync("/")).ToArray();
            Assert.Equal(1, (await operated.Exporter.ScrapeAsync()).Value("harbor_scan_up"));
            Assert.All(await Task.WhenAll(pages), page => Assert.Contains("Of 20 open scans 20 are stuck", page, StringComparison.Ordinal));
        }
        Assert.True((await operated.Exporter.ScrapeAsync()).Value("harbor_scan_collections_total") < 100);
        Assert.DoesNotContain(operated.Exporter.Warnings, warning => !warning.Contains("stuck", StringComparison.Ordinal));
    }

    private static string[] Ids(JsonDocument document) => [.. document.RootElement.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("id").GetString()!)];

    private static string Escaped(string value) => Uri.EscapeDataString(new string([.. value.Where(character => !char.IsSurrogate(character))]));

    private static string Visible(string value) => new([.. value.Where(character => character is > ' ' and < '\x7f')]);

    /// <summary>The status that a request written by hand gets; no client corrects it.</summary>
    private static async Task<int> RawAsync(Uri address, string request)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return int.Parse((await reader.ReadLineAsync())!.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
