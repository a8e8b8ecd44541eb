using HarborScanExporter.Findings;
using Microsoft.Extensions.DependencyInjection;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>
/// The situations that users reported and that something must be said of, with their rows and their keys: each is told alike in every place,
/// and nothing else is. Letters and numbers are those of the replay list.
/// </summary>
public sealed class StuckSituationTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private const string Attributes = """{"artifact":{"digest":"sha256:aaa","id":244533,"project_id":3,"repository_name":"library/app"},"enabled_capabilities":{"type":"vulnerability"},"operator":"admin","registration":{"id":1,"name":"Trivy"}}""";

    [Fact]
    public async Task P1_A_scan_that_Redis_lost_is_lost_and_blocks_its_digest()
    {
        // goharbor/harbor 19655, 15170
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var robot = await situation.Seed.RobotAsync(5 * Day);
        var execution = await situation.Seed.ExecutionAsync(started: 5 * Day, vendorId: 244533, extraAttributes: Attributes);
        await situation.Seed.TaskAsync(execution, created: 5 * Day, extraAttributes: $$"""{"artifact_id":244533,"artifact_tag":"ab7c0","robot_id":{{robot}},"report_uuids":["u1"]}""");
        await situation.Seed.ReportAsync("u1", "sha256:aaa", stored: false);
        Assert.Equal(new Told { Live = ["IMAGE_SCAN settling 1"] }.ToString(), (await situation.FirstLookAsync()).ToString());
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN lost 1"], BlockedArtifacts = 1 });
    }

    [Fact]
    public async Task P2_The_one_lost_child_of_a_scan_all_is_lost()
    {
        // goharbor/harbor 20760
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var started = 34 * Hour;
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", started, "SCHEDULE", 0,
            extraAttributes: """{"operator":"harbor-jobservice","summary":{"conflict_count":0,"precondition_count":0,"submit_count":400,"total_count":400,"unknow_count":0,"unsupport_count":0}}""");
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(started), runCount: 1, created: started, update: Ago(30 * Hour), end: Ago(30 * Hour), copies: 399);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", created: started - 3 * Minute, jobId: "lost");
        await situation.IsToldAsync(new Told { Stuck = ["SCAN_ALL lost 1"] });
    }

    [Fact]
    public async Task P3_Running_rows_of_which_Redis_has_no_trace_are_lost_and_block_the_next_scan_all()
    {
        // goharbor/harbor 13027
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 26.5 * Hour, vendorId: 0);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(26 * Hour), runCount: 1, created: 26.4 * Hour, update: Ago(26 * Hour), end: Ago(26 * Hour), copies: 3945);
        for (var i = 0; i < 5; i++)
            await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Running", revision: RevisionAgo(26 * Hour), runCount: 1, created: 26.4 * Hour, start: Ago(26 * Hour), update: Ago(26 * Hour), end: ZeroTime, jobId: $"gone{i}");
        await situation.IsToldAsync(new Told { Stuck = ["SCAN_ALL lost 5"], ScanAllBlocked = true });
    }

    [Fact]
    public async Task P3_Running_rows_whose_work_is_over_are_unreported()
    {
        // goharbor/harbor 11482, 10679: one whose record is over, one whose record has expired and whose report is stored
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync(started: 9 * Hour);
        await RunningAsync(situation, execution, 9 * Hour, "ended", """{"artifact_id":1,"report_uuids":["u1"],"robot_id":1}""");
        await situation.Jobs.RecordAsync("ended", "Success", 3 * Hour, revision: 9 * Hour);
        await RunningAsync(situation, execution, 40 * Hour, "expired", """{"artifact_id":2,"report_uuids":["u2"],"robot_id":2}""");
        await situation.Seed.ReportAsync("u1", "sha256:a", stored: true);
        await situation.Seed.ReportAsync("u2", "sha256:b", stored: true);
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN unreported 2"], BlockedArtifacts = 2 });
    }

    [Fact]
    public async Task P5_A_scan_whose_worker_does_not_get_on_hangs()
    {
        // goharbor/harbor 17166, 16160
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await RunningAsync(situation, await situation.Seed.ExecutionAsync(started: 16 * Hour), 16 * Hour, "hung");
        await situation.Jobs.RecordAsync("hung", "Running", 16 * Hour, acknowledged: "Running");
        await situation.Jobs.InProgressAsync("hung", 16 * Hour);
        await situation.Jobs.WorkerAsync("hung", 16 * Hour, number: 7);
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN hung 1"] });
    }

    [Fact]
    public async Task P6_A_scan_all_whose_tasks_are_all_over_is_not_refreshed()
    {
        // goharbor/harbor 16581, 17114
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 48 * Hour, "MANUAL", 0, update: Ago(40.3 * Hour), id: 812);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(47 * Hour), runCount: 1, created: 47 * Hour, update: Ago(40.3 * Hour), end: Ago(40.3 * Hour), copies: 20_691);
        await situation.IsToldAsync(new Told { Inconsistencies = ["SCAN_ALL execution_not_refreshed 1"], ScanAllBlocked = true });
    }

    [Fact]
    public async Task P7_A_scan_all_whose_core_died_before_its_first_task_is_empty()
    {
        // goharbor/harbor 14251
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 28 * Hour, "SCHEDULE", 0, extraAttributes: """{"operator":"harbor-jobservice"}""", id: 813);
        await situation.IsToldAsync(new Told { Inconsistencies = ["SCAN_ALL execution_without_tasks 1"] });
    }

    [Fact]
    public async Task P9_A_scan_all_behind_a_newer_one_is_still_seen()
    {
        // goharbor/harbor 15338
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var old = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 51 * Day, "SCHEDULE", 0, id: 673);
        await situation.Seed.TaskAsync(old, "SCAN_ALL", "Running", revision: RevisionAgo(51 * Day), runCount: 1, created: 51 * Day, update: Ago(51 * Day), end: ZeroTime);
        var newer = await situation.Seed.ExecutionAsync("SCAN_ALL", "Success", 3 * Hour, "SCHEDULE", 0, end: Ago(2 * Hour), id: 1410);
        await situation.Seed.TaskAsync(newer, "SCAN_ALL", "Success", revision: RevisionAgo(3 * Hour), runCount: 1, created: 3 * Hour, update: Ago(2 * Hour), end: Ago(2 * Hour), copies: 4);
        await situation.IsToldAsync(new Told { Stuck = ["SCAN_ALL lost 1"] });
    }

    [Theory]
    [InlineData("2.10.0", true)]
    [InlineData("2.12.0", false)]
    public async Task P10_An_execution_that_was_finished_over_its_lost_task_is_both_and_blocks_the_sweep_where_Harbor_cannot_pass_it(string release, bool blocks)
    {
        // goharbor/harbor 21072, 20593
        await using var situation = await Situation.CreateAsync(release);
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("IMAGE_SCAN", "Success", 9 * Day, vendorId: 5, id: 28921);
        await situation.Seed.TaskAsync(execution, created: 9 * Day);
        await situation.Seed.ExecutionAsync("IMAGE_SCAN", "Success", Day, vendorId: 5, end: Ago(Day));
        string[] sweep = blocks ? ["IMAGE_SCAN sweep_blocked 1"] : [];
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN lost 1"], Inconsistencies = ["IMAGE_SCAN execution_final_with_open_task 1", .. sweep] });
    }

    [Fact]
    public async Task P11_A_queue_stopped_from_the_dashboard_leaves_wrong_codes_a_running_execution_and_robots_but_nothing_lost()
    {
        // goharbor/harbor 18121
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 28 * Hour, "MANUAL", 0, update: Ago(26 * Hour));
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Stopped", code: 0, revision: RevisionAgo(27 * Hour), runCount: 1, created: 27.5 * Hour, start: Ago(27 * Hour), update: Ago(26 * Hour), copies: 300);
        await situation.Seed.ExecuteAsync($"insert into robot (name, project_id, description, expiresat, visible, creation_time) select 'library+Trivy-' || i, 1, 'for scan', -1, false, {Ago(27.5 * Hour)} from generate_series(1, 300) i");
        await situation.IsToldAsync(new Told
        {
            Inconsistencies = ["SCAN_ALL execution_not_refreshed 1", "SCAN_ALL final_status_wrong_code 300"], System = ["leaked_robots 300"], ScanAllBlocked = true,
        });
    }

    [Fact]
    public async Task P13_A_known_job_that_stands_in_no_queue_is_not_queued()
    {
        // goharbor/harbor 11720
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync(started: 2 * Hour);
        await situation.Seed.TaskAsync(execution, revision: RevisionAgo(2 * Hour), runCount: 1, created: 2 * Hour, start: Ago(2 * Hour), update: Ago(Hour), end: ZeroTime, jobId: "picked");
        await situation.Jobs.RecordAsync("picked", "Pending", 2 * Hour, acknowledged: "Pending");
        Assert.Equal(new Told { Live = ["IMAGE_SCAN settling 1"] }.ToString(), (await situation.FirstLookAsync()).ToString());
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN not_queued 1"] });
    }

    [Fact]
    public async Task P14_A_job_that_was_failed_while_it_waited_is_a_warning_about_the_queue()
    {
        // goharbor/harbor 21072
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("IMAGE_SCAN", "Error", 26 * Hour, end: Ago(1.4 * Hour));
        await situation.Seed.TaskAsync(execution, status: "Error", revision: RevisionAgo(26 * Hour), runCount: 1, created: 26 * Hour, update: Ago(1.4 * Hour), end: Ago(1.4 * Hour), jobId: "failed");
        await situation.Jobs.RecordAsync("failed", "Error", 1.4 * Hour, revision: 26 * Hour, acknowledged: "Error");
        await situation.Jobs.QueueAsync(26 * Hour, "failed");
        await situation.IsToldAsync(new Told { System = ["queued_over_24h"] });
    }

    [Fact]
    public async Task P16_A_robot_that_no_open_task_names_has_leaked()
    {
        // goharbor/harbor 14000, 21793
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.ExecuteAsync($"insert into robot (name, project_id, description, expiresat, visible, creation_time) values ('library+kxh8FaVW-Trivy-c4c28ef6-0af9-11f0-8a53-0242ac120009', 1, 'for scan', -1, false, {Ago(540 * Day)})");
        await situation.IsToldAsync(new Told { System = ["leaked_robots 1"] });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P20_A_job_service_that_is_down_is_one_finding_and_its_scans_wait_for_it(bool listed)
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.KnownAsync();
        if (listed) await situation.Jobs.PoolAsync(heartbeat: Hour);
        var execution = await situation.Seed.ExecutionAsync(started: 4 * Hour);
        for (var i = 0; i < 4; i++)
        {
            await RunningAsync(situation, execution, 3 * Hour, $"held{i}");
            await situation.Jobs.RecordAsync($"held{i}", "Running", 3 * Hour, acknowledged: "Running");
            await situation.Jobs.InProgressAsync($"held{i}", 4 * Hour);
        }
        for (var i = 0; i < 6; i++)
        {
            await situation.Seed.TaskAsync(execution, created: 2 * Hour, jobId: $"waits{i}");
            await situation.Jobs.RecordAsync($"waits{i}", "Pending", 2 * Hour);
            await situation.Jobs.QueueAsync(2 * Hour, $"waits{i}");
        }
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN requeued 4", "IMAGE_SCAN queued 6"], System = ["jobservice_down"] });
        situation.Time.Advance(Hour);
        await situation.IsToldNowAsync(new Told { Live = ["IMAGE_SCAN requeued 4", "IMAGE_SCAN queued 6"], System = ["jobservice_down"] });
    }

    [Fact]
    public async Task What_a_dead_pool_holds_is_not_queued_when_a_live_one_has_not_taken_it_over_for_a_quarter_of_an_hour()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.PoolAsync("dead0000000000000000dead", heartbeat: 10 * Minute);
        await situation.Jobs.PoolAsync("01d00000000000000000001d", heartbeat: 16 * Minute);
        var execution = await situation.Seed.ExecutionAsync(started: 2 * Hour);
        foreach (var (job, pool) in new[] { ("young", "dead0000000000000000dead"), ("old", "01d00000000000000000001d"), ("lost", "90e0000000000000000090e0") })
        {
            await RunningAsync(situation, execution, Hour, job);
            await situation.Jobs.RecordAsync(job, "Running", Hour, acknowledged: "Running");
            await situation.Jobs.InProgressAsync(job, 2 * Hour, pool);
        }
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN not_queued 1"], Live = ["IMAGE_SCAN requeued 2"] });
        // Of a pool that left no heartbeat only the looks tell how long its list has lain there: the first was a minute ago.
        situation.Time.Advance(14 * Minute);
        await situation.IsToldNowAsync(new Told { Stuck = ["IMAGE_SCAN not_queued 1"], Live = ["IMAGE_SCAN requeued 2"] });
        situation.Time.Advance(TimeSpan.FromSeconds(1));
        await situation.IsToldNowAsync(new Told { Stuck = ["IMAGE_SCAN not_queued 2"], Live = ["IMAGE_SCAN requeued 1"] }, remembers: true);
    }

    [Fact]
    public async Task A_Redis_that_was_emptied_under_a_live_pool_lost_what_waited_and_a_little_later_what_ran()
    {
        await using var situation = await Situation.CreateAsync();
        // The heartbeat is back within seconds, the job types only with the next start of a job service.
        await situation.Jobs.PoolAsync(started: 48 * Hour);
        var execution = await situation.Seed.ExecutionAsync(started: 50 * Hour);
        await RunningAsync(situation, execution, Hour, "in memory");
        await RunningAsync(situation, execution, 3 * Hour, "too long");
        await situation.Seed.TaskAsync(execution, created: 2 * Hour, jobId: "waited");
        await situation.Seed.TaskAsync(execution, created: 5 * Minute, jobId: "new");
        await situation.Jobs.RecordAsync("new", "Pending", 5 * Minute);
        await situation.Jobs.QueueAsync(5 * Minute, "new");
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN lost 1"], Live = ["IMAGE_SCAN queued 1", "IMAGE_SCAN settling 2"] });
        situation.Time.Advance(4 * Minute);
        await situation.IsToldNowAsync(new Told { Stuck = ["IMAGE_SCAN lost 3"], Live = ["IMAGE_SCAN queued 1"] }, remembers: true);
        var report = await situation.Exporter.Services.GetRequiredService<FindingsReader>().ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal("redis_emptied", Assert.Single(report.Findings, finding => finding.Kind == FindingKind.System).Verdict);
    }

    [Fact]
    public async Task A_worker_that_is_held_by_a_scan_that_is_over_is_a_ghost()
    {
        // goharbor/harbor 20100
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync("IMAGE_SCAN", "Error", 30 * Hour, end: Ago(5 * Hour));
        await situation.Seed.TaskAsync(execution, status: "Error", revision: RevisionAgo(30 * Hour), runCount: 1, created: 30 * Hour, update: Ago(5 * Hour), end: Ago(5 * Hour), jobId: "ghost");
        await situation.Jobs.RecordAsync("ghost", "Error", 5 * Hour, revision: 30 * Hour, acknowledged: "Error");
        await situation.Jobs.InProgressAsync("ghost", 30 * Hour);
        await situation.IsToldAsync(new Told { System = ["ghost_workers 1"] });
    }

    [Fact]
    public async Task A_job_whose_status_is_sent_again_and_again_though_no_task_has_it_is_an_orphan_hook()
    {
        // goharbor/harbor 23785
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.RecordAsync("b9d4bdadccc731c09f0798bf", "Error", 40 * Day);
        await situation.IsToldAsync(new Told { System = ["orphan_hooks 1"] });
    }

    [Fact]
    public async Task A_lost_scan_beside_a_job_that_no_task_has_is_lost_and_Redis_is_not_taken_for_that_of_another_Harbor()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.RecordAsync("b9d4bdadccc731c09f0798bf", "Error", 40 * Day);
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 9 * Hour), created: 9 * Hour, jobId: "lost");
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN lost 1"], System = ["orphan_hooks 1"] });
    }

    private static Task<long> RunningAsync(Situation situation, long execution, TimeSpan age, string job, string attributes = """{"artifact_id":1,"report_uuids":[],"robot_id":1}""") =>
        situation.Seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(age), runCount: 1, created: age + Minute, start: Ago(age), update: Ago(age), end: ZeroTime, jobId: job, extraAttributes: attributes);
}
