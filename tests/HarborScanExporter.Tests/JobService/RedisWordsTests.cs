using System.Globalization;
using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.JobService;

/// <summary>For each way in which Redis fails: what log and doctor say is the server's own word and what one must do.</summary>
public sealed class RedisWordsTests
{
    private const string Settings = "Check HARBOR_REDIS_URL, the network policy, and that Redis runs.";

    [Theory]
    [InlineData("", "refused", "refuses the user or its password (NOAUTH Authentication required).", "Check HARBOR_REDIS_URL, and that the user of deploy/redis exists there.")]
    [InlineData(":wrong", "refused", "refuses the user or its password (WRONGPASS invalid username-password pair or user is disabled).", "Check HARBOR_REDIS_URL, and that the user of deploy/redis exists there.")]
    [InlineData("nobody:wrong", "refused", "refuses the user or its password (WRONGPASS invalid username-password pair or user is disabled).", "Check HARBOR_REDIS_URL, and that the user of deploy/redis exists there.")]
    public async Task A_wrong_password(string credentials, string state, string words, string mend)
    {
        await using var redis = await RedisServer.StartAsync("--requirepass", "right");
        await AssertToldAsync(redis.UrlOf(1, credentials), state, words, mend);
    }

    [Fact]
    public async Task Connections_that_are_exhausted()
    {
        await using var redis = await RedisServer.StartAsync();
        // The test's own connection is the one.
        await redis.AdministerAsync("CONFIG", "SET", "maxclients", "1");
        await AssertToldAsync(redis.Url, "unreachable", "has no connection left (ERR max number of clients reached).", "Raise maxclients of Redis, or end what holds its connections: redis-cli client list.");
    }

    [Fact]
    public async Task Connections_that_are_exhausted_over_TLS_a_wrong_scheme_and_a_certificate_that_is_not_trusted()
    {
        using var authority = await TestAuthority.CreateAsync();
        var port = Tool.FreePort();
        await using var redis = await RedisServer.StartAsync("--tls-port", port.ToString(CultureInfo.InvariantCulture), "--tls-auth-clients", "no",
            "--tls-cert-file", authority.Certificate, "--tls-key-file", authority.Key, "--tls-ca-cert-file", authority.File);
        await AssertToldAsync($"redis://localhost:{port}/1", "unreachable", "ends the connection without a word.", "If that port takes TLS alone, write rediss:// in HARBOR_REDIS_URL. Else look at its log.");
        await AssertToldAsync($"rediss://127.0.0.1:{redis.Port}/1", "unreachable", "does not answer (", Settings + " A port that takes no TLS does not answer either: for it write redis://.");
        await AssertToldAsync($"rediss://localhost:{port}/1", "unreachable", "shows a certificate that is not trusted.", "Name the authority that signed it in SSL_CERT_FILE, and the host as the certificate does.");
        await redis.AdministerAsync("CONFIG", "SET", "maxclients", "1");
        await AssertToldAsync($"rediss://localhost:{port}/1", "unreachable", "ends the connection before TLS is agreed.", "Its connections may be exhausted (maxclients), which it cannot say over TLS");
    }

    [Fact]
    public async Task A_cluster()
    {
        await using var redis = await RedisServer.StartAsync("--cluster-enabled", "yes");
        const string mend = "Harbor's job service cannot use a cluster: set HARBOR_REDIS_URL to the Redis that it does use, and not to a node of another one.";
        await AssertToldAsync(redis.UrlOf(1), "refused", "runs in cluster mode (ERR SELECT is not allowed in cluster mode).", mend);
        await AssertToldAsync(redis.UrlOf(0), "refused", "runs in cluster mode (CLUSTERDOWN Hash slot not served).", mend);
    }

    [Fact]
    public async Task A_replica_that_gives_no_stale_data()
    {
        await using var redis = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{Tool.FreePort()}", "--replica-serve-stale-data", "no");
        await AssertToldAsync(redis.Url, "unreachable", "is a replica without its master, and gives no stale data (MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no').",
            "Mend the replication, or set HARBOR_REDIS_URL to the Redis that the job service writes.");
    }

    [Fact]
    public async Task A_Redis_that_cannot_save()
    {
        var folder = Directory.CreateTempSubdirectory("harbor-redis-gone-").FullName;
        await using var redis = await RedisServer.StartAsync("--dir", folder, "--save", "3600", "1");
        Directory.Delete(folder, recursive: true);
        await redis.AdministerAsync("SET", "x", "y");
        await redis.AdministerAsync("BGSAVE");
        await Eventually.HoldsAsync(async () => (await redis.InfoLinesAsync("persistence")).Contains("rdb_last_bgsave_status:err"), TimeSpan.FromSeconds(30), () => "It could save.");
        await AssertToldAsync(redis.Url, "unreachable", "cannot save its data and takes no writes: the job service stands still too (MISCONF Redis is configured to save RDB snapshots", "Look at the disk of Redis and at its log.");
    }

    [Theory]
    [InlineData("-LOADING Redis is loading the dataset in memory\r\n", "unreachable", "is still loading its data (LOADING Redis is loading the dataset in memory).", "Wait until it has; it was restarted.")]
    [InlineData("-DENIED Redis is running in protected mode because\r\n", "refused", "is in protected mode (DENIED Redis is running in protected mode because).", "Give its default user a password")]
    [InlineData("-ERR unknown command 'PING', with args beginning with: 'secret'\r\n", "unreachable", "answers with an error (ERR unknown command 'PING').", Settings)]
    [InlineData("-BUSY Redis is busy running a script.\r\n", "unreachable", "answers with an error (BUSY Redis is busy running a script).", Settings)]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "refused", "is not Redis (HTTP/1.1 400 Bad Request).", "Check host and port in HARBOR_REDIS_URL.")]
    [InlineData("", "unreachable", "ends the connection without a word.", "If that port takes TLS alone, write rediss:// in HARBOR_REDIS_URL. Else look at its log.")]
    public async Task What_it_says(string said, string state, string words, string mend)
    {
        await using var server = SpeakingServer.Saying(said);
        await AssertToldAsync($"redis://127.0.0.1:{server.Port}/1", state, words, mend);
    }

    [Theory]
    [InlineData("redis://127.0.0.1:1/1", "redis://127.0.0.1:1/1 does not answer (Connection refused).")]
    [InlineData("redis://no-such-host.invalid:6379/1", "redis://no-such-host.invalid:6379/1 does not answer (Name or service not known).")]
    [InlineData("redis+sentinel://127.0.0.1:1/mymaster/1", "redis+sentinel://127.0.0.1:1/mymaster/1 does not answer (Connection refused).")]
    public async Task Nobody_there(string url, string words) => await AssertToldAsync(url, "unreachable", words, Settings);

    [Theory]
    [InlineData(true, "mymaster", "The Sentinels of ", " want a password of their own (NOAUTH Authentication required).", "Neither Harbor nor the exporter shows a Sentinel one: take requirepass out of the Sentinels' configuration.")]
    [InlineData(false, "another", "The Sentinels of ", " know no master another.", "Check the name after the hosts in HARBOR_REDIS_URL.")]
    public async Task A_Sentinel(bool wantsPassword, string master, string told, string words, string mend)
    {
        await using var redis = await RedisServer.StartAsync();
        var port = Tool.FreePort().ToString(CultureInfo.InvariantCulture);
        var configuration = Path.GetTempFileName();
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $"""
            port {port}
            bind 127.0.0.1
            {(wantsPassword ? "requirepass s" : "")}
            sentinel monitor mymaster 127.0.0.1 {redis.Port} 1

            """), TestContext.Current.CancellationToken);
        await using (await RunningTool.StartAsync(RedisServer.Program, [configuration, "--sentinel"],
            async () => (await Tool.RunAsync("redis-cli", ["-p", port, "--no-auth-warning", "-a", "s", "sentinel", "masters"])).Output.Contains("mymaster", StringComparison.Ordinal)))
        {
            await AssertToldAsync($"redis+sentinel://127.0.0.1:{port}/{master}/1", "refused", words, mend, told);
        }
        File.Delete(configuration);
    }

    private static async Task AssertToldAsync(string url, string state, string words, string mend, string begin = "")
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_REDIS_URL", url));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal([$$"""{state="{{state}}"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        var log = Assert.Single(exporter.Warnings);
        Assert.StartsWith($"The collector jobservice failed ({(state == "refused" ? "auth" : "connect")}): {begin}", log, StringComparison.Ordinal);
        Assert.Contains(words, log, StringComparison.Ordinal);
        Assert.Contains(mend, log, StringComparison.Ordinal);
        var doctor = await CommandRun.DoctorAsync(harbor.Environment(("HARBOR_REDIS_URL", url)), DoctorOutput.Json);
        var line = JsonNode.Parse(doctor.Output)!["checks"]!.AsArray().Single(line => (string?)line!["name"] == "redis" && (string?)line["result"] == "failed")!;
        Assert.Contains(words, (string?)line["reason"], StringComparison.Ordinal);
        Assert.StartsWith(mend, (string?)line["mend"], StringComparison.Ordinal);
    }
}
