using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>What Harbor does when its Redis is emptied or starts again empty (harbor-facts 0.2).</summary>
public sealed class EmptiedRedisTests
{
    private const string Pools = $"{JobServiceSeed.Prefix}worker_pools";
    private const string KnownJobs = $"{JobServiceSeed.Prefix}known_jobs";
    private const string Paused = $"{JobServiceSeed.Prefix}jobs:IMAGE_SCAN:paused";

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(8);
    private static readonly SimulationSettings Slow = new() { ErrorShare = 0, Sweeps = false, WorkersPerPool = 1, MeanScan = TimeSpan.FromMinutes(30) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queued_and_running_scans_are_lost_and_the_process_that_ran_one_dies_and_starts_again()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var simulated = await Simulated.StartAsync(settings: Slow, redis: redis.Database);
        var running = await simulated.RunningScanAsync();
        var queued = await simulated.ScanAsync();
        var before = Assert.Single(await PoolsAsync(redis));
        await simulated.Harbor.LoseRedisAsync(Token);
        Assert.Equal([(running.Task, ScanFate.Lost, false), (queued.Task, ScanFate.Lost, false)],
            (await simulated.Harbor.TruthAsync(Token)).Select(truth => (truth.TaskId, truth.Fate, truth.WillEndByItself)));
        Assert.Empty(await PoolsAsync(redis));
        await simulated.AdvanceAsync(Poll);
        Assert.False(simulated.Harbor.IsRunning(running.Task));
        Assert.Equal(1, simulated.Harbor.Happened["job service panicked"]);
        await simulated.AdvanceAsync(Slow.RestartAfter);
        Assert.Single(await PoolsAsync(redis), pool => pool != before);
        Assert.True(await redis.Database.SetContainsAsync(KnownJobs, "IMAGE_SCAN"));
        await simulated.AdvanceAsync(TimeSpan.FromDays(10));
        Assert.Equal(("Running|2", "Pending|0"), (await simulated.StatusAsync(running.Task), await simulated.StatusAsync(queued.Task)));
    }

    [Fact]
    public async Task A_scan_that_ends_before_it_looks_at_its_stop_flag_reports_its_end()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.RunningScanAsync();
        var end = Assert.Single(await simulated.Harbor.TruthAsync(Token)).HealsAt!.Value;
        await simulated.Harbor.AdvanceToAsync(end - TimeSpan.FromSeconds(1), Token);
        await simulated.Harbor.LoseRedisAsync(Token);
        Assert.Equal((ScanFate.Running, true), Assert.Single((await simulated.Harbor.TruthAsync(Token)).Select(truth => (truth.Fate, truth.WillEndByItself))));
        await simulated.AdvanceAsync(Poll);
        Assert.Equal("Success|3", await simulated.StatusAsync(task));
        Assert.False(simulated.Harbor.Happened.ContainsKey("job service panicked"));
    }

    [Fact]
    public async Task Of_two_job_services_the_one_that_ran_the_scan_dies()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var simulated = await Simulated.StartAsync(settings: Slow with { Pools = 2, RestartAfter = TimeSpan.FromHours(1) }, redis: redis.Database);
        await simulated.RunningScanAsync();
        var before = await PoolsAsync(redis);
        Assert.Equal(2, before.Count);
        await simulated.Harbor.LoseRedisAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(30));
        Assert.Contains(Assert.Single(await AliveAsync(redis, simulated)), before);
        Assert.False(await redis.Database.KeyExistsAsync(KnownJobs));
    }

    [Fact]
    public async Task One_that_ran_none_writes_its_heartbeat_within_five_seconds_and_announces_only_what_is_enqueued_minutes_later()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var simulated = await Simulated.StartAsync(redis: redis.Database);
        await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(2));
        await simulated.Harbor.PauseQueueAsync(cancellationToken: Token);
        var before = Assert.Single(await PoolsAsync(redis));
        await simulated.Harbor.LoseRedisAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(before, Assert.Single(await PoolsAsync(redis)));
        Assert.Contains("IMAGE_SCAN", (await redis.Database.HashGetAsync($"{Pools}:{before}", "job_names")).ToString(), StringComparison.Ordinal);

        // It remembers that it has announced the type: scans run, and known_jobs stays away.
        var (task, _) = await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("Success|3", await simulated.StatusAsync(task));
        Assert.False(await redis.Database.KeyExistsAsync(KnownJobs));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(2));
        await simulated.ScanAsync();
        Assert.Equal("IMAGE_SCAN", Assert.Single(await redis.Database.SetMembersAsync(KnownJobs)).ToString());

        // The pause is in the database, and in Redis again at the next start.
        Assert.Equal("t", await simulated.OneAsync("select paused from job_queue_status"));
        Assert.False(await redis.Database.KeyExistsAsync(Paused));
        await simulated.Harbor.ReplacePoolAsync(Token);
        Assert.True(await redis.Database.KeyExistsAsync(Paused));
        Assert.True(await redis.Database.SetContainsAsync(KnownJobs, "REPLICATION"));
    }

    [Fact]
    public async Task Executions_that_waited_for_a_refresh_stay_Running_over_final_tasks()
    {
        await using var simulated = await Simulated.StartAsync("2.8.0");
        var (task, execution) = await simulated.RunningScanAsync();
        await simulated.Harbor.AdvanceToAsync(Assert.Single(await simulated.Harbor.TruthAsync(Token)).HealsAt!.Value, Token);
        Assert.Equal(("Success|3", "Running"), (await simulated.StatusAsync(task), await simulated.ExecutionAsync(execution)));
        await simulated.Harbor.LoseRedisAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromHours(5));
        Assert.Equal("Running", await simulated.ExecutionAsync(execution));
    }

    [Fact]
    public async Task A_Redis_that_starts_again_empty_while_the_job_service_is_down_loses_everything_as_well()
    {
        await using var simulated = await Simulated.StartAsync(settings: Slow);
        var running = await simulated.RunningScanAsync();
        var queued = await simulated.ScanAsync();
        simulated.Harbor.KillJobService();
        await simulated.Harbor.LoseRedisAsync(Token);
        await simulated.Harbor.StartJobServiceAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromHours(30));
        Assert.Equal([(running.Task, ScanFate.Lost), (queued.Task, ScanFate.Lost)], (await simulated.Harbor.TruthAsync(Token)).Select(truth => (truth.TaskId, truth.Fate)));
    }

    [Fact]
    public async Task A_lost_record_of_a_running_scan_takes_its_process_down_and_the_other_scans_are_run_again()
    {
        await using var simulated = await Simulated.StartAsync(settings: Slow with { WorkersPerPool = 2 });
        var lost = await simulated.RunningScanAsync();
        var other = await simulated.RunningScanAsync();
        await simulated.Harbor.LoseRecordAsync(lost.Task, Token);
        var truths = (await simulated.Harbor.TruthAsync(Token)).ToDictionary(truth => truth.TaskId);
        Assert.Equal((ScanFate.Lost, false), (truths[lost.Task].Fate, truths[lost.Task].WillEndByItself));
        Assert.True(truths[other.Task].WillEndByItself);
        await simulated.AdvanceAsync(TimeSpan.FromHours(3));
        Assert.Equal("Running|2|1", await simulated.OneAsync($"select status, status_code, run_count from task where id = {lost.Task}"));
        Assert.Equal("Success|3|2", await simulated.OneAsync($"select status, status_code, run_count from task where id = {other.Task}"));
    }

    private static async Task<List<string>> PoolsAsync(RedisServer redis) =>
        [.. (await redis.Database.SetMembersAsync(Pools)).Select(pool => pool.ToString())];

    private static async Task<List<string>> AliveAsync(RedisServer redis, Simulated simulated)
    {
        List<string> alive = [];
        foreach (var pool in await PoolsAsync(redis))
        {
            var beat = (long)await redis.Database.HashGetAsync($"{Pools}:{pool}", "heartbeat_at");
            if (new DateTimeOffset(simulated.Harbor.Now).ToUnixTimeSeconds() - beat <= 10) alive.Add(pool);
        }
        return alive;
    }
}
