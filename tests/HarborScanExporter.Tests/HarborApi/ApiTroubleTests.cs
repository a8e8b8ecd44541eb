using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using HarborScanExporter.Failures;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.HarborApi;

/// <summary>Every way in which Harbor's API fails: what is said names what to do, and shows the word of the server.</summary>
public sealed class ApiTroubleTests
{
    private const string Password = "planted-api-password-9d1c";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("401 Unauthorized", """{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized"}]}""", "auth", "refuses robot$scan (401).",
        "Check HARBOR_API_USERNAME and its password; a robot account's name has its prefix, and in a shell its $ is quoted.")]
    [InlineData("403 Forbidden", """{"errors":[{"code":"FORBIDDEN","message":"forbidden by policy"}]}""", "permission", "answers 403 (forbidden by policy).",
        "Give HARBOR_API_USERNAME the right, or look which proxy before Harbor refuses it.")]
    [InlineData("404 Not Found", "404 page not found\n", "other", "answers 404 (404 page not found).",
        "Check that HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT name Harbor, whose API begins with /api/v2.0/: another program answers there.")]
    [InlineData("400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n", "connect", "answers 400 (Client sent an HTTP request to an HTTPS server.).",
        "Set HARBOR_SERVICE_SCHEME to https, or HARBOR_SERVICE_PORT to the port of http.")]
    [InlineData("400 Bad Request", "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>x</body></html>", "connect",
        "answers 400 (400 The plain HTTP request was sent to HTTPS port).", "Set HARBOR_SERVICE_SCHEME to https, or HARBOR_SERVICE_PORT to the port of http.")]
    [InlineData("502 Bad Gateway", "<html><head><title>502 Bad Gateway</title></head><body></body></html>", "connect", "answers 502 (502 Bad Gateway).",
        "A proxy answers for Harbor: look whether core runs and is ready, and that HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT name Harbor.")]
    [InlineData("503 Service Unavailable", "", "connect", "answers 503.",
        "A proxy answers for Harbor: look whether core runs and is ready, and that HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT name Harbor.")]
    [InlineData("500 Internal Server Error", """{"errors":[{"code":"UNKNOWN","message":"internal server error"}]}""", "other", "answers 500 (internal server error).",
        "Look at the log of Harbor's core.")]
    [InlineData("429 Too Many Requests", "slow down", "other", "answers 429 (slow down).",
        "Check that HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT name Harbor, and that HARBOR_SERVICE_SCHEME is right; redirects are not followed.")]
    [InlineData("200 OK", "<!doctype html><html><head><style>p{}</style></head><body><p>Please sign in</p></body></html>", "other", " is not Harbor (Please sign in): its answer is no JSON, or too long, or broke off.",
        "Check HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT: this may be the sign-in of a proxy before Harbor.")]
    [InlineData("200 OK", "<html><head><title>Corporate sign-in</title></head></html>", "other", " is not Harbor (Corporate sign-in): its answer is no JSON, or too long, or broke off.",
        "Check HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT: this may be the sign-in of a proxy before Harbor.")]
    [InlineData("200 OK", "", "other", " is not Harbor: its answer is no JSON, or too long, or broke off.",
        "Check HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT: this may be the sign-in of a proxy before Harbor.")]
    public async Task An_answer_that_is_no_success_is_told_with_its_words_and_the_mend(string status, string body, string reason, string what, string mend)
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer(status, body));
        var trouble = await TroubleAsync(server.Address);
        Assert.Equal((reason, mend), (trouble.Reason, trouble.Mend));
        Assert.Equal($"{(what.StartsWith(" is", StringComparison.Ordinal) ? "What answers at " : "")}{server.Address}{(what.StartsWith(' ') ? "" : " ")}{what}", trouble.What);
    }

    [Fact]
    public async Task A_redirect_is_told_with_its_aim()
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("308 Permanent Redirect", "", "Location: https://harbor.example/api/v2.0/systeminfo\r\n"));
        var trouble = await TroubleAsync(server.Address);
        Assert.Equal($"{server.Address} answers 308 and redirects to https://harbor.example/api/v2.0/systeminfo.", trouble.What);
        Assert.Equal("Set HARBOR_SERVICE_SCHEME, HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT to where Harbor itself is: redirects are not followed, as the password would go with them.", trouble.Mend);
    }

    [Fact]
    public async Task A_port_where_nothing_listens_is_told_as_such()
    {
        var address = new Uri($"http://127.0.0.1:{Tool.FreePort()}");
        var trouble = await TroubleAsync(address);
        Assert.Equal(($"{address} cannot be reached (Connection refused).", "Nothing listens there: check HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT, and that Harbor runs."), (trouble.What, trouble.Mend));
    }

    [Fact]
    public void A_name_that_is_not_known_is_told_as_such()
    {
        var error = new HttpRequestException(HttpRequestError.NameResolutionError, "Name or service not known (core:80)", new SocketException((int)SocketError.HostNotFound));
        var trouble = ApiTrouble.Of(error, new Uri("http://core:80"));
        Assert.Equal("Check HARBOR_SERVICE_HOST: the name core is not known where the exporter runs, or the name service does not answer.", trouble.Mend);
        Assert.StartsWith("http://core/ cannot be reached (", trouble.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_told_as_such()
    {
        await using var server = new RawHttpServer(null);
        var trouble = await TroubleAsync(server.Address);
        Assert.Equal(("timeout", $"{server.Address} takes the connection and does not answer in time."), (trouble.Reason, trouble.What));
    }

    [Fact]
    public async Task Https_asked_of_a_port_of_http_names_the_scheme()
    {
        using var server = new TcpListener(System.Net.IPAddress.Loopback, 0);
        server.Start();
        // It answers what is no HTTP at once, as servers do.
        var answering = Task.Run(async () =>
        {
            using var client = await server.AcceptTcpClientAsync(Token);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), Token);
            await client.GetStream().CopyToAsync(Stream.Null, Token);
        }, Token);
        var trouble = await TroubleAsync(new Uri($"https://{server.LocalEndpoint}"));
        await answering;
        Assert.Equal("Check HARBOR_SERVICE_SCHEME and HARBOR_SERVICE_PORT: what answers there speaks no TLS.", trouble.Mend);
    }

    [Fact]
    public async Task Http_asked_of_a_port_of_https_names_the_scheme_and_a_certificate_that_is_not_trusted_its_authority()
    {
        using var authority = await TestAuthority.CreateAsync();
        using var certificate = X509Certificate2.CreateFromPemFile(authority.Certificate, authority.Key);
        await using var served = await ServedHarbor.StartAsync(settings: new HarborApiSettings { Listen = new Uri("https://127.0.0.1:0"), Certificate = certificate });
        var plain = await TroubleAsync(new Uri($"http://127.0.0.1:{served.Api.Address.Port}"));
        Assert.Contains("HARBOR_SERVICE_SCHEME", plain.Mend, StringComparison.Ordinal);
        Assert.Contains("a port of https ends what comes as http", plain.Mend, StringComparison.Ordinal);
        var wary = await TroubleAsync(new Uri($"https://localhost:{served.Api.Address.Port}"));
        Assert.Equal("Name the authority that signed its certificate in SSL_CERT_FILE, and the host as the certificate does.", wary.Mend);
        Assert.Contains("certificate", wary.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_server_says_tells_no_secret_and_acts_on_no_terminal()
    {
        var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"robot$scan:{Password}"));
        await using var server = new RawHttpServer(RawHttpServer.Answer("302 Found", "", $"Location: http://evil.example/?{credentials}&{Password}\u001b[2J\r\n"));
        Assert.DoesNotContain(Password, (await TroubleAsync(server.Address)).ToString(), StringComparison.Ordinal);
        await using var echo = new RawHttpServer(RawHttpServer.Answer("404 Not Found", $"<p>\u001b[2J{credentials} {Password}\u202e</p>"));
        var trouble = await TroubleAsync(echo.Address);
        Assert.Equal($"{echo.Address} answers 404 ([2J*** ***).", trouble.What);
        await using var page = new RawHttpServer(RawHttpServer.Answer("200 OK", $"<p>{credentials} {Password}</p>"));
        Assert.DoesNotContain(Password, (await TroubleAsync(page.Address)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_and_the_log_of_a_scrape_say_the_same()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var server = new RawHttpServer(RawHttpServer.Answer("502 Bad Gateway", "<html><head><title>502 Bad Gateway</title></head></html>"));
        var environment = harbor.Environment((Setting.Names.ServiceHost, server.Address.Host), (Setting.Names.ServicePort, $"{server.Address.Port}"),
            (Setting.Names.ApiUsername, "admin"), (Setting.Names.ApiPassword, Password));
        var doctor = await CommandRun.DoctorAsync(environment, width: 400);
        const string mend = "A proxy answers for Harbor: look whether core runs and is ready, and that HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT name Harbor.";
        Assert.Contains($"{server.Address} answers 502 (502 Bad Gateway).", doctor.Output, StringComparison.Ordinal);
        Assert.Contains($"-> {mend}", doctor.Output, StringComparison.Ordinal);
        await using var exporter = await RunningExporter.StartAsync(environment);
        for (var i = 0; i < 3; i++) Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        Assert.Equal($"Harbor's API failed (connect): {server.Address} answers 502 (502 Bad Gateway). {mend} {FailureLog.SaidOnce}", Assert.Single(exporter.Warnings), ignoreAllWhiteSpace: true);
    }

    private static async Task<ApiTrouble> TroubleAsync(Uri address)
    {
        using var client = new SystemInfoClient(new ApiSettings { Address = address, Username = "robot$scan", Password = Password }, TimeProvider.System);
        return (await Assert.ThrowsAsync<ApiUnusableException>(() => client.ReadAsync(Token))).Trouble;
    }
}
