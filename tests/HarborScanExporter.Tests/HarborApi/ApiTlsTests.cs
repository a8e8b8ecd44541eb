using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.HarborApi;

/// <summary>Harbor's API over https with a certificate of an authority of one's own.</summary>
public sealed class ApiTlsTests
{
    [Fact]
    public async Task An_authority_of_SSL_CERT_FILE_is_trusted_and_no_other()
    {
        using var authority = await TestAuthority.CreateAsync();
        using var certificate = X509Certificate2.CreateFromPemFile(authority.Certificate, authority.Key);
        await using var served = await ServedHarbor.StartAsync(settings: new HarborApiSettings { Listen = new Uri("https://127.0.0.1:0"), Certificate = certificate });
        var environment = new Dictionary<string, string>
        {
            ["HARBOR_DATABASE_HOST"] = "127.0.0.1",
            ["HARBOR_DATABASE_PORT"] = $"{Tool.FreePort()}",
            ["HARBOR_DATABASE_USERNAME"] = "nobody",
            ["HARBOR_DATABASE_PASSWORD"] = "none",
            ["HARBOR_SERVICE_SCHEME"] = "https",
            ["HARBOR_SERVICE_HOST"] = "localhost",
            ["HARBOR_SERVICE_PORT"] = $"{served.Api.Address.Port}",
            ["HARBOR_API_USERNAME"] = HarborApiUser.Administrator.Name,
            ["HARBOR_API_PASSWORD"] = HarborApiUser.Administrator.Password,
        };
        var wary = await ReachAsync(environment);
        Assert.Equal("failed", (string?)wary["result"]);
        Assert.Contains("SSL_CERT_FILE", (string?)wary["mend"], StringComparison.Ordinal);
        Assert.Empty(served.Api.Requests);
        environment["SSL_CERT_FILE"] = authority.File;
        var trusting = await ReachAsync(environment);
        Assert.Equal($"https://localhost:{served.Api.Address.Port}/ answers admin.", (string?)trusting["reason"]);
        Assert.Equal(["/api/v2.0/jobservice/pools", "/api/v2.0/systeminfo"], served.Api.Requests.Select(request => request.Path));
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_keeps_every_request_back()
    {
        using var authority = await TestAuthority.CreateAsync();
        using var certificate = X509Certificate2.CreateFromPemFile(authority.Certificate, authority.Key);
        await using var served = await ServedHarbor.StartAsync(settings: new HarborApiSettings { Listen = new Uri("https://127.0.0.1:0"), Certificate = certificate });
        using var client = new HarborApiClient(ServedHarbor.SettingsFor(new Uri($"https://localhost:{served.Api.Address.Port}"), HarborApiUser.Administrator), TimeProvider.System);
        var answer = await client.StopJobAsync("0123456789abcdef01234567", TestContext.Current.CancellationToken);
        Assert.Equal((ApiOutcome.Unreachable, (int?)null), (answer.Outcome, answer.Status));
        Assert.Contains("certificate", answer.Message, StringComparison.Ordinal);
        Assert.Empty(served.Api.Requests);
    }

    /// <summary>What the command doctor says of Harbor's API, in a process of its own: the system's authorities are read once in a process.</summary>
    private static async Task<JsonNode> ReachAsync(Dictionary<string, string> environment)
    {
        var run = await ExporterProcess.RunAsync(environment, "doctor", "--output", "json");
        Assert.DoesNotContain(HarborApiUser.Administrator.Password, run.All, StringComparison.Ordinal);
        return JsonNode.Parse(run.Output)!["checks"]!.AsArray().Single(check => (string?)check!["name"] == "harbor api")!;
    }
}
