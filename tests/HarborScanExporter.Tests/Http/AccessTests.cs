using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using HarborScanExporter.Hosting;
using HarborScanExporter.Http;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>Who is let in at the operations listener, and what the two listeners know of each other.</summary>
public sealed class AccessTests
{
    private static readonly string[] Paths =
    [
        "/", "/status", "/api/v1/findings", "/api/v1/openapi.yaml", "/metrics", "/healthz", "/readyz", "/nothing", "/status/", "/api/v1/plan", "/api/v1/repairs",
        "/api/v1/repairs/", "/api/v1/repairs/7", "/api/v1/repairs/7/undo", "/api/v1/repairs/x/undo", "/api/v1/repairs//undo", "/api/v1/repairs/7/undo/", "/api/v1/alerts",
    ];
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

    /// <summary>What each route answers to the token, by method; nothing is sent in a body, and repairs are off.</summary>
    private static readonly Dictionary<string, Dictionary<string, int>> Known = new()
    {
        ["/"] = Reads,
        ["/status"] = Reads,
        ["/api/v1/findings"] = Reads,
        ["/api/v1/openapi.yaml"] = Reads,
        ["/api/v1/plan"] = Reads,
        ["/api/v1/repairs"] = new(Reads) { ["POST"] = 400 },
        ["/api/v1/repairs/7/undo"] = new() { ["POST"] = 403 },
        ["/api/v1/repairs/x/undo"] = new() { ["POST"] = 400 },
        ["/api/v1/alerts"] = new() { ["POST"] = 400 },
    };

    private static Dictionary<string, int> Reads => new() { ["GET"] = 200, ["HEAD"] = 200 };

    [Fact]
    public async Task Every_route_and_method_asks_for_the_token_and_Basic_only_reads()
    {
        var time = new FakeTimeProvider();
        await using var operated = await OperatedHarbor.StartAsync(time: time);
        (string Name, AuthenticationHeaderValue? Value)[] credentials =
        [
            ("none", null), ("wrong Bearer", OperatedHarbor.Bearer("planted-token-3f9c2b7e51d1")), ("wrong Basic", OperatedHarbor.Basic("x")), ("another scheme", new("Digest", OperatedHarbor.Token)),
            ("the token as user", new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(OperatedHarbor.Token + ":")))), ("no Base64", new("Basic", "***")),
            ("Basic", OperatedHarbor.Basic()), ("Bearer", OperatedHarbor.Bearer()),
        ];
        List<string> wrong = [];
        foreach (var path in Paths)
            foreach (var method in Methods)
                foreach (var (name, value) in credentials)
                {
                    using var answer = await operated.SendAsync(method, path, value);
                    var reads = method is "GET" or "HEAD";
                    var isIn = name == "Bearer" || (name == "Basic" && reads);
                    var expected = isIn ? Known.TryGetValue(path, out var answers) ? answers.GetValueOrDefault(method, 405) : 404
                        : name == "none" && path == "/" && reads ? 200
                        : 401;
                    var status = (int)answer.StatusCode;
                    // Too many wrong ones within a minute are another test's matter.
                    time.Advance(TimeSpan.FromSeconds(3));
                    if (status != expected) wrong.Add($"{method} {path} with {name}: {status} instead of {expected}");
                    if (status == 401 && answer.Headers.WwwAuthenticate.ToString() != "Basic realm=\"Harbor Scan Exporter\", charset=\"UTF-8\"")
                        wrong.Add($"{method} {path} with {name}: {answer.Headers.WwwAuthenticate}");
                    if (status == 405 && answer.Content.Headers.Allow.Order(StringComparer.Ordinal).SequenceEqual(Known[path].Keys.Order(StringComparer.Ordinal)) is false)
                        wrong.Add($"{method} {path}: Allow");
                    foreach (var (header, text) in Protecting)
                        if (!answer.Headers.TryGetValues(header, out var values) || !values.Single().Contains(text, StringComparison.Ordinal)) wrong.Add($"{method} {path} with {name}: {header}");
                    if (method == "HEAD" && (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length > 0) wrong.Add($"{method} {path}: a body");
                }
        Assert.Empty(wrong);
    }

    private static readonly (string Header, string Text)[] Protecting =
    [
        ("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"), ("Content-Security-Policy", "frame-ancestors 'none'"), ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"), ("X-Frame-Options", "DENY"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ];

    [Fact]
    public async Task What_is_refused_tells_the_same_of_every_route()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        HashSet<string> bodies = [];
        foreach (var path in Paths.Except(["/"]))
        {
            using var answer = await operated.SendAsync("GET", path);
            bodies.Add(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        Assert.Equal("""{"type":"about:blank","title":"Unauthorized","status":401,"detail":"Send the token as Authorization: Bearer, or as the password of HTTP Basic with any user name; Basic reads only."}""",
            Assert.Single(bodies));
        using var forReaders = await operated.SendAsync("GET", "/nothing", change: request => request.Headers.Accept.ParseAdd("text/html"));
        Assert.Equal(HttpStatusCode.Unauthorized, forReaders.StatusCode);
        Assert.Contains("Sign in with the browser's own dialog", await forReaders.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_empty_page_says_nothing_of_this_Harbor()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("GET", "/");
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(operated.Harbor.Role, page, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"state\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"numbers\"", page, StringComparison.Ordinal);
        Assert.Contains("<form id=\"sign-in\" hidden>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_token_in_the_file_is_the_token_from_then_on()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer()));
        await File.WriteAllTextAsync(operated.TokenFile, "another-token-5c1e7a", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(operated, OperatedHarbor.Bearer()));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer("another-token-5c1e7a")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Basic("another-token-5c1e7a")));
    }

    [Fact]
    public async Task A_mounted_secret_that_is_exchanged_behind_its_link_is_seen()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var folder = Path.GetDirectoryName(operated.TokenFile)!;
        // As Kubernetes does it: the name is a link through ..data, and only ..data is exchanged.
        foreach (var (data, token) in new[] { ("..1", "first-token-8d2f61"), ("..2", "second-token-b07e93") })
        {
            Directory.CreateDirectory(Path.Combine(folder, data));
            await File.WriteAllTextAsync(Path.Combine(folder, data, "token"), token, TestContext.Current.CancellationToken);
        }
        File.Delete(operated.TokenFile);
        File.CreateSymbolicLink(operated.TokenFile, Path.Combine("..data", "token"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data"), "..1");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer("first-token-8d2f61")));
        File.Delete(Path.Combine(folder, "..data"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data"), "..2");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(operated, OperatedHarbor.Bearer("first-token-8d2f61")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer("second-token-b07e93")));
    }

    [Fact]
    public void Wrong_tokens_from_very_many_addresses_take_bounded_memory_and_close_no_door_to_an_address_that_is_known()
    {
        var time = new FakeTimeProvider();
        var attempts = new FailedAttempts(time);
        for (var i = 0; i < 5000; i++) attempts.Add(new IPAddress([10, 0, (byte)(i / 256), (byte)(i % 256)]));
        Assert.NotNull(attempts.RefusedFor(IPAddress.Parse("192.0.2.1")));
        Assert.Null(attempts.RefusedFor(IPAddress.Parse("10.0.0.1")));
        time.Advance(FailedAttempts.Window);
        Assert.Null(attempts.RefusedFor(IPAddress.Parse("192.0.2.1")));
        for (var i = 0; i < FailedAttempts.Most; i++) attempts.Add(IPAddress.Parse($"2001:db8:1:1::{i:x}"));
        Assert.NotNull(attempts.RefusedFor(IPAddress.Parse("2001:db8:1:1:ffff::1")));
        Assert.Null(attempts.RefusedFor(IPAddress.Parse("2001:db8:1:2::1")));
    }

    [Fact]
    public async Task Each_listener_serves_its_own_routes_whatever_the_Host_header_says()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var (metrics, operations) = (operated.Exporter.Address, operated.Address);
        Assert.NotEqual(metrics.Port, operations.Port);
        foreach (var host in new[] { null, metrics.Authority, operations.Authority, "harbor.example", "localhost" })
        {
            foreach (var path in Known.Keys.Except(["/"]))
                foreach (var method in new[] { "GET", "POST" })
                    Assert.Equal(HttpStatusCode.NotFound, await AskAsync(metrics, method, path, host));
            foreach (var path in new[] { "/metrics", "/healthz", "/readyz" })
                Assert.Equal(HttpStatusCode.NotFound, await AskAsync(operations, "GET", path, host));
            Assert.Equal(HttpStatusCode.OK, await AskAsync(metrics, "GET", "/metrics", host));
            Assert.Equal(HttpStatusCode.OK, await AskAsync(operations, "GET", "/api/v1/findings", host));
        }
        Assert.Contains("<h2>Settings</h2>", await operated.Exporter.Client.GetStringAsync(metrics, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("id=\"state\"", await operated.GetAsync("/"), StringComparison.Ordinal);

        async Task<HttpStatusCode> AskAsync(Uri listener, string method, string path, string? host)
        {
            using var answer = await operated.SendAsync(method, new Uri(listener, path).AbsoluteUri, OperatedHarbor.Bearer(), request => request.Headers.Host = host);
            return answer.StatusCode;
        }
    }

    [Fact]
    public void The_token_is_compared_by_hashes_in_a_time_that_tells_nothing_of_it()
    {
        // What a statistic of times cannot hold on a busy machine, the calls of the comparison do.
        var method = typeof(OperationsToken).GetMethod(nameof(OperationsToken.Is))!;
        var code = method.GetMethodBody()!.GetILAsByteArray()!;
        List<string> called = [];
        for (var i = 0; i + 4 < code.Length; i++)
        {
            if (code[i] is not (0x28 or 0x6F)) continue;
            try
            {
                if (method.Module.ResolveMethod(BitConverter.ToInt32(code, i + 1)) is { } callee) called.Add($"{callee.DeclaringType!.Name}.{callee.Name}");
            }
            catch (ArgumentException)
            {
                // The byte was no call.
            }
        }
        Assert.Equal(2, called.Count(name => name == "SHA256.HashData"));
        Assert.Contains("CryptographicOperations.FixedTimeEquals", called);
        Assert.DoesNotContain(called, name => name.EndsWith(".Equals", StringComparison.Ordinal) || name.EndsWith(".op_Equality", StringComparison.Ordinal) || name.EndsWith(".SequenceEqual", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_landing_page_names_the_second_listener_and_no_token()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var page = await operated.Exporter.Client.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("<li>the status page and the findings: <code>http://127.0.0.1:0/</code>, with the token of <code>HARBOR_SCAN_OPERATIONS_TOKEN_FILE</code></li>", page, StringComparison.Ordinal);
        Assert.DoesNotContain(OperatedHarbor.Token, page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HARBOR_SCAN_LISTEN")]
    [InlineData("HARBOR_SCAN_OPERATIONS_LISTEN")]
    public async Task An_address_that_is_taken_is_named_with_its_setting(string setting)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var reading = SettingsReader.Read(
            operated.Harbor.Environment(("HARBOR_SCAN_OPERATIONS_LISTEN", "http://127.0.0.1:0"), ("HARBOR_SCAN_OPERATIONS_TOKEN_FILE", operated.TokenFile), (setting, $"http://{taken.LocalEndpoint}")),
            new Dictionary<string, string>());
        await using var app = Exporter.Build(reading.Settings!, Capture);
        Assert.Equal(2, await Exporter.RunAsync(app, reading.Settings!, TestContext.Current.CancellationToken));
        Assert.StartsWith($"{setting}: cannot listen on http://{taken.LocalEndpoint}: ",
            app.Services.GetRequiredService<FakeLogCollector>().LatestRecord.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:{0}", "127.0.0.1")]
    [InlineData("http://[::]:{0}", "127.0.0.1")]
    [InlineData("http://[::1]:{0}", "[::1]")]
    [InlineData("http://localhost:{0}", "127.0.0.1")]
    [InlineData("http://localhost:{0}", "[::1]")]
    [InlineData("http://*:{0}", "127.0.0.1")]
    [InlineData("http://*:{0}", "[::1]")]
    [InlineData("http://+:{0}", "[::1]")]
    public async Task Every_form_of_an_address_is_listened_on(string form, string host)
    {
        var (metrics, operations) = (Tool.FreePort(), Tool.FreePort());
        await using var operated = await OperatedHarbor.StartAsync(changes:
        [
            ("HARBOR_SCAN_LISTEN", string.Format(System.Globalization.CultureInfo.InvariantCulture, form, metrics)),
            ("HARBOR_SCAN_OPERATIONS_LISTEN", string.Format(System.Globalization.CultureInfo.InvariantCulture, form, operations)),
        ]);
        using var client = new HttpClient();
        Assert.Equal("ok\n", await client.GetStringAsync(new Uri($"http://{host}:{metrics}/healthz"), TestContext.Current.CancellationToken));
        client.DefaultRequestHeaders.Authorization = OperatedHarbor.Bearer();
        Assert.StartsWith("openapi: 3.1.0", await client.GetStringAsync(new Uri($"http://{host}:{operations}/api/v1/openapi.yaml"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_address_is_that_of_IPv4_alone_where_there_is_no_IPv6()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var environment = harbor.Environment();
        environment["DOTNET_SYSTEM_NET_DISABLEIPV6"] = "1";
        await using var exporter = await ExporterProcess.StartAsync(environment, listen: "http://*:{0}");
        Assert.Equal("ok\n", await exporter.Client.GetStringAsync(new Uri("/healthz", UriKind.Relative), TestContext.Current.CancellationToken));
    }

    private static void Capture(WebApplicationBuilder builder) => builder.Logging.ClearProviders().AddFakeLogging();

    private static async Task<HttpStatusCode> StatusAsync(OperatedHarbor operated, AuthenticationHeaderValue? credentials)
    {
        using var answer = await operated.SendAsync("GET", "/api/v1/openapi.yaml", credentials);
        return answer.StatusCode;
    }
}
