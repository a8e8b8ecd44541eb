using System.Globalization;
using System.Text.Json;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>
/// The situations that look stuck and are not: every place stays silent about them, or says what they wait for. Letters and numbers are those
/// of the replay list.
/// </summary>
public sealed class HealthySituationTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task N2_A_scan_all_that_has_just_started_is_left_alone()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 2 * Minute, "MANUAL", 0);
        await situation.IsToldAsync(new Told());
    }

    [Fact]
    public async Task N2_A_scan_all_that_still_enumerates_after_forty_minutes_is_left_alone()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 40 * Minute, "MANUAL", 0);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(39 * Minute), runCount: 1, created: 39 * Minute, update: Ago(20 * Minute), end: Ago(20 * Minute), copies: 900);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(Minute), runCount: 1, created: 3 * Second, update: Ago(Second), end: Ago(Second));
        await situation.IsToldAsync(new Told());
    }

    [Fact]
    public async Task N3_A_big_scan_all_behind_which_everything_waits_is_starved_not_stuck()
    {
        // goharbor/harbor 19385: the queue is longer than what is read of it, and the open tasks are more than one collection judges
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 9 * Hour, "MANUAL", 0, update: Ago(Minute));
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(9 * Hour), runCount: 1, created: 9 * Hour, update: Ago(Minute), end: Ago(Minute), copies: 2_000);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Running", revision: RevisionAgo(9 * Hour), runCount: 1, created: 9 * Hour, start: Ago(9 * Hour), update: Ago(4 * Minute), end: ZeroTime, copies: 10);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", revision: RevisionAgo(9 * Hour), runCount: 1, created: 9 * Hour, start: Ago(9 * Hour), update: Ago(8 * Hour), end: ZeroTime, copies: 6_000);
        await situation.Seed.NumberJobsAsync(execution, "Running", "runs");
        await situation.Seed.NumberJobsAsync(execution, "Pending", "waits");
        await situation.Jobs.BacklogAsync(9 * Hour, [.. Enumerable.Range(1, 6_000).Select(i => $"waits{i}")]);
        for (var i = 1; i <= 10; i++)
        {
            await situation.Jobs.RecordAsync($"runs{i}", "Running", 4 * Minute, revision: 9 * Hour, acknowledged: "Running");
            await situation.Jobs.InProgressAsync($"runs{i}", 9 * Hour);
            await situation.Jobs.WorkerAsync($"runs{i}", 4 * Minute, number: i - 1);
        }
        await situation.FirstLookAsync();
        // Between two looks two hundred of them end.
        await situation.Redis.Database.ListTrimAsync(JobServiceSeed.Prefix + "jobs:IMAGE_SCAN", 0, -201);
        await situation.Seed.ExecuteAsync($"update task set status = 'Success', status_code = 3, update_time = {Ago(Second)}, end_time = {Ago(Second)} where job_id in (select 'waits' || i from generate_series(1, 200) i)");
        await situation.IsToldAsync(new Told { Live = ["SCAN_ALL queued 5800", "SCAN_ALL running 10"] });
    }

    [Fact]
    public async Task N4_A_fresh_task_in_the_queue_is_queued()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 40 * Minute), created: 40 * Minute, jobId: "fresh");
        await situation.Jobs.RecordAsync("fresh", "Pending", 40 * Minute);
        await situation.Jobs.QueueAsync(40 * Minute, "fresh");
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN queued 1"] });
        // The same row without access to Redis.
        await using var without = await RunningExporter.StartAsync(situation.Harbor);
        Assert.Equal(new Told { Live = ["IMAGE_SCAN unjudged 1"] }.ToString(), MetricsView.Of(await without.ScrapeAsync()).ToString());
    }

    [Fact]
    public async Task N5_A_waiting_task_that_the_reaper_has_touched_is_queued_though_it_has_a_start_time()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 2 * Hour), revision: RevisionAgo(2 * Hour), runCount: 1, created: 2 * Hour, start: Ago(2 * Hour), update: Ago(Hour), end: ZeroTime, jobId: "touched");
        await situation.Jobs.RecordAsync("touched", "Pending", 2 * Hour, acknowledged: "Pending");
        await situation.Jobs.QueueAsync(2 * Hour, "touched");
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN queued 1"] });
    }

    [Fact]
    public async Task N6_A_running_task_whose_job_waits_again_is_requeued()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await RunningAsync(situation, 3 * Hour, "again");
        await situation.Jobs.RecordAsync("again", "Running", 3 * Hour, acknowledged: "Running");
        await situation.Jobs.QueueAsync(4 * Hour, "again");
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN requeued 1"] });
    }

    [Fact]
    public async Task N7_A_second_run_ages_from_its_own_start()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 30 * Hour), status: "Running", revision: RevisionAgo(5 * Minute), runCount: 2, created: 30 * Hour, start: Ago(5 * Minute), update: Ago(5 * Minute), end: ZeroTime, jobId: "second");
        await situation.Jobs.RecordAsync("second", "Running", 5 * Minute, acknowledged: "Running");
        await situation.Jobs.InProgressAsync("second", 30 * Hour);
        await situation.Jobs.WorkerAsync("second", 5 * Minute);
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN running 1"] });
    }

    [Fact]
    public async Task N8_A_paused_queue_is_an_operators_wish()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.ExecuteAsync("insert into job_queue_status (job_type, paused, update_time) values ('IMAGE_SCAN', true, now() - interval '3 hours')");
        var execution = await situation.Seed.ExecutionAsync(started: 3 * Hour);
        await situation.Seed.TaskAsync(execution, created: 3 * Hour, copies: 12);
        await situation.Seed.NumberJobsAsync(execution, "Pending", "waits");
        await situation.Jobs.BacklogAsync(3 * Hour, [.. Enumerable.Range(1, 12).Select(i => $"waits{i}")]);
        await situation.Jobs.PauseAsync();
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN paused 12"], System = ["queue_paused"] });
        using var document = JsonDocument.Parse(await situation.Operated.GetAsync("/api/v1/findings"));
        Assert.InRange(Assert.Single(document.RootElement.GetProperty("findings").EnumerateArray()).GetProperty("age_seconds").GetDouble(), 3 * 3600, 3 * 3600 + 300);
    }

    [Fact]
    public async Task N9_Schedules_and_other_jobs_are_no_scans()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var scheduler = await situation.Seed.ExecutionAsync("SCHEDULER", "Running", 900 * Day, vendorId: 3);
        await situation.Seed.TaskAsync(scheduler, "SCHEDULER", "Scheduled", revision: RevisionAgo(12 * Hour), runCount: 1, created: 900 * Day, jobId: "weekly");
        await situation.Seed.TaskAsync(scheduler, "SCHEDULER", created: 900 * Day, jobId: "yearly");
        await situation.Jobs.RecordAsync("weekly@1790035200", "Scheduled", 12 * Hour);
        await situation.Redis.Database.HashSetAsync(JobServiceSeed.Prefix + "job_stats:weekly@1790035200", "upstream_job_id", "weekly");
        await situation.IsToldAsync(new Told());
    }

    [Theory]
    [InlineData("update task set status = 'Success', status_code = 3, end_time = now() at time zone 'utc'")]
    [InlineData("delete from task")]
    [InlineData("update task set status_revision = status_revision + 60, run_count = 2", "IMAGE_SCAN settling 1")]
    [InlineData("update task set update_time = update_time + interval '1 minute'", "IMAGE_SCAN settling 1")]
    public async Task N12_A_scan_that_ends_or_changes_during_the_look_is_not_lost(string change, params string[] live)
    {
        await using var situation = await Situation.CreateAsync();
        await using var path = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        await situation.Jobs.UpAsync();
        await RunningAsync(situation, 3 * Minute, "ending");
        await situation.Seed.ExecuteAsync("create table kept as select * from task");
        await situation.StartAsync((Setting.Names.RedisUrl, $"redis://127.0.0.1:{path.Port}/{RedisServer.Number}"), (Setting.Names.ScrapeTimeout, "60s"));
        // Its record has expired already: but for reading the row again, the second look would call it lost.
        Assert.Equal(new Told { Live = ["IMAGE_SCAN settling 1"] }.ToString(), (await situation.FirstLookAsync()).ToString());
        foreach (var view in SituationViews.All)
        {
            var frozen = await situation.Harbor.Database.ScalarAsync<DateTime>("select clock_timestamp()");
            path.Freeze();
            var look = view.LookAsync(situation);
            // The first transaction has read the row and is over; Redis keeps the second waiting.
            await Eventually.HoldsAsync(
                async () => await situation.Harbor.Database.ScalarAsync<long>(
                    $"select count(*) from pg_stat_activity where usename = '{situation.Harbor.Role}' and state = 'idle' and state_change > '{frozen:O}' and query ilike any(array['commit%', 'rollback%'])") > 0,
                TimeSpan.FromSeconds(15), () => "The first transaction never ended.");
            await situation.Seed.ExecuteAsync(change);
            path.Thaw();
            Assert.Equal($"{view.Name}\n{new Told { Live = live }}", $"{view.Name}\n{await look}");
            await situation.Seed.ExecuteAsync("delete from task; insert into task select * from kept");
        }
        Assert.Empty(situation.Exporter.Warnings);
        await situation.IsToldNowAsync(new Told { Stuck = ["IMAGE_SCAN lost 1"] });
    }

    [Theory]
    [InlineData("Asia/Shanghai", "alter database {0} set timezone = '{2}'")]
    [InlineData("America/New_York", "alter database {0} set timezone = '{2}'")]
    [InlineData("Asia/Shanghai", "alter role {1} set timezone = '{2}'")]
    [InlineData("America/New_York", "alter role {1} set timezone = '{2}'")]
    public async Task N13_Ages_depend_neither_on_the_zone_of_the_database_nor_on_that_of_the_session(string zone, string set)
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Seed.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, set, situation.Harbor.Database.Name, situation.Harbor.Role, zone));
        await AgesAreOfUtcAsync(situation);
    }

    [Theory]
    [InlineData("Asia/Shanghai")]
    [InlineData("America/New_York")]
    public async Task N13_Ages_do_not_depend_on_the_zone_of_the_server(string zone)
    {
        await using var server = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries(), $"timezone = '{zone}'");
        await using var situation = await Situation.CreateAsync(database: await TestDatabase.CreateAsync(server.AdministratorConnectionString, "registry"));
        Assert.Equal(zone, await situation.Harbor.Database.ScalarAsync<string>("show timezone"));
        await AgesAreOfUtcAsync(situation);
    }

    [Fact]
    public async Task N16_An_execution_in_the_window_of_the_asynchronous_refresh_is_left_alone()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync(started: 2 * Hour, id: 77);
        await situation.Seed.TaskAsync(execution, status: "Success", revision: RevisionAgo(2 * Hour), runCount: 1, created: 2 * Hour, update: Ago(20 * Second), end: Ago(20 * Second));
        await situation.IsToldAsync(new Told());
    }

    [Theory]
    [InlineData("redis_unreachable")]
    [InlineData("redis_wrong_database", "number")]
    [InlineData("redis_wrong_database", "namespace")]
    [InlineData("redis_wrong_database", "harbor")]
    public async Task N25_A_job_service_that_cannot_be_seen_is_one_finding_and_nothing_is_lost(string word, string? wrong = null)
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await RunningAsync(situation, 9 * Hour, "runs");
        var execution = await situation.Seed.ExecutionAsync(started: 20 * Hour);
        await situation.Seed.TaskAsync(execution, created: 20 * Hour, copies: 50);
        await situation.Seed.NumberJobsAsync(execution, "Pending", "waits");
        await situation.Jobs.BacklogAsync(20 * Hour, [.. Enumerable.Range(1, 50).Select(i => $"waits{i}")]);
        // The jobs of another Harbor are no task's.
        if (wrong == "harbor") await situation.Seed.ExecuteAsync("update task set job_id = 'ours' || id");
        await situation.StartAsync(wrong switch
        {
            "harbor" => (Setting.Names.RedisUrl, situation.Redis.Url),
            "number" => (Setting.Names.RedisUrl, situation.Redis.Url[..^1] + "2"),
            "namespace" => (Setting.Names.RedisNamespace, "harbor"),
            _ => (Setting.Names.RedisUrl, $"redis://127.0.0.1:{Tool.FreePort()}/{RedisServer.Number}"),
        });
        var told = new Told { Live = ["IMAGE_SCAN unjudged 51"], System = [word] };
        await situation.FirstLookAsync();
        await situation.IsToldNowAsync(told);
        situation.Time.Advance(Hour);
        await situation.IsToldNowAsync(told);
    }

    [Fact]
    public async Task While_Harbor_is_read_only_an_end_that_core_does_not_take_is_settling()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Harbor.GrantReadOnlyViewAsync();
        await situation.Seed.ExecuteAsync("insert into properties (k, v) values ('read_only', 'true')");
        await situation.Jobs.UpAsync();
        await RunningAsync(situation, 9 * Hour, "ended");
        await situation.Jobs.RecordAsync("ended", "Success", 5 * Hour, revision: 9 * Hour, acknowledged: null);
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN settling 1"], System = ["read_only"] });
        await situation.Seed.ExecuteAsync("update properties set v = 'false'");
        await situation.IsToldNowAsync(new Told { Stuck = ["IMAGE_SCAN unreported 1"] });
    }

    /// <summary>A task of two minutes ago, by Harbor's UTC, is two minutes old and queued.</summary>
    private static async Task AgesAreOfUtcAsync(Situation situation)
    {
        await situation.Jobs.UpAsync();
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 2 * Minute), created: 2 * Minute, jobId: "waits");
        await situation.Jobs.RecordAsync("waits", "Pending", 2 * Minute);
        await situation.Jobs.QueueAsync(2 * Minute, "waits");
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN queued 1"] });
        Assert.InRange((await situation.Exporter.ScrapeAsync()).Value("harbor_scan_oldest_task_age_seconds", ("type", "IMAGE_SCAN"), ("status", "Pending")), 120, 180);
        // On rows alone nothing is known of it yet.
        await using var without = await RunningExporter.StartAsync(situation.Harbor);
        Assert.Equal(new Told { Live = ["IMAGE_SCAN unjudged 1"] }.ToString(), MetricsView.Of(await without.ScrapeAsync()).ToString());
    }

    private static async Task<long> RunningAsync(Situation situation, TimeSpan age, string job) => await situation.Seed.TaskAsync(
        await situation.Seed.ExecutionAsync(started: age + Minute), status: "Running", revision: RevisionAgo(age), runCount: 1, created: age + Minute, start: Ago(age), update: Ago(age), end: ZeroTime, jobId: job);
}
