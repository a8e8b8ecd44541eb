using System.Net.Sockets;
using System.Text;
using HarborScanExporter.Http;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>No other test allocates meanwhile.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Bodies, headers and sizes that nobody should send: no 5xx, no allocation without bound, and never an effect.</summary>
[Collection(nameof(Alone))]
public sealed class HostileRequestsTests(ITestOutputHelper output)
{
    private const int Requests = 10_000;
    private const int Seed = 20260921;
    private const long Mebibyte = 1024 * 1024;

    /// <summary>More than enough for a body of 1 MiB and what is read from it.</summary>
    private const long MostOfOne = 64 * Mebibyte;

    private static readonly string[] Paths = ["/api/v1/alerts", "/api/v1/repairs", "/api/v1/repairs/1/undo", "/api/v1/repairs/99999999999999999999/undo", "/api/v1/repairs/%00/undo", "/api/v1/plan"];

    private static readonly string[] Types =
        ["application/json", "application/json;charset=utf-16", "APPLICATION/JSON", "application/problem+json", "text/json", "application/json, application/json", "a/b/c", "", "multipart/form-data; boundary=x"];

    [Fact]
    public async Task Ten_thousand_hostile_requests_get_no_5xx_and_change_nothing()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time, (Setting.Names.Remediation, "dry-run"));
        var task = await repairs.LoseScanAsync();
        var random = new Random(Seed);
        SortedDictionary<int, int> statuses = [];
        List<string> wrong = [];
        var before = GC.GetTotalAllocatedBytes();
        for (var i = 0; i < Requests; i++)
        {
            var (method, path, body) = (random.Next(8) == 0 ? "PUT" : "POST", Paths[random.Next(Paths.Length)], Body(random));
            if (random.Next(10) == 0) (method, path) = ("GET", $"/api/v1/repairs?{Query(random)}");
            try
            {
                using var answer = await repairs.Operated.SendAsync(method, path, OperatedHarbor.Bearer(), request => Fill(request, body, random));
                var status = (int)answer.StatusCode;
                statuses[status] = statuses.GetValueOrDefault(status) + 1;
                if (status >= 500) wrong.Add($"{method} {path}: {status} to {Encoding.UTF8.GetString(body)[..Math.Min(body.Length, 300)]}");
            }
            catch (HttpRequestException)
            {
                // A refusal that comes before the body was read ends the connection, in which the client may still be sending.
                statuses[0] = statuses.GetValueOrDefault(0) + 1;
            }
            // So that the rate refuses none.
            time.Advance(TimeSpan.FromSeconds(1));
        }
        var allocated = GC.GetTotalAllocatedBytes() - before;
        output.WriteLine($"{Requests} requests with seed {Seed}: {string.Join(", ", statuses.Select(status => $"{status.Value} x {status.Key}"))}; {allocated / Requests} bytes allocated for each, those of the client among them.");
        Assert.Empty(wrong);
        Assert.InRange(statuses.GetValueOrDefault(0), 0, 20);
        Assert.Equal(("Pending 0", ""), (await repairs.TaskAsync(task), await repairs.AuditAsync()));
        Assert.True(statuses.GetValueOrDefault(202) > 20 && statuses.GetValueOrDefault(400) > 1000 && statuses.GetValueOrDefault(415) > 500, "The generator reaches too little.");
        Assert.InRange(allocated / Requests, 0, Mebibyte);
    }

    [Theory]
    [InlineData("/api/v1/alerts", AlertsEndpoint.MostBodyBytes)]
    [InlineData("/api/v1/repairs", OperationsRoute.LeastBodyBytes)]
    [InlineData("/api/v1/repairs/1/undo", OperationsRoute.LeastBodyBytes)]
    public async Task A_gibibyte_in_chunks_is_cut_at_the_limit_of_the_route(string path, long most)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var before = GC.GetTotalAllocatedBytes();
        using var client = new TcpClient();
        await client.ConnectAsync(operated.Address.Host, operated.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OperatedHarbor.Token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"), TestContext.Current.CancellationToken);
        var sent = await SendChunksAsync(stream, 1024 * Mebibyte);
        var answer = await FirstLineAsync(stream);
        var allocated = GC.GetTotalAllocatedBytes() - before;
        output.WriteLine($"{path}: cut after {sent} bytes; {allocated} bytes allocated.");
        // What is on its way is received and thrown away: the buffers of both ends.
        Assert.InRange(sent, most, most + (16 * Mebibyte));
        Assert.InRange(allocated, 0, MostOfOne);
        if (answer.Length > 0) Assert.Equal("HTTP/1.1 413 Content Too Large", answer.Replace("Payload", "Content", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{\"version\":\"4\",\"alerts\":[", "{},", "{}]}", 202)]
    [InlineData("{\"version\":\"4\",\"alerts\":[", "{\"status\":\"firing\",\"labels\":{\"alertname\":\"x\"}},", "{}]}", 202)]
    [InlineData("{\"version\":\"4\",\"alerts\":[],\"x\":\"", "\\u2603", "\"}", 202)]
    [InlineData("{\"version\":\"4\",\"alerts\":[],\"x\":", "[", "", 400)]
    [InlineData("{\"version\":\"4\",\"alerts\":[],\"", "long", "\":1}", 202)]
    [InlineData("{\"version\":\"", "4", "\"}", 400)]
    [InlineData("{\"version\":\"4\",\"truncatedAlerts\":", "9", "}", 400)]
    [InlineData("", " ", "", 400)]
    public async Task A_mebibyte_of_anything_takes_bounded_memory(string begin, string repeated, string end, int status)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var body = Encoding.UTF8.GetBytes(begin + string.Concat(Enumerable.Repeat(repeated, ((int)Mebibyte - 100) / repeated.Length)) + end);
        var before = GC.GetTotalAllocatedBytes();
        using var answer = await operated.SendAsync("POST", "/api/v1/alerts", OperatedHarbor.Bearer(), request =>
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new("application/json");
        });
        var allocated = GC.GetTotalAllocatedBytes() - before;
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        output.WriteLine($"{answer.StatusCode}: {allocated} bytes allocated; {text}");
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.InRange(text.Length, 1, 1000);
        Assert.InRange(allocated, 0, MostOfOne);
    }

    [Fact]
    public async Task A_body_of_one_byte_too_many_is_a_413_and_one_byte_less_is_read()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        foreach (var (size, status) in new[] { (AlertsEndpoint.MostBodyBytes, 202), (AlertsEndpoint.MostBodyBytes + 1, 413) })
        {
            var body = Notification.Of("HarborScanLost");
            using var answer = await operated.SendAsync("POST", "/api/v1/alerts", OperatedHarbor.Bearer(),
                request =>
                {
                    request.Content = Notification.Content(body + new string(' ', (int)size - Encoding.UTF8.GetByteCount(body)));
                    // A refusal that comes while the body is still being sent may break the sending before the answer is read.
                    request.Headers.ExpectContinue = true;
                });
            Assert.Equal(status, (int)answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("GARBAGE\r\n\r\n")]
    [InlineData("POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n0123456789")]
    [InlineData("POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: \x01\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("POST /api/v1/repairs/%ff%fe/undo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n")]
    public async Task What_is_no_HTTP_is_refused_below_500(string request)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(operated.Address.Host, operated.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request.Replace("{token}", OperatedHarbor.Token, StringComparison.Ordinal)), TestContext.Current.CancellationToken);
        Assert.Matches("^HTTP/1.1 4[0-9][0-9] ", await FirstLineAsync(stream));
    }

    [Fact]
    public async Task A_sender_that_stops_in_the_middle_is_cut_off()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(operated.Address.Host, operated.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OperatedHarbor.Token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"), TestContext.Current.CancellationToken);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        var answer = new byte[64];
        var read = await stream.ReadAsync(answer, patience.Token);
        if (read > 0) Assert.StartsWith("HTTP/1.1 408 ", Encoding.ASCII.GetString(answer, 0, read), StringComparison.Ordinal);
    }

    private static async Task<long> SendChunksAsync(NetworkStream stream, long most)
    {
        var chunk = new byte[0x10000 + 9];
        "10000\r\n"u8.CopyTo(chunk);
        chunk.AsSpan(7, 0x10000).Fill((byte)' ');
        "\r\n"u8.CopyTo(chunk.AsSpan(7 + 0x10000));
        long sent = 0;
        try
        {
            for (; sent < most; sent += 0x10000) await stream.WriteAsync(chunk);
        }
        catch (IOException)
        {
            // The exporter has closed the connection.
        }
        return sent;
    }

    private static async Task<string> FirstLineAsync(NetworkStream stream)
    {
        try
        {
            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            return await reader.ReadLineAsync() ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static void Fill(HttpRequestMessage request, byte[] body, Random random)
    {
        request.Content = random.Next(4) == 0 ? new StreamContent(new MemoryStream(body)) : new ByteArrayContent(body);
        if (random.Next(4) == 0) request.Headers.TransferEncodingChunked = true;
        request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(3) > 0 ? Types[0] : Types[random.Next(Types.Length)]);
        if (random.Next(20) == 0) request.Content.Headers.TryAddWithoutValidation("Content-Encoding", random.Next(2) == 0 ? "gzip" : "identity, br");
        if (random.Next(10) == 0) request.Headers.TryAddWithoutValidation("X-" + random.Next(100), new string('x', random.Next(2000)));
        if (random.Next(10) == 0) request.Headers.TryAddWithoutValidation("Accept", "text/html;q=x, */*");
    }

    /// <summary>Bytes of any kind, JSON of any kind, and bodies that were right once and have a few bytes changed.</summary>
    private static byte[] Body(Random random) => random.Next(6) switch
    {
        0 => Bytes(random, random.Next(2000)),
        1 => Encoding.UTF8.GetBytes(Json(random, 0)),
        2 => Encoding.UTF8.GetBytes(Notification.Of(Text(random))),
        3 => Changed(random, Notification.Of("HarborScanLost", "HarborScanHung")),
        4 => Changed(random, """{"mode":"execute","filter":{"verdict":"lost","type":"IMAGE_SCAN","project":"library"},"ids":["task-1"],"override_share":true,"actor":"a","note":"n"}"""),
        _ => Encoding.UTF8.GetBytes($$"""{"mode":{{Json(random, 2)}},"filter":{{Json(random, 1)}},"ids":{{Json(random, 1)}},"actor":{{Json(random, 2)}},"version":"4","alerts":{{Json(random, 1)}} }"""),
    };

    private static string Query(Random random) => string.Join('&', Enumerable.Range(0, random.Next(4))
        .Select(_ => $"{(random.Next(3) > 0 ? new[] { "state", "action", "task", "page", "page_size" }[random.Next(5)] : Uri.EscapeDataString(Text(random)))}={Uri.EscapeDataString(Word(random))}"));

    private static string Word(Random random) => random.Next(2) == 0
        ? new[] { "done", "undo", "1", "7", "500", "-1", "9223372036854775808", "2147483647", "\0", "%00" }[random.Next(10)]
        : Text(random);

    private static byte[] Changed(Random random, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        for (var changes = random.Next(4); changes > 0; changes--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    private static string Json(Random random, int depth) => random.Next(depth > 20 ? 5 : 8) switch
    {
        0 => "null",
        1 => random.Next(2) == 0 ? "true" : "false",
        2 => new[] { "0", "-1", "1e999", "4", "18446744073709551616", "0.1" }[random.Next(6)],
        3 or 4 => $"\"{Text(random)}\"",
        5 => $"[{string.Join(',', Enumerable.Range(0, random.Next(5)).Select(_ => Json(random, depth + 1)))}]",
        6 => $"{{{string.Join(',', Enumerable.Range(0, random.Next(5)).Select(_ => $"\"{Text(random)}\":{Json(random, depth + 1)}"))}}}",
        _ => new string('[', random.Next(100)),
    };

    private static string Text(Random random) => new[]
    {
        "", "firing", "HarborScanLost", "mode", "actor", "4", "\\u0000", "\\ud800", "\\udc00x", "☃", "'; drop table harbor_scan.repair; --", "\\n", new string('x', random.Next(5000)), "alertname", "labels", "status",
    }[random.Next(16)];

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
