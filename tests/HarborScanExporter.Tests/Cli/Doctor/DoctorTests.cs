using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace HarborScanExporter.Tests.Cli.Doctor;

/// <summary>The command doctor over a real database, a real Redis and a stand-in for Harbor's API.</summary>
public sealed class DoctorTests
{
    private const string RedisPassword = "planted-redis-password";
    private const string ApiPassword = "planted-api-password";

    /// <summary>The user that deploy/ describes: it reads the job service's keys and nothing else.</summary>
    private const string Rights = "~{harbor_job_service_namespace}:* -@all +ping +select +exists +llen +lrange +smembers +hmget +hkeys +hscan +time +memory|usage";

    [Fact]
    public async Task Everything_in_order_is_exit_code_0_and_a_line_for_each_check()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantReadOnlyViewAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
        await AllowAsync(redis, Rights);
        await using var api = await StandInApi.StartAsync(200, 200);
        var run = await CommandRun.DoctorAsync(Environment(harbor, api, ("HARBOR_REDIS_URL", redis.Url.Replace("//", $"//reader:{RedisPassword}@", StringComparison.Ordinal))), width: 160);
        Assert.Equal((DoctorCommand.NothingFailed, ""), (run.Exit, run.Error));
        var lines = run.Output.Split('\n').Select(line => line.TrimEnd()).ToArray();
        Assert.Equal(
        [
            "ok       settings", "ok       database", "ok       server version", "ok       primary", "ok       database tls", "ok       read-only session", "ok       tables",
            "ok       grant on schema_migrations", "ok       grant on execution", "ok       grant on task", "ok       grant on scan_report", "ok       grant on sbom_report",
            "ok       grant on artifact", "ok       grant on project", "ok       grant on project_metadata", "ok       grant on robot", "ok       grant on job_queue_status",
            "ok       grant on attributes", "ok       least privilege", "ok       rights of everybody", "ok       schema", "ok       read-only view",
            "ok       redis", "ok       redis tls", "ok       redis rights", "skipped  redis least privilege", "skipped  redis eviction", "ok       job service", "ok       worker pools", "ok       queues",
            "ok       clocks", "ok       clock here", "ok       harbor api", "ok       harbor version", "ok       read-only mode", "ok       harbor api role",
            "skipped  repairs",
        ], lines.TakeWhile(line => line.Length > 0).Select(line => string.Join("  ", line.Split("  ", StringSplitOptions.RemoveEmptyEntries)[..2].Select((cell, i) => i == 0 ? cell.PadRight(7) : cell.Trim()))));
        Assert.Equal("34 ok, 3 skipped", lines[^2]);
        Assert.Contains($"redis://127.0.0.1:{redis.Port}/1 answers in ", run.Output, StringComparison.Ordinal);
        // The user may not ask which server it is.
        Assert.DoesNotContain("It is ", run.Output, StringComparison.Ordinal);
        HasNoSecret(run);
    }

    [Fact]
    public async Task Json_has_the_same_checks()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.2.0");
        var run = await CommandRun.DoctorAsync(harbor.Environment(), DoctorOutput.Json);
        var document = JsonNode.Parse(run.Output)!;
        Assert.Equal(("v1", "ok"), ((string?)document["version"], (string?)document["result"]));
        Assert.Equal("This Harbor has no such table.", Reason(document, "grant on sbom_report", "skipped"));
        Assert.StartsWith("HARBOR_REDIS_URL is not set", Reason(document, "redis", "skipped"), StringComparison.Ordinal);
        Assert.StartsWith("HARBOR_API_USERNAME is not set", Reason(document, "harbor api", "skipped"), StringComparison.Ordinal);
        Assert.Equal("Schema version 50, Harbor 2.2.0, not dirty.", Reason(document, "schema", "ok"));
    }

    [Fact]
    public async Task A_missing_grant_is_named_with_its_column()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"revoke select (run_count, creation_time) on task from {harbor.Role}");
        var document = await FailsAsync(harbor.Environment());
        Assert.Equal("The role may not read run_count, creation_time.", Reason(document, "grant on task", "failed"));
        Assert.Equal("Run the SQL of 'harbor-scan-exporter sql' again, as the owner of Harbor's tables.", Mend(document, "grant on task"));
        Assert.Equal("The role may read its 10 columns.", Reason(document, "grant on execution", "ok"));
    }

    [Fact]
    public async Task A_grant_too_many_is_a_warning_that_names_it()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"grant update (status), delete on task to {harbor.Role}; grant select (secret) on robot to {harbor.Role}");
        var document = await SucceedsAsync(harbor.Environment());
        Assert.Equal("The role may do more than it needs: DELETE on task, SELECT of robot.secret, UPDATE on task.", Reason(document, "least privilege", "warning"));
    }

    [Fact]
    public async Task A_role_whose_transactions_are_not_read_only_by_default_is_a_warning()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"alter role {harbor.Role} reset default_transaction_read_only");
        Assert.StartsWith("Transactions are read-only by the exporter's word alone", Reason(await SucceedsAsync(harbor.Environment()), "read-only session", "warning"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dirty_schema_is_a_failure()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("update schema_migrations set dirty = true");
        Assert.Contains("failed half way (dirty)", Reason(await FailsAsync(harbor.Environment()), "schema", "failed"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_away_fails_and_the_rest_is_still_tried()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
        var document = await FailsAsync(harbor.Environment(("HARBOR_DATABASE_PORT", $"{Tool.FreePort()}"), ("HARBOR_REDIS_URL", redis.Url)));
        Assert.Contains("cannot be read (connect): ", Reason(document, "database", "failed"), StringComparison.Ordinal);
        Assert.StartsWith("Check HARBOR_DATABASE_HOST", Mend(document, "database"), StringComparison.Ordinal);
        Assert.Equal($"redis://127.0.0.1:{redis.Port}/1 holds a job service under the namespace harbor_job_service_namespace.", Reason(document, "job service", "ok"));
    }

    [Fact]
    public async Task A_wrong_password_is_an_answer_without_the_password()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var document = await FailsAsync(harbor.Environment(("HARBOR_DATABASE_PASSWORD", RedisPassword)));
        Assert.Contains("(auth)", Reason(document, "database", "failed"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_frozen_database_is_given_up_within_seconds()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var begun = TimeProvider.System.GetTimestamp();
        var port = ((System.Net.IPEndPoint)silent.LocalEndpoint).Port;
        var document = await FailsAsync(harbor.Environment(("HARBOR_DATABASE_HOST", "127.0.0.1"), ("HARBOR_DATABASE_PORT", $"{port}"), ("HARBOR_REDIS_URL", $"redis://127.0.0.1:{port}/1")));
        Assert.InRange(TimeProvider.System.GetElapsedTime(begun).TotalSeconds, 0, 12);
        Assert.Contains("(timeout)", Reason(document, "database", "failed"), StringComparison.Ordinal);
        Assert.Contains("does not answer", Reason(document, "redis", "failed"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_database_number_is_named_with_the_right_one()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
        var document = await FailsAsync(harbor.Environment(("HARBOR_REDIS_URL", $"redis://127.0.0.1:{redis.Port}/2")));
        Assert.StartsWith($"redis://127.0.0.1:{redis.Port}/2 holds no job service", Reason(document, "job service", "failed"), StringComparison.Ordinal);
        Assert.Equal($"Database 1 has it: set redis://127.0.0.1:{redis.Port}/1.", Mend(document, "job service"));
    }

    [Fact]
    public async Task A_wrong_namespace_is_in_no_database()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
        var document = await FailsAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url), ("HARBOR_REDIS_NAMESPACE", "other")));
        Assert.Contains("HARBOR_REDIS_NAMESPACE", Mend(document, "job service"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_right_in_Redis_is_named_with_what_to_give()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
        await AllowAsync(redis, Rights.Replace(" +hscan", "", StringComparison.Ordinal).Replace(" +hkeys", "", StringComparison.Ordinal));
        var url = ("HARBOR_REDIS_URL", redis.Url.Replace("//", $"//reader:{RedisPassword}@", StringComparison.Ordinal));
        var document = await FailsAsync(harbor.Environment(url));
        Assert.Equal("The user may not HKEYS, HSCAN.", Reason(document, "redis rights", "failed"));
        Assert.Equal("Give it these rights with ACL SETUSER: +hkeys +hscan", Mend(document, "redis rights"));
        await AllowAsync(redis, Rights.Replace("~{harbor_job_service_namespace}:*", "~other:*", StringComparison.Ordinal));
        Assert.EndsWith("~{harbor_job_service_namespace}:*", Mend(await FailsAsync(harbor.Environment(url)), "redis rights"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_that_may_not_ask_for_sizes_is_a_warning_with_what_to_give()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
        await AllowAsync(redis, Rights.Replace(" +memory|usage", "", StringComparison.Ordinal));
        var document = await SucceedsAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url.Replace("//", $"//reader:{RedisPassword}@", StringComparison.Ordinal))));
        Assert.Equal("The user may EXISTS, LLEN, LRANGE, SMEMBERS, HMGET, HKEYS, HSCAN, TIME, but not MEMORY USAGE: a key that is far too large blinds the exporter instead of being left out.",
            Reason(document, "redis rights", "warning"));
        Assert.Equal("Give it this right with ACL SETUSER: +memory|usage", Mend(document, "redis rights"));
    }

    [Fact]
    public async Task A_user_that_may_write_is_a_warning_and_nothing_is_written()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
        await new JobServiceSeed(redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
        var before = await redis.InfoAsync("persistence", "rdb_changes_since_last_save");
        var document = await SucceedsAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)));
        var server = await redis.InfoLinesAsync("server");
        var version = server.FirstOrDefault(line => line.StartsWith("valkey_version:", StringComparison.Ordinal)) ?? server.Single(line => line.StartsWith("redis_version:", StringComparison.Ordinal));
        Assert.EndsWith($"it took no password. It is {(version[0] == 'v' ? "Valkey" : "Redis")} {version.Split(':')[1]}.", Reason(document, "redis", "ok"), StringComparison.Ordinal);
        Assert.Equal("The user default may write.", Reason(document, "redis least privilege", "warning"));
        Assert.StartsWith("maxmemory-policy is allkeys-lru", Reason(document, "redis eviction", "warning"), StringComparison.Ordinal);
        Assert.Equal(before, await redis.InfoAsync("persistence", "rdb_changes_since_last_save"));
    }

    [Fact]
    public async Task A_wrong_Redis_password_is_refused_without_the_password()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync("--requirepass", "right");
        var document = await FailsAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url.Replace("//", $"//:{RedisPassword}@", StringComparison.Ordinal))));
        Assert.Equal($"redis://127.0.0.1:{redis.Port}/1 refuses the user or its password (WRONGPASS invalid username-password pair or user is disabled).", Reason(document, "redis", "failed"));
        Assert.StartsWith("Check HARBOR_REDIS_URL", Mend(document, "redis"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_service_that_is_down_fails_and_a_paused_queue_warns()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync(heartbeat: TimeSpan.FromHours(2));
        await jobs.PauseAsync();
        var document = await FailsAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)));
        Assert.StartsWith("No worker pool has a fresh heartbeat; the newest is of ", Reason(document, "worker pools", "failed"), StringComparison.Ordinal);
        Assert.Equal("Paused: IMAGE_SCAN.", Reason(document, "queues", "warning"));
    }

    [Fact]
    public async Task A_replica_without_its_master_fails()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        await redis.AdministerAsync("REPLICAOF", "127.0.0.1", Tool.FreePort());
        var document = await FailsAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)));
        Assert.Equal("This Redis is a replica without its master: what it shows stands still.", Reason(document, "replication", "failed"));
        Assert.Equal("Mend the replication, or set HARBOR_REDIS_URL to the Redis that the job service writes.", Mend(document, "replication"));
    }

    [Theory]
    [InlineData(401, 401, "harbor api", "failed", "refuses admin (401).")]
    [InlineData(200, 401, "harbor api", "failed", "refuses admin (401).")]
    [InlineData(200, 403, "harbor api role", "warning", "may not see the job service (403)")]
    [InlineData(200, 404, "harbor api role", "skipped", "This Harbor has no API of the job service")]
    [InlineData(502, 502, "harbor api", "failed", "answers 502.")]
    public async Task Harbors_api_is_told_apart_by_its_answers(int systemInfo, int pools, string name, string result, string expected)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var api = await StandInApi.StartAsync(systemInfo, pools);
        var run = await CommandRun.DoctorAsync(Environment(harbor, api), DoctorOutput.Json);
        Assert.Equal(result == "failed" ? DoctorCommand.SomethingFailed : DoctorCommand.NothingFailed, run.Exit);
        Assert.Contains(expected, Reason(JsonNode.Parse(run.Output)!, name, result), StringComparison.Ordinal);
        HasNoSecret(run);
    }

    [Fact]
    public async Task An_api_that_is_away_is_a_failure()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var environment = harbor.Environment(("HARBOR_SERVICE_HOST", "127.0.0.1"), ("HARBOR_SERVICE_PORT", $"{Tool.FreePort()}"), ("HARBOR_API_USERNAME", "admin"), ("HARBOR_API_PASSWORD", ApiPassword));
        Assert.Contains("cannot be reached", Reason(await FailsAsync(environment), "harbor api", "failed"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0, "ok ok")]
    [InlineData(6, 6, "ok warning")]
    [InlineData(0, 6, "warning ok")]
    [InlineData(-20, 11, "failed warning")]
    public void Clocks_are_compared_with_each_other_and_with_this_machine(double database, double redis, string expected) =>
        Assert.Equal(expected, string.Join(' ', ClockCheckup.Of(new SeenClock("the database's", database), new SeenClock("that of Redis", redis)).Select(line => line.Result.ToString().ToLowerInvariant())));

    private static Dictionary<string, string> Environment(TestHarbor harbor, StandInApi api, params (string, string)[] changes) => harbor.Environment(
        [("HARBOR_SERVICE_HOST", "127.0.0.1"), ("HARBOR_SERVICE_PORT", $"{api.Port}"), ("HARBOR_API_USERNAME", "admin"), ("HARBOR_API_PASSWORD", ApiPassword), .. changes]);

    private static Task<JsonNode> FailsAsync(Dictionary<string, string> environment) => RunAsync(environment, DoctorCommand.SomethingFailed);

    private static Task<JsonNode> SucceedsAsync(Dictionary<string, string> environment) => RunAsync(environment, DoctorCommand.NothingFailed);

    private static async Task<JsonNode> RunAsync(Dictionary<string, string> environment, int expected)
    {
        var run = await CommandRun.DoctorAsync(environment, DoctorOutput.Json);
        Assert.True(expected == run.Exit, run.All);
        HasNoSecret(run);
        return JsonNode.Parse(run.Output)!;
    }

    private static string Reason(JsonNode document, string name, string result)
    {
        var line = Line(document, name);
        Assert.Equal(result, (string?)line["result"]);
        return (string)line["reason"]!;
    }

    private static string Mend(JsonNode document, string name) => (string)Line(document, name)["mend"]!;

    private static JsonNode Line(JsonNode document, string name)
    {
        var line = document["checks"]!.AsArray().SingleOrDefault(line => (string?)line!["name"] == name);
        Assert.True(line is not null, $"No check {name} in {document}");
        return line;
    }

    private static async Task AllowAsync(RedisServer redis, string rights) =>
        await redis.AdministerAsync("ACL", ["SETUSER", "reader", "reset", "on", $">{RedisPassword}", .. rights.Split(' ')]);

    /// <summary>A private cluster asks for passwords; a server that trusts everybody cannot refuse one.</summary>
    private static void HasNoSecret(CommandRun run) =>
        Assert.All([RedisPassword, ApiPassword, JobServiceSeed.Secret, TestHarbor.Password], secret => Assert.DoesNotContain(secret, run.All, StringComparison.Ordinal));

    /// <summary>Answers what Harbor's API answers to the two questions that are asked of it.</summary>
    private sealed class StandInApi : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private StandInApi(WebApplication app) => _app = app;

        public int Port => new Uri(_app.Urls.Single()).Port;

        public static async Task<StandInApi> StartAsync(int systemInfo, int pools)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            app.Run(context =>
            {
                context.Response.StatusCode = context.Request.Path == "/api/v2.0/systeminfo" ? systemInfo : context.Request.Path == "/api/v2.0/jobservice/pools" ? pools : 500;
                if (context.Response.StatusCode != 200) return Task.CompletedTask;
                return context.Response.WriteAsync(context.Request.Path == "/api/v2.0/systeminfo" ? """{"harbor_version":"v2.11.1","read_only":false}""" : "[]");
            });
            await app.StartAsync();
            return new StandInApi(app);
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();
    }
}
