using HarborScanExporter.Settings;
using HarborScanExporter.Tests.JobService;
using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Metrics.Collectors;

/// <summary>The job service as /metrics shows it.</summary>
public sealed class JobServiceCollectorTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly string[] Shown =
    [
        "harbor_scan_jobservice_pools", "harbor_scan_jobservice_workers", "harbor_scan_queue_length", "harbor_scan_queue_oldest_age_seconds", "harbor_scan_ghost_workers",
    ];

    [Fact]
    public async Task Pools_are_alive_or_dead_by_their_heartbeat()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.PoolAsync("b1b1c000000000000000b1b1", heartbeat: TimeSpan.FromSeconds(20), workers: 5);
        await situation.Jobs.PoolAsync("dead0000000000000000dead", heartbeat: TimeSpan.FromSeconds(40), workers: 7);
        // A pool of which only its count is left.
        await situation.Redis.Database.HashSetAsync(JobServiceSeed.Prefix + "jobs:IMAGE_SCAN:lock_info", "90e0000000000000000090e0", 1);
        var scrape = await ScrapeAsync(situation);
        Assert.Equal(["""{state="alive"} 2""", """{state="dead"} 2"""], scrape.NonZero("harbor_scan_jobservice_pools"));
        Assert.Equal(["""{state="idle"} 15"""], scrape.NonZero("harbor_scan_jobservice_workers"));
        Assert.Equal(1, scrape.Value("harbor_scan_jobservice_up"));
    }

    [Fact]
    public async Task Workers_are_busy_over_the_jobs_of_every_type()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.InProgressAsync("scan", Hour);
        await situation.Jobs.WorkerAsync("scan", Minute, number: 0);
        // One whose own hash has expired, and one of another type.
        await situation.Jobs.InProgressAsync("old", 30 * Hour);
        await situation.Jobs.WorkerAsync("copy", Minute, number: 2);
        await situation.Redis.Database.HashSetAsync($"{JobServiceSeed.Prefix}worker:{JobServiceSeed.Worker(JobServiceSeed.Pool, 2)}", "job_name", "REPLICATION");
        // A dead pool's workers do nothing.
        await situation.Jobs.PoolAsync("dead0000000000000000dead", heartbeat: Hour);
        await situation.Jobs.WorkerAsync("gone", Hour, "dead0000000000000000dead");
        var scrape = await ScrapeAsync(situation);
        Assert.Equal(["""{state="busy"} 3""", """{state="idle"} 7"""], scrape.NonZero("harbor_scan_jobservice_workers"));
    }

    [Fact]
    public async Task Queues_have_a_length_and_the_age_of_their_oldest_job()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.QueueAsync(2 * Hour, "first");
        // A job that was put back stands last though it is older.
        await situation.Jobs.QueueAsync(Hour, "second");
        await situation.Jobs.QueueAsync(5 * Hour, "again");
        await situation.Redis.Database.ListLeftPushAsync(JobServiceSeed.Prefix + "jobs:EXECUTION_SWEEP", $$"""{"name":"EXECUTION_SWEEP","id":"sweep","t":{{JobServiceSeed.Ago(3 * Hour)}}}""");
        await situation.Jobs.PauseAsync("EXECUTION_SWEEP");
        var scrape = await ScrapeAsync(situation);
        Assert.Equal(["""{queue="EXECUTION_SWEEP"} 1""", """{queue="IMAGE_SCAN"} 3"""], scrape.NonZero("harbor_scan_queue_length"));
        Assert.InRange(scrape.Value("harbor_scan_queue_oldest_age_seconds", ("queue", "IMAGE_SCAN")), 5 * 3600 - 1, 5 * 3600 + 60);
        Assert.InRange(scrape.Value("harbor_scan_queue_oldest_age_seconds", ("queue", "EXECUTION_SWEEP")), 3 * 3600 - 1, 3 * 3600 + 60);
        Assert.Equal(["""{queue="EXECUTION_SWEEP"} 1"""], scrape.NonZero("harbor_scan_queue_paused"));
    }

    [Fact]
    public async Task Empty_queues_have_length_and_age_0()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var scrape = await ScrapeAsync(situation);
        foreach (var queue in new[] { "IMAGE_SCAN", "EXECUTION_SWEEP" })
        {
            Assert.Equal(0, scrape.Value("harbor_scan_queue_length", ("queue", queue)));
            Assert.Equal(0, scrape.Value("harbor_scan_queue_oldest_age_seconds", ("queue", queue)));
            Assert.Equal(0, scrape.Value("harbor_scan_queue_paused", ("queue", queue)));
        }
        Assert.Equal(0, scrape.Value("harbor_scan_ghost_workers"));
        Assert.Equal(0, scrape.Value("harbor_scan_orphan_hooks"));
    }

    [Fact]
    public async Task A_worker_is_a_ghost_when_its_scan_has_been_over_for_five_minutes_or_its_record_has_expired()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync(started: 30 * Hour);
        async Task HoldAsync(string job, TimeSpan enqueued, string? status = null, TimeSpan? updated = null)
        {
            await situation.Jobs.InProgressAsync(job, enqueued);
            if (status is not null) await situation.Jobs.RecordAsync(job, status, updated!.Value, acknowledged: status);
        }
        await HoldAsync("error", 26 * Hour, "Error", 6 * Minute);
        await HoldAsync("stopped", Hour, "Stopped", 6 * Minute);
        await HoldAsync("ending", Hour, "Stopped", 4 * Minute);
        await HoldAsync("running", Hour, "Running", Hour);
        await HoldAsync("expired", 25 * Hour);
        await HoldAsync("young", 23 * Hour);
        // An expired record of a task that is open: its worker may be at it.
        await HoldAsync("open", 25 * Hour);
        await situation.Seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(Hour), created: 25 * Hour, update: Ago(Hour), jobId: "open");
        // A dead pool's list holds no worker.
        await situation.Jobs.PoolAsync("dead0000000000000000dead", heartbeat: Hour);
        await situation.Jobs.InProgressAsync("dead", 26 * Hour, "dead0000000000000000dead");
        await situation.Jobs.RecordAsync("dead", "Error", Hour, acknowledged: "Error");
        Assert.Equal(3, (await ScrapeAsync(situation)).Value("harbor_scan_ghost_workers"));
    }

    [Fact]
    public async Task A_worker_that_is_held_by_another_kind_of_job_is_no_ghost_of_a_scan()
    {
        // goharbor/harbor 15708: a stopped replication holds its worker
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.WorkerAsync("copy", Hour);
        await situation.Redis.Database.HashSetAsync($"{JobServiceSeed.Prefix}worker:{JobServiceSeed.Worker(JobServiceSeed.Pool, 0)}", "job_name", "REPLICATION");
        await situation.Jobs.RecordAsync("copy", "Stopped", Hour, acknowledged: "Stopped");
        var scrape = await ScrapeAsync(situation);
        Assert.Equal(0, scrape.Value("harbor_scan_ghost_workers"));
        Assert.Equal(["""{state="busy"} 1""", """{state="idle"} 9"""], scrape.NonZero("harbor_scan_jobservice_workers"));
    }

    [Fact]
    public async Task Hooks_are_orphans_when_nobody_takes_them_and_no_task_has_their_job()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.RecordAsync("orphan", "Success", Hour);
        await situation.Jobs.RecordAsync("older run", "Success", Hour, acknowledged: "Running");
        await situation.Jobs.RecordAsync("taken", "Success", Hour, acknowledged: "Success");
        await situation.Jobs.RecordAsync("young", "Success", 14 * Minute);
        await situation.Jobs.RecordAsync("silent", "Success", Hour);
        await situation.Redis.Database.HashDeleteAsync(JobServiceSeed.Prefix + "job_stats:silent", "web_hook_url");
        await situation.Redis.Database.HashSetAsync(JobServiceSeed.Prefix + "job_track:inprogress", "untracked", "1");
        // Jobs that a task has: an open one, one that is over, one of another vendor type.
        await situation.Jobs.RecordAsync("open", "Pending", Hour);
        await situation.Jobs.QueueAsync(Hour, "open");
        await situation.Jobs.RecordAsync("over", "Success", Hour);
        await situation.Jobs.RecordAsync("copy", "Success", Hour);
        var execution = await situation.Seed.ExecutionAsync(started: 2 * Hour);
        await situation.Seed.TaskAsync(execution, created: Hour, jobId: "open");
        await situation.Seed.TaskAsync(execution, status: "Success", revision: RevisionAgo(Hour), created: Hour, update: Ago(Hour), end: Ago(Hour), jobId: "over");
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync("REPLICATION", started: 2 * Hour), "REPLICATION", created: Hour, jobId: "copy");
        // Core looks for a run of a schedule by the schedule's own id.
        foreach (var (run, schedule) in new[] { ("weekly@1", "weekly"), ("gone@1", "gone"), ("gone@2", "gone") })
        {
            await situation.Jobs.RecordAsync(run, "Error", Hour);
            await situation.Redis.Database.HashSetAsync($"{JobServiceSeed.Prefix}job_stats:{run}", "upstream_job_id", schedule);
        }
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync("SCHEDULER", started: 900 * Hour), "SCHEDULER", "Success", revision: RevisionAgo(Hour), created: 900 * Hour, jobId: "weekly");
        // orphan, older run, and the schedule that is gone.
        Assert.Equal(3, (await ScrapeAsync(situation)).Value("harbor_scan_orphan_hooks"));
    }

    [Theory]
    [InlineData(14, 0)]
    [InlineData(16, 1)]
    public async Task An_end_that_core_has_not_taken_for_fifteen_minutes_is_an_orphan_hook(int minutes, int orphans)
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.RecordAsync("orphan", "Error", TimeSpan.FromMinutes(minutes));
        Assert.Equal(orphans, (await ScrapeAsync(situation)).Value("harbor_scan_orphan_hooks"));
    }

    [Fact]
    public async Task Of_3000_tracked_jobs_each_collection_looks_at_some_and_the_number_is_that_of_a_round()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        string[] jobs = [.. Enumerable.Range(0, 3_000).Select(i => $"orphan{i}")];
        foreach (var chunk in jobs.Chunk(500)) await Task.WhenAll(chunk.Select(job => situation.Jobs.RecordAsync(job, "Error", 40 * 24 * Hour)));
        await situation.StartAsync();
        List<double> counts = [];
        for (var i = 0; i < 8; i++) counts.Add((await situation.Exporter.ScrapeAsync()).Value("harbor_scan_orphan_hooks"));
        Assert.Equal([500, 1000, 1500, 2000, 2500, 3000, 3000, 3000], counts);
        // What is gone is forgotten when the walk comes round, and not before it was looked at.
        await situation.Redis.Database.KeyDeleteAsync(JobServiceSeed.Prefix + "job_track:inprogress");
        counts.Clear();
        for (var i = 0; i < 8; i++) counts.Add((await situation.Exporter.ScrapeAsync()).Value("harbor_scan_orphan_hooks"));
        Assert.Equal(0, counts[^1]);
        Assert.Equal(counts.OrderDescending(), counts);
    }

    [Theory]
    [InlineData("2.4.0", false)]
    [InlineData("2.5.0", true)]
    public async Task Orphan_hooks_are_absent_where_Harbor_has_no_index_to_ask_by(string release, bool shown)
    {
        await using var situation = await Situation.CreateAsync(release);
        await situation.Jobs.UpAsync();
        await situation.Jobs.RecordAsync("orphan", "Error", Hour);
        Assert.Equal(shown, (await ScrapeAsync(situation)).Families.Contains("harbor_scan_orphan_hooks"));
    }

    [Fact]
    public async Task Without_Redis_configured_the_collector_is_not_there()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        Assert.DoesNotContain(scrape.Families, family => family.Contains("jobservice", StringComparison.Ordinal));
        Assert.DoesNotContain(scrape.Series.Keys, series => series.Contains("collector=\"jobservice\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_Redis_that_does_not_answer_fails_its_collector_and_no_other()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.StartAsync((Setting.Names.RedisUrl, $"redis://127.0.0.1:{Tool.FreePort()}/1"));
        var scrape = await situation.Exporter.ScrapeAsync();
        Assert.Equal(["""{state="unreachable"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        AssertFailed(scrape);
        await situation.Exporter.ScrapeAsync();
        Assert.Contains("Check HARBOR_REDIS_URL", Assert.Single(situation.Exporter.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_that_refuses_the_password_is_refused()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync("--requirepass", "right");
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.RedisUrl, redis.Url.Replace("redis://", "redis://:wrong@", StringComparison.Ordinal)));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="refused"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        AssertFailed(scrape);
        Assert.DoesNotContain("wrong", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_without_a_job_service_is_empty_and_shows_what_little_it_holds()
    {
        await using var situation = await Situation.CreateAsync();
        var scrape = await ScrapeAsync(situation);
        Assert.Equal(["""{state="empty"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(0, scrape.Value("harbor_scan_jobservice_up"));
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.All(Shown, family => Assert.Contains(family, scrape.Families));
        Assert.DoesNotContain("harbor_scan_orphan_hooks", scrape.Families);
    }

    [Fact]
    public async Task A_Redis_that_was_away_is_used_again_without_a_restart()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await ScrapeAsync(situation);
        await situation.Redis.KillAsync();
        AssertFailed(await situation.Exporter.ScrapeAsync());
        await situation.Redis.RestartAsync();
        await situation.Jobs.UpAsync();
        var scrape = await situation.Exporter.ScrapeAsync();
        Assert.Equal(["""{state="usable"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(1, scrape.Value("harbor_scan_collector_success", ("collector", "jobservice")));
    }

    private static void AssertFailed(MetricsDocument scrape)
    {
        Assert.Equal(0, scrape.Value("harbor_scan_jobservice_up"));
        Assert.Equal(0, scrape.Value("harbor_scan_collector_success", ("collector", "jobservice")));
        Assert.Equal(1, scrape.Value("harbor_scan_collector_success", ("collector", "diagnosis")));
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.DoesNotContain(scrape.Families, Shown.Contains);
    }

    private static async Task<MetricsDocument> ScrapeAsync(Situation situation)
    {
        await situation.StartAsync();
        return await situation.Exporter.ScrapeAsync();
    }
}
