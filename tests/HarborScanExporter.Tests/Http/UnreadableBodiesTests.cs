using System.Net;
using System.Net.Sockets;
using System.Text;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Logging;

namespace HarborScanExporter.Tests.Http;

/// <summary>Bodies that cannot be read, and members, parameters and headers that are given twice: the sender's fault, said so and never logged.</summary>
public sealed class UnreadableBodiesTests
{
    private static readonly string[] Broken =
    [
        "FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", "80000000\r\n{}\r\n0\r\n\r\n", "7FFFFFFFFFFFFFFF\r\n{}\r\n", "-1\r\n{}\r\n0\r\n\r\n",
        "2;" + new string('x', 9000) + "\r\n{}\r\n0\r\n\r\n", "zz\r\n", "\r\n\r\n", "2\r\n{}xx0\r\n\r\n", "1\n{\n",
    ];

    private static readonly string[] Paths = ["/api/v1/alerts", "/api/v1/repairs", "/api/v1/repairs/7/undo", "/api/v1/plan", "/metrics", "/healthz"];

    [Fact]
    public async Task A_body_whose_chunks_cannot_be_read_is_a_400_and_nothing_is_logged()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        List<string> wrong = [];
        foreach (var (body, path) in Broken.SelectMany(body => Paths.Select(path => (body, path))))
        {
            var isOperations = path.StartsWith("/api", StringComparison.Ordinal);
            foreach (var token in isOperations ? new[] { OperatedHarbor.Token, "wrong" } : [""])
            {
                var line = await AnswerAsync(isOperations ? operated.Address : operated.Exporter.Address, isOperations && path != "/api/v1/plan" ? "POST" : "GET", path,
                    $"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked", body);
                // What needs no body may be answered before it is read.
                if (line.Length > 0 && !line.StartsWith("HTTP/1.1 4", StringComparison.Ordinal) && !(path is "/api/v1/plan" or "/metrics" or "/healthz" && line == "HTTP/1.1 200 OK"))
                    wrong.Add($"{path} {token} {body[..Math.Min(20, body.Length)]}: {line}");
            }
        }
        Assert.Empty(wrong);
        Assert.DoesNotContain(operated.Exporter.Logs.GetSnapshot(), record => record.Level >= LogLevel.Error || record.Exception is not null);
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFFF")]
    [InlineData("FFFFFFFF")]
    [InlineData("-1")]
    public async Task The_refusal_of_a_chunk_says_what_is_wrong(string size)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        foreach (var path in new[] { "/api/v1/alerts", "/api/v1/repairs", "/api/v1/repairs/7/undo" })
        {
            var answer = await AnswerAsync(operated.Address, "POST", path, $"Authorization: Bearer {OperatedHarbor.Token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked",
                $"{size}\r\n{{}}\r\n0\r\n\r\n", whole: true);
            Assert.StartsWith("HTTP/1.1 400 Bad Request", answer, StringComparison.Ordinal);
            Assert.Contains("The body did not come in whole.", answer, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/api/v1/repairs", """{"mode":"dry-run","mode":"execute"}""", "mode")]
    [InlineData("/api/v1/repairs", """{"mode":"execute","\u006dode":"dry-run"}""", "mode")]
    [InlineData("/api/v1/repairs", """{"mode":"dry-run","filter":{"verdict":"lost","verdict":null}}""", "filter.verdict")]
    [InlineData("/api/v1/repairs/7/undo", """{"note":"a","actor":"b","note":"c"}""", "note")]
    [InlineData("/api/v1/alerts", """{"version":"5","version":"4","alerts":[]}""", "version")]
    [InlineData("/api/v1/alerts", """{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"Watchdog"}},{"status":"firing","labels":{"alertname":"Watchdog","alertname":"HarborScanLost"}}]}""", "alerts[1].labels.alertname")]
    [InlineData("/api/v1/alerts", """{"version":"4","alerts":[{"labels":{"type":"a","type":"a"}}]}""", "alerts[0].labels.type")]
    [InlineData("/api/v1/alerts", """{"version":"4","alerts":[],"unknown":[[{"a":1,"a":1}]]}""", "unknown[0][0].a")]
    [InlineData("/api/v1/alerts", """{"version":"4","alerts":[],"commonLabels":{"alertname":"a"},"commonLabels":{"alertname":"b"}}""", "commonLabels")]
    public async Task A_member_that_is_given_twice_is_refused_by_its_name(string path, string body, string name)
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        var task = await repairs.LoseScanAsync();
        var (status, problem) = await repairs.PostAsync(path, body);
        Assert.Equal((HttpStatusCode.BadRequest, $"{name}: The member is given more than once. Give it once.", name),
            (status, problem.GetProperty("detail").GetString(), problem.TryGetProperty("parameter", out var parameter) ? parameter.GetString() : null));
        Assert.Equal(("Pending 0", ""), (await repairs.TaskAsync(task), await repairs.AuditAsync()));
    }

    [Theory]
    [InlineData("/api/v1/findings?page=1&page=1", "page")]
    [InlineData("/api/v1/findings?page_size=7&page_size=8", "page_size")]
    [InlineData("/api/v1/repairs?state=done&state=done", "state")]
    [InlineData("/api/v1/repairs?action=undo&action=finish_task", "action")]
    [InlineData("/api/v1/repairs?task=1&task=1", "task")]
    [InlineData("/status?q=a&q=b", "q")]
    [InlineData("/status?sort=oldest&sort=oldest", "sort")]
    [InlineData("/status?refresh=0&refresh=0", "refresh")]
    public async Task A_parameter_of_one_value_that_is_given_twice_is_refused_by_its_name(string path, string name)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("GET", path, OperatedHarbor.Bearer());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains(path.StartsWith("/status", StringComparison.Ordinal) ? $"<code>{name}</code>:" : $"\"parameter\":\"{name}\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/findings?verdict=lost&verdict=hung&project=a&project=b")]
    public async Task A_parameter_of_many_values_may_be_repeated(string path)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("GET", path, OperatedHarbor.Bearer());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 2", "401")]
    [InlineData("Authorization: Bearer {token}\r\nAuthorization: Basic eDp5\r\nContent-Type: application/json\r\nContent-Length: 2", "401")]
    [InlineData("Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2", "415")]
    [InlineData("Authorization: Bearer {token}\r\nContent-Type: application/json\r\nHost: y\r\nContent-Length: 2", "400")]
    [InlineData("Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked", "400")]
    [InlineData("Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 2", "400")]
    public async Task A_header_that_is_given_twice_is_refused(string headers, string status)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var line = await AnswerAsync(operated.Address, "POST", "/api/v1/alerts", headers.Replace("{token}", OperatedHarbor.Token, StringComparison.Ordinal), "{}");
        Assert.StartsWith($"HTTP/1.1 {status} ", line, StringComparison.Ordinal);
    }

    /// <summary>The first line of an answer, or all of it; empty when the connection was closed without one.</summary>
    private static async Task<string> AnswerAsync(Uri address, string method, string path, string headers, string body, bool whole = false)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n\r\n{body}"), TestContext.Current.CancellationToken);
        try
        {
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return whole ? await reader.ReadToEndAsync(TestContext.Current.CancellationToken) : await reader.ReadLineAsync(TestContext.Current.CancellationToken) ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
