using System.Globalization;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.JobService;

/// <summary>Redis behind TLS, and behind a Sentinel that names another master.</summary>
public sealed class RedisTopologyTests
{
    [Fact]
    public async Task Over_TLS_an_authority_of_SSL_CERT_FILE_is_trusted_and_no_other()
    {
        using var authority = await TestAuthority.CreateAsync();
        var port = Tool.FreePort();
        await using var situation = await JobServiceSituation.StartAsync(
            "--tls-port", port.ToString(CultureInfo.InvariantCulture), "--tls-auth-clients", "no",
            "--tls-cert-file", authority.Certificate, "--tls-key-file", authority.Key, "--tls-ca-cert-file", authority.File);
        var url = $"rediss://localhost:{port}/{RedisServer.Number}";
        await using (var trusting = await ExporterProcess.StartAsync(situation.Harbor.Environment(("HARBOR_REDIS_URL", url), ("SSL_CERT_FILE", authority.File))))
            JobServiceSituation.AssertSeen(await trusting.ScrapeAsync());
        await using var wary = await ExporterProcess.StartAsync(situation.Harbor.Environment(("HARBOR_REDIS_URL", url)));
        JobServiceSituation.AssertBlind(await wary.ScrapeAsync(), "unreachable");
        Assert.Contains("The collector jobservice failed (connect)", wary.Log, StringComparison.Ordinal);
        Assert.Contains("shows a certificate that is not trusted. Name the authority that signed it in SSL_CERT_FILE", wary.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_failover_the_master_that_Sentinel_names_is_read_without_a_restart()
    {
        await using var situation = await JobServiceSituation.StartAsync("--repl-diskless-sync-delay", "0");
        var first = situation.Redis.Port.ToString(CultureInfo.InvariantCulture);
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", first);
        await Eventually.HoldsAsync(
            async () => (await replica.InfoLinesAsync("replication")).Contains("master_link_status:up"), TimeSpan.FromSeconds(20), () => "The replica did not come up.");
        var sentinel = Tool.FreePort();
        var configuration = Path.GetTempFileName();
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $"""
            port {sentinel}
            bind 127.0.0.1
            sentinel monitor mymaster 127.0.0.1 {first} 1
            sentinel down-after-milliseconds mymaster 500
            sentinel failover-timeout mymaster 3000

            """), TestContext.Current.CancellationToken);
        await using (await RunningTool.StartAsync(RedisServer.Program, [configuration, "--sentinel"], async () =>
            (await Tool.RunAsync("redis-cli", ["-p", sentinel.ToString(CultureInfo.InvariantCulture), "sentinel", "replicas", "mymaster"])).Output.Contains("slave", StringComparison.Ordinal)))
        {
            // The first of the two Sentinels is not there.
            var url = $"redis+sentinel://127.0.0.1:{Tool.FreePort()},127.0.0.1:{sentinel}/mymaster/{RedisServer.Number}";
            await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", url));
            var scrape = await exporter.ScrapeAsync();
            Assert.True(exporter.Warnings.Count == 0, string.Join(Environment.NewLine, exporter.Warnings));
            JobServiceSituation.AssertSeen(scrape);
            await situation.Redis.KillAsync();
            JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "unreachable");
            await Eventually.HoldsAsync(async () => (await replica.InfoLinesAsync("replication")).Contains("role:master"), TimeSpan.FromSeconds(30), () => "Sentinel did not fail over.");
            await new JobServiceSeed(replica).UpAsync();
            await Eventually.HoldsAsync(async () => (await exporter.ScrapeAsync()).Value("harbor_scan_jobservice_up") == 1, TimeSpan.FromSeconds(15), () => string.Join(' ', exporter.Warnings));
            JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        }
        File.Delete(configuration);
    }
}
