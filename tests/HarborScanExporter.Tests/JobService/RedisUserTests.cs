using System.Globalization;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.JobService;

/// <summary>The user of deploy/redis/harbor-scan.acl suffices, has nothing to spare, and is all that is ever asked for.</summary>
public sealed class RedisUserTests
{
    private const string User = "harbor-scan-exporter";

    /// <summary>The rules of the file, with a password of the tests.</summary>
    private static readonly string[] Rules =
        [.. Repository.Read("deploy", "redis", "harbor-scan.acl").Split('\n').Single(line => line.StartsWith("user ", StringComparison.Ordinal)).Split(' ')[2..]];

    /// <summary>What the exporter may send; it must be what the file grants.</summary>
    private static readonly string[] Commands = ["ping", "select", "exists", "llen", "lrange", "smembers", "hmget", "hkeys", "hscan", "time"];

    /// <summary>Asked only once a look was sent too much.</summary>
    private const string Size = "memory|usage";

    public static TheoryData<string> EachCommand => [.. Commands];

    [Fact]
    public void The_file_grants_these_commands_on_the_job_services_keys_and_nothing_else() =>
        Assert.Equal(
            ["on", ">CHANGE-ME", "~{harbor_job_service_namespace}:*", "resetchannels", "-@all", .. Commands.Append(Size).Select(command => "+" + command)],
            Rules);

    [Fact]
    public async Task With_this_user_everything_is_read_and_nothing_else_is_asked()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await CreateAsync(situation);
        await situation.LoseOneAsync();
        await situation.Redis.AdministerAsync("CONFIG", "RESETSTAT");
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", Url(situation)));
        for (var i = 0; i < 5; i++)
        {
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal(1, scrape.Value("harbor_scan_jobservice_up"));
            Assert.Equal(1, scrape.Value("harbor_scan_collector_success", ("collector", "jobservice")));
        }
        Assert.Empty(exporter.Warnings);
        var asked = (await situation.Redis.InfoLinesAsync("commandstats")).Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal))
            .ToDictionary(line => line["cmdstat_".Length..line.IndexOf(':', StringComparison.Ordinal)], line => line, StringComparer.Ordinal);
        // The tests' own connection asks for its statistics.
        foreach (var own in new[] { "info", "config|resetstat" }) asked.Remove(own);
        Assert.Equal(Commands.Append("auth").Except(["ping"]).Order(StringComparer.Ordinal), asked.Keys.Except(["ping"]).Order(StringComparer.Ordinal));
        Assert.All(asked.Values, line => Assert.Contains("rejected_calls=0,failed_calls=0", line, StringComparison.Ordinal));
        // No command that waits, none that walks all keys, none that writes: the server's own words about each.
        foreach (var command in asked.Keys)
        {
            var categories = string.Join(' ', (string[])(await situation.Redis.AdministerAsync("COMMAND", "INFO", command))[0][6]!);
            foreach (var forbidden in new[] { "@write", "@blocking", "@dangerous", "@admin", "@scripting" })
                Assert.DoesNotContain(forbidden, categories, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(EachCommand))]
    public async Task A_user_without_one_of_the_commands_is_noticed_and_told_what_to_grant(string command)
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await CreateAsync(situation, "-" + command);
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", Url(situation)));
        for (var i = 0; i < 3; i++) JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "refused");
        Assert.Contains($"(NOPERM this user has no permissions to run the '{command}' command). Give it the rights of deploy/redis/harbor-scan.acl.", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
        await CreateAsync(situation, "+" + command);
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
    }

    [Fact]
    public async Task Asking_for_sizes_neither_writes_nor_waits()
    {
        await using var redis = await RedisServer.StartAsync();
        var categories = string.Join(' ', (string[])(await redis.AdministerAsync("COMMAND", "INFO", Size))[0][6]!);
        Assert.Contains("@read", categories, StringComparison.Ordinal);
        foreach (var forbidden in new[] { "@write", "@blocking", "@dangerous", "@admin", "@scripting" }) Assert.DoesNotContain(forbidden, categories, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_user_reads_no_other_key_and_writes_none()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await CreateAsync(situation);
        var port = situation.Redis.Port.ToString(CultureInfo.InvariantCulture);
        foreach (var command in new[] { "lrange other 0 -1", "del {harbor_job_service_namespace}:known_jobs", "keys *", "flushdb", "config get requirepass", "subscribe news", "monitor", "get {harbor_job_service_namespace}:x" })
        {
            var answer = await Tool.RunAsync("redis-cli", ["-p", port, "-n", "1", "--user", User, "--pass", JobServiceSituation.Password, "--no-auth-warning", .. command.Split(' ')]);
            Assert.Contains("NOPERM", answer.All, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_file_can_be_included_by_redis_conf_as_it_is()
    {
        var configuration = Path.GetTempFileName();
        await File.WriteAllTextAsync(configuration, $"include {Repository.PathOf("deploy", "redis", "harbor-scan.acl")}\n", TestContext.Current.CancellationToken);
        var port = Tool.FreePort().ToString(CultureInfo.InvariantCulture);
        await using (await RunningTool.StartAsync("redis-server", [configuration, "--port", port, "--bind", "127.0.0.1", "--save", ""],
            async () => (await Tool.RunAsync("redis-cli", ["-p", port, "--user", User, "--pass", "CHANGE-ME", "--no-auth-warning", "ping"])).All.Contains("PONG", StringComparison.Ordinal)))
        {
            Assert.Contains($"user {User} on", (await Tool.RunAsync("redis-cli", ["-p", port, "acl", "list"])).Output, StringComparison.Ordinal);
        }
        File.Delete(configuration);
    }

    private static async Task CreateAsync(JobServiceSituation situation, params string[] changes) =>
        await situation.Redis.AdministerAsync("ACL", ["SETUSER", User, "reset", .. Rules.Select(rule => rule == ">CHANGE-ME" ? ">" + JobServiceSituation.Password : rule), .. changes]);

    private static string Url(JobServiceSituation situation) => situation.Redis.UrlOf(RedisServer.Number, $"{User}:{JobServiceSituation.EscapedPassword}");
}
