using System.Globalization;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>The job service's keys in a real Redis.</summary>
public sealed class RedisKeysTests : IAsyncLifetime
{
    private const string P = "{harbor_job_service_namespace}:";
    private RunningTool? _server;
    private ConnectionMultiplexer? _connection;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IDatabase Redis => _connection!.GetDatabase(1);

    public async ValueTask InitializeAsync()
    {
        var port = Tool.FreePort().ToString(CultureInfo.InvariantCulture);
        _server = await RunningTool.StartAsync("redis-server", ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            async () => (await Tool.RunAsync("redis-cli", ["-p", port, "ping"])).Output.Contains("PONG", StringComparison.Ordinal));
        _connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port}");
    }

    [Fact]
    public async Task A_scan_goes_through_queue_record_progress_and_acknowledgement()
    {
        await using var simulated = await Simulated.StartAsync("2.11.0", new SimulationSettings { ErrorShare = 0, WorkersPerPool = 2, Sweeps = false }, Redis);
        var (task, _) = await simulated.ScanAsync();
        var job = await simulated.OneAsync($"select job_id from task where id = {task}");
        Assert.Matches("^[0-9a-f]{24}$", job);
        Assert.Contains($$""" "id":"{{job}}" """.Trim(), Assert.Single(await Redis.ListRangeAsync($"{P}jobs:IMAGE_SCAN")).ToString(), StringComparison.Ordinal);
        var stats = await HashAsync($"{P}job_stats:{job}");
        Assert.Equal(("Pending", "IMAGE_SCAN", "Generic", $"http://core:8080/service/notifications/tasks/{task}", false),
            (stats["status"], stats["name"], stats["kind"], stats["web_hook_url"], stats.ContainsKey("ack")));
        Assert.Equal("2", (await Redis.HashGetAsync($"{P}job_track:inprogress", job)).ToString());
        Assert.Contains("IMAGE_SCAN", (await Redis.SetMembersAsync($"{P}known_jobs")).Select(name => name.ToString()));

        await simulated.AdvanceAsync(TimeSpan.FromSeconds(4));
        var pool = Assert.Single(await Redis.SetMembersAsync($"{P}worker_pools")).ToString();
        var heartbeat = await HashAsync($"{P}worker_pools:{pool}");
        Assert.Equal(2, heartbeat["worker_ids"].Split(',').Length);
        Assert.InRange(new DateTimeOffset(simulated.Harbor.Now).ToUnixTimeSeconds() - long.Parse(heartbeat["heartbeat_at"], CultureInfo.InvariantCulture), 0, 5);
        Assert.False(await Redis.KeyExistsAsync($"{P}jobs:IMAGE_SCAN"));
        Assert.Equal(1, await Redis.ListLengthAsync($"{P}jobs:IMAGE_SCAN:{pool}:inprogress"));
        Assert.Equal("1", (await Redis.StringGetAsync($"{P}jobs:IMAGE_SCAN:lock")).ToString());
        Assert.Equal("1", (await Redis.HashGetAsync($"{P}jobs:IMAGE_SCAN:lock_info", pool)).ToString());
        var busy = await Task.WhenAll(heartbeat["worker_ids"].Split(',').Select(id => HashAsync($"{P}worker:{id}")));
        Assert.Equal(job, Assert.Single(busy, worker => worker.Count > 0)["job_id"]);
        stats = await HashAsync($"{P}job_stats:{job}");
        Assert.Equal(("Running", $$"""{"status":"Running","revision":{{stats["revision"]}},"check_in_at":0}"""), (stats["status"], stats["ack"]));
        Assert.Null(await Redis.KeyTimeToLiveAsync($"{P}job_stats:{job}"));

        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        stats = await HashAsync($"{P}job_stats:{job}");
        Assert.Equal("Success", stats["status"]);
        Assert.Contains("Success", stats["ack"], StringComparison.Ordinal);
        Assert.InRange((await Redis.KeyTimeToLiveAsync($"{P}job_stats:{job}"))!.Value.TotalSeconds, 86300, 86400);
        Assert.False(await Redis.KeyExistsAsync($"{P}job_track:inprogress"));
        Assert.False(await Redis.KeyExistsAsync($"{P}jobs:IMAGE_SCAN:{pool}:inprogress"));
        Assert.Equal("0", (await Redis.StringGetAsync($"{P}jobs:IMAGE_SCAN:lock")).ToString());

        await simulated.AdvanceAsync(TimeSpan.FromHours(24));
        Assert.False(await Redis.KeyExistsAsync($"{P}job_stats:{job}"));
    }

    [Fact]
    public async Task Redis_emptied_from_outside_loses_the_queue_and_only_the_heartbeat_returns()
    {
        await using var simulated = await Simulated.StartAsync("2.11.0", redis: Redis);
        await simulated.Harbor.PauseQueueAsync(cancellationToken: Token);
        var (task, _) = await simulated.ScanAsync();
        await Redis.ExecuteAsync("FLUSHDB");
        await simulated.AdvanceAsync(TimeSpan.FromHours(30));
        Assert.Equal("Pending|0", await simulated.StatusAsync(task));
        Assert.Equal(ScanFate.Lost, Assert.Single(await simulated.Harbor.TruthAsync(Token)).Fate);
        Assert.False(await Redis.KeyExistsAsync($"{P}known_jobs"));
        Assert.Single(await Redis.SetMembersAsync($"{P}worker_pools"));
    }

    [Fact]
    public async Task A_dead_pool_keeps_its_heartbeat_and_its_progress_until_a_living_one_requeues_them()
    {
        await using var simulated = await Simulated.StartAsync("2.11.0", redis: Redis);
        var (task, _) = await simulated.RunningScanAsync();
        var dead = Assert.Single(await Redis.SetMembersAsync($"{P}worker_pools")).ToString();
        simulated.Harbor.KillJobService();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(10));
        Assert.Equal(1, await Redis.ListLengthAsync($"{P}jobs:IMAGE_SCAN:{dead}:inprogress"));
        await simulated.Harbor.StartJobServiceAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(12));
        Assert.DoesNotContain(dead, (await Redis.SetMembersAsync($"{P}worker_pools")).Select(id => id.ToString()));
        Assert.False(await Redis.KeyExistsAsync($"{P}worker_pools:{dead}"));
        Assert.Equal("Running|2|2", await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
    }

    [Fact]
    public async Task Keys_kept_in_memory_move_to_Redis_as_they_are()
    {
        await using var simulated = await Simulated.StartAsync("2.11.0", new SimulationSettings { WorkersPerPool = 1, ErrorShare = 0, Sweeps = false });
        var (first, _) = await simulated.RunningScanAsync();
        var (second, _) = await simulated.ScanAsync();
        await simulated.Harbor.MoveToRedisAsync(Redis);
        Assert.Equal(2, await Redis.HashLengthAsync($"{P}job_track:inprogress"));
        Assert.Equal(1, await Redis.ListLengthAsync($"{P}jobs:IMAGE_SCAN"));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3", await simulated.StatusAsync(first));
        Assert.Equal("Success|3", await simulated.StatusAsync(second));
        await Assert.ThrowsAsync<InvalidOperationException>(() => simulated.Harbor.MoveToRedisAsync(Redis));
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
    }

    private async Task<Dictionary<string, string>> HashAsync(string key) =>
        (await Redis.HashGetAllAsync(key)).ToDictionary(entry => entry.Name.ToString(), entry => entry.Value.ToString(), StringComparer.Ordinal);
}
