using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Metrics.Collectors;

/// <summary>
/// Situations that Harbor's users reported, with the rows they posted, judged on rows alone. Each test states what /metrics must say,
/// and that it says nothing else.
/// </summary>
public sealed class ReplayTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private const string Attributes = """{"artifact":{"digest":"sha256:aaa","id":244533,"project_id":3,"repository_name":"library/app"},"enabled_capabilities":{"type":"vulnerability"},"operator":"admin","registration":{"id":1,"name":"Trivy"}}""";

    [Fact]
    public async Task A_job_lost_with_Redis_is_lost_and_blocks_its_digest()
    {
        // goharbor/harbor 19655, 15170
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.HooksFlowAsync();
        var robot = await seed.RobotAsync(5 * Day);
        var execution = await seed.ExecutionAsync("IMAGE_SCAN", "Running", 5 * Day, vendorId: 244533, extraAttributes: Attributes);
        await seed.TaskAsync(execution, created: 5 * Day, extraAttributes: $$"""{"artifact_id":244533,"artifact_tag":"ab7c0","report_uuids":["u1"],"robot_id":{{robot}}}""");
        await seed.ReportAsync("u1", "sha256:aaa", stored: false);
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1"""], scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.InRange(scrape.Value("harbor_scan_oldest_stuck_task_age_seconds", ("type", "IMAGE_SCAN"), ("verdict", "lost")), 5 * 86400, 5 * 86400 + 60);
        Assert.Empty(scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(1, scrape.Value("harbor_scan_blocked_artifacts"));
        Assert.Empty(scrape.NonZero("harbor_scan_inconsistencies"));
        Assert.Equal(0, scrape.Value("harbor_scan_leaked_robots"));
    }

    [Fact]
    public async Task One_lost_child_of_a_scan_all_is_lost_within_a_day()
    {
        // goharbor/harbor 20760
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.HooksFlowAsync();
        var started = 10 * Hour;
        var execution = await seed.ExecutionAsync("SCAN_ALL", "Running", started, "SCHEDULE", 0,
            extraAttributes: """{"operator":"harbor-jobservice","summary":{"conflict_count":0,"precondition_count":0,"submit_count":400,"total_count":400,"unknow_count":0,"unsupport_count":0}}""");
        await seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(started), runCount: 1, created: started, update: Ago(8 * Hour), end: Ago(8 * Hour), copies: 399);
        await seed.TaskAsync(execution, "SCAN_ALL", created: started - 3 * Minute);
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{status="Pending",type="SCAN_ALL",verdict="lost"} 1"""], scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{status="Pending"} 1""", """{status="Success"} 399"""], scrape.NonZero("harbor_scan_all_tasks"));
        Assert.Equal(["""{result="submitted"} 400""", """{result="total"} 400"""], scrape.NonZero("harbor_scan_all_artifacts"));
        Assert.Equal(0, scrape.Value("harbor_scan_all_blocked"));
    }

    [Fact]
    public async Task Running_rows_whose_job_is_gone_are_overdue()
    {
        // goharbor/harbor 13027
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync("SCAN_ALL", "Running", 26.5 * Hour, vendorId: 0);
        await seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(26 * Hour), runCount: 1, created: 26.4 * Hour, update: Ago(26 * Hour), end: Ago(26 * Hour), copies: 3945);
        await seed.TaskAsync(execution, "SCAN_ALL", "Running", revision: RevisionAgo(26.3 * Hour), runCount: 1, created: 26.4 * Hour, start: Ago(26.3 * Hour), update: Ago(26.1 * Hour), end: ZeroTime, copies: 5);
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{status="Running",type="SCAN_ALL",verdict="overdue"} 5"""], scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(1, scrape.Value("harbor_scan_all_blocked"));
    }

    [Fact]
    public async Task Running_rows_whose_reports_are_all_stored_are_unreported()
    {
        // goharbor/harbor 11482: the report has vulnerabilities while the status stays Running
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: 3 * Hour);
        await RunningAsync(seed, execution, 3 * Hour, """{"artifact_id":1,"report_uuids":["done","done too"],"robot_id":1}""");
        await RunningAsync(seed, execution, 3 * Hour, """{"artifact_id":2,"report_uuids":["done","missing"],"robot_id":2}""");
        await RunningAsync(seed, execution, 3 * Hour, """{"artifact_id":3,"report_uuids":["done","open"],"robot_id":3}""");
        await RunningAsync(seed, execution, 3 * Hour, """{"artifact_id":4,"report_uuids":[],"robot_id":4}""");
        await RunningAsync(seed, execution, 1 * Hour, """{"artifact_id":5,"report_uuids":["done"],"robot_id":5}""");
        // More than one task names it: only its time tells that it came after all of them.
        await seed.ReportAsync("done", "sha256:aaa", MadeAgo(Hour / 2));
        await seed.ReportAsync("done too", "sha256:aab", stored: true);
        await seed.ReportAsync("open", "sha256:bbb", stored: false);
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(
            ["""{status="Running",type="IMAGE_SCAN",verdict="overdue"} 3""", """{status="Running",type="IMAGE_SCAN",verdict="unreported"} 1"""],
            scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{state="running",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(3, scrape.Value("harbor_scan_blocked_artifacts"));
    }

    [Fact]
    public async Task An_SBOM_whose_report_is_stored_is_unreported_and_refuses_no_scan_of_its_digest()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        var seed = new Seed(harbor);
        await seed.ExecuteAsync("""
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            values (7, 1, 'library/app', 'sha256:sbom', 'IMAGE', 1, 'm', 'm', 'a');
            insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type, report) values ('s1', 7, 'scanner', 'm', 'application/spdx+json', '{"sbom":1}');
            """);
        var execution = await seed.ExecutionAsync("SBOM", "Running", 3 * Hour, vendorId: 7);
        await seed.TaskAsync(execution, "SBOM", "Running", revision: RevisionAgo(3 * Hour), runCount: 1, created: 3 * Hour, update: Ago(3 * Hour), end: ZeroTime,
            extraAttributes: """{"artifact_id":7,"report_uuids":["s1"],"robot_id":1}""");
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{status="Running",type="SBOM",verdict="unreported"} 1"""], scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(0, scrape.Value("harbor_scan_blocked_artifacts"));

        // A child of a scan-all refuses it as a single scan does.
        await seed.ReportAsync("u1", "sha256:sbom", stored: true);
        await seed.TaskAsync(await seed.ExecutionAsync("SCAN_ALL", "Running", 3 * Hour, "SCHEDULE", 0), "SCAN_ALL", "Running", revision: RevisionAgo(3 * Hour), runCount: 1, created: 3 * Hour,
            update: Ago(3 * Hour), end: ZeroTime, extraAttributes: """{"artifact_id":7,"report_uuids":["u1"],"robot_id":1}""");
        Assert.Equal(1, (await ScrapeAsync(harbor)).Value("harbor_scan_blocked_artifacts"));
    }

    [Fact]
    public async Task A_scan_all_whose_tasks_are_all_over_is_not_refreshed_and_blocks_the_next()
    {
        // goharbor/harbor 16581, 17114
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync("SCAN_ALL", "Running", 48 * Hour, "MANUAL", 0, update: Ago(40.3 * Hour));
        await seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(47 * Hour), runCount: 1, created: 47 * Hour, update: Ago(40.3 * Hour), end: Ago(40.3 * Hour), copies: 20_691);
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{kind="execution_not_refreshed",type="SCAN_ALL"} 1"""], scrape.NonZero("harbor_scan_inconsistencies"));
        Assert.Equal(1, scrape.Value("harbor_scan_all_blocked"));
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(20_691, scrape.Value("harbor_scan_tasks", ("type", "SCAN_ALL"), ("status", "Success")));
    }

    [Fact]
    public async Task A_scan_all_without_tasks_is_empty_and_a_scheduled_one_blocks_nobody()
    {
        // goharbor/harbor 14251
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.ExecutionAsync("SCAN_ALL", "Running", 28 * Hour, "SCHEDULE", 0, extraAttributes: """{"operator":"harbor-jobservice"}""");
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{kind="execution_without_tasks",type="SCAN_ALL"} 1"""], scrape.NonZero("harbor_scan_inconsistencies"));
        Assert.Equal(0, scrape.Value("harbor_scan_all_blocked"));
        Assert.DoesNotContain("harbor_scan_all_artifacts", scrape.Families);
        await seed.ExecuteAsync("update execution set trigger = 'MANUAL'");
        Assert.Equal(1, (await ScrapeAsync(harbor)).Value("harbor_scan_all_blocked"));
    }

    [Fact]
    public async Task An_old_scan_all_behind_a_newer_one_is_still_seen()
    {
        // goharbor/harbor 15338
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var old = await seed.ExecutionAsync("SCAN_ALL", "Running", 51 * Day, "SCHEDULE", 0, id: 673);
        await seed.TaskAsync(old, "SCAN_ALL", "Running", revision: RevisionAgo(51 * Day), runCount: 1, created: 51 * Day, update: Ago(51 * Day), end: ZeroTime);
        var newer = await seed.ExecutionAsync("SCAN_ALL", "Success", 3 * Hour, "SCHEDULE", 0, end: Ago(2 * Hour), id: 1410);
        await seed.TaskAsync(newer, "SCAN_ALL", "Success", revision: RevisionAgo(3 * Hour), runCount: 1, created: 3 * Hour, update: Ago(2 * Hour), end: Ago(2 * Hour), copies: 4);
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{status="Running",type="SCAN_ALL",verdict="overdue"} 1"""], scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{status="Success"} 4"""], scrape.NonZero("harbor_scan_all_tasks"));
    }

    [Theory]
    [InlineData("2.9.0", null, 1)]
    [InlineData("2.10.0", null, 1)]
    [InlineData("2.11.0", null, 0)]
    [InlineData("2.11.0", "Success", 0)]
    [InlineData("2.11.0", "Error", 1)]
    [InlineData("2.12.0", "Error", 0)]
    public async Task An_execution_that_was_finished_over_its_open_task_blocks_the_sweep_where_Harbor_cannot_pass_it(string release, string? sweep, int blocked)
    {
        // goharbor/harbor 21072, 20593
        await using var harbor = await TestHarbor.CreateAsync(release);
        var seed = new Seed(harbor);
        await seed.HooksFlowAsync();
        var execution = await seed.ExecutionAsync("IMAGE_SCAN", "Success", 9 * Day, vendorId: 5, id: 28921);
        await seed.TaskAsync(execution, created: 9 * Day);
        await seed.ExecutionAsync("IMAGE_SCAN", "Success", 1 * Day, vendorId: 5, end: Ago(Day));
        if (sweep is not null) await seed.ExecutionAsync("EXECUTION_SWEEP", sweep, Hour, "SCHEDULE", -1, end: Ago(Hour));
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1"""], scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(1, scrape.Value("harbor_scan_inconsistencies", ("type", "IMAGE_SCAN"), ("kind", "execution_final_with_open_task")));
        Assert.Equal(blocked, scrape.Value("harbor_scan_inconsistencies", ("type", "IMAGE_SCAN"), ("kind", "sweep_blocked")));
        Assert.Equal(1 + blocked, scrape.Sum("harbor_scan_inconsistencies"));
    }

    [Fact]
    public async Task The_newest_execution_of_an_artifact_is_not_beyond_retention()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.9.0");
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync("IMAGE_SCAN", "Success", 9 * Day, vendorId: 5);
        await seed.TaskAsync(execution, created: 9 * Day);
        Assert.Equal(0, (await ScrapeAsync(harbor)).Value("harbor_scan_inconsistencies", ("type", "IMAGE_SCAN"), ("kind", "sweep_blocked")));
    }

    [Theory]
    [InlineData("2.8.0", 6, 1)]
    [InlineData("2.8.0", 5, 0)]
    [InlineData("2.9.0", 2, 1)]
    public async Task A_stopped_scan_all_with_wrong_codes_blocks_the_sweep_beyond_its_retention(string release, int executions, int blocked)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        var seed = new Seed(harbor);
        var oldest = await seed.ExecutionAsync("SCAN_ALL", "Stopped", 90 * Day, "SCHEDULE", 0);
        await seed.TaskAsync(oldest, "SCAN_ALL", "Stopped", code: 0, created: 90 * Day, copies: 3);
        for (var i = 1; i < executions; i++) await seed.ExecutionAsync("SCAN_ALL", "Success", (90 - i) * Day, "SCHEDULE", 0, end: Ago(Day));
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(blocked, scrape.Value("harbor_scan_inconsistencies", ("type", "SCAN_ALL"), ("kind", "sweep_blocked")));
        Assert.Equal(3, scrape.Value("harbor_scan_inconsistencies", ("type", "SCAN_ALL"), ("kind", "final_status_wrong_code")));
    }

    [Fact]
    public async Task A_queue_stopped_from_the_dashboard_leaves_wrong_codes_a_running_execution_and_robots_but_nothing_lost()
    {
        // goharbor/harbor 18121
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync("SCAN_ALL", "Running", 28 * Hour, "MANUAL", 0, update: Ago(26 * Hour));
        await seed.TaskAsync(execution, "SCAN_ALL", "Stopped", code: 0, revision: RevisionAgo(27 * Hour), runCount: 1, created: 27.5 * Hour, start: Ago(27 * Hour), update: Ago(26 * Hour), end: ZeroTime, copies: 300);
        for (var i = 0; i < 3; i++) await seed.RobotAsync(27.5 * Hour);
        var scrape = await ScrapeAsync(harbor);
        Assert.Equal(
            ["""{kind="execution_not_refreshed",type="SCAN_ALL"} 1""", """{kind="final_status_wrong_code",type="SCAN_ALL"} 300"""],
            scrape.NonZero("harbor_scan_inconsistencies"));
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(3, scrape.Value("harbor_scan_leaked_robots"));
        Assert.Equal(1, scrape.Value("harbor_scan_all_blocked"));
    }

    [Fact]
    public async Task A_job_that_stands_in_no_queue_is_queued_as_far_as_rows_can_tell()
    {
        // goharbor/harbor 11720
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.HooksFlowAsync();
        var execution = await seed.ExecutionAsync(started: 2 * Hour);
        await seed.TaskAsync(execution, revision: RevisionAgo(2 * Hour), runCount: 1, created: 2 * Hour, start: Ago(2 * Hour), update: Ago(Hour), end: ZeroTime);
        var scrape = await ScrapeAsync(harbor);
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
    }

    [Fact]
    public async Task A_scan_robot_that_no_open_task_names_has_leaked()
    {
        // goharbor/harbor 14000, 21793
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.RobotAsync(200 * Day);
        var named = await seed.RobotAsync(2 * Day);
        await seed.RobotAsync(23 * Hour);
        await seed.RobotAsync(200 * Day, visible: true);
        await seed.RobotAsync(200 * Day, description: "for the build");
        var execution = await seed.ExecutionAsync(started: 2 * Day);
        await seed.TaskAsync(execution, created: 2 * Day, extraAttributes: $$"""{"artifact_id":1,"report_uuids":[],"robot_id":{{named}}}""");
        Assert.Equal(1, (await ScrapeAsync(harbor)).Value("harbor_scan_leaked_robots"));
    }

    [Fact]
    public async Task A_scan_all_that_has_just_started_is_left_alone()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.ExecutionAsync("SCAN_ALL", "Running", 2 * Minute, "MANUAL", 0);
        await SilentAsync(harbor);
    }

    [Fact]
    public async Task A_scan_all_that_still_enumerates_after_forty_minutes_is_left_alone()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync("SCAN_ALL", "Running", 40 * Minute, "MANUAL", 0);
        await seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(39 * Minute), runCount: 1, created: 39 * Minute, update: Ago(20 * Minute), end: Ago(20 * Minute), copies: 900);
        await seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(Minute), runCount: 1, created: TimeSpan.FromSeconds(3), update: Ago(TimeSpan.FromSeconds(1)), end: Ago(TimeSpan.FromSeconds(1)));
        await SilentAsync(harbor);
    }

    [Fact]
    public async Task A_big_scan_all_with_36000_waiting_tasks_is_starved_not_stuck()
    {
        // goharbor/harbor 19385
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync("SCAN_ALL", "Running", 9 * Hour, "MANUAL", 0, update: Ago(Minute));
        await seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: RevisionAgo(9 * Hour), runCount: 1, created: 9 * Hour, update: Ago(Minute), end: Ago(Minute), copies: 21_000);
        await seed.TaskAsync(execution, "SCAN_ALL", "Running", revision: RevisionAgo(9 * Hour), runCount: 1, created: 9 * Hour, start: Ago(9 * Hour), update: Ago(4 * Minute), end: ZeroTime, copies: 10);
        await seed.TaskAsync(execution, "SCAN_ALL", revision: RevisionAgo(9 * Hour), runCount: 1, created: 9 * Hour, start: Ago(9 * Hour), update: Ago(8 * Hour), end: ZeroTime, copies: 36_000);
        var scrape = await SilentAsync(harbor);
        Assert.Equal(["""{state="queued",type="SCAN_ALL"} 36000""", """{state="running",type="SCAN_ALL"} 10"""], scrape.NonZero("harbor_scan_live_tasks"));
    }

    [Theory]
    [InlineData(40, "unjudged")]
    [InlineData(1, "settling")]
    public async Task A_fresh_task_is_not_judged_on_rows_alone(int minutes, string state)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.HooksFlowAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: minutes * Minute), created: minutes * Minute);
        var scrape = await SilentAsync(harbor);
        Assert.Equal([$$"""{state="{{state}}",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
    }

    [Fact]
    public async Task A_waiting_task_that_the_reaper_has_touched_is_queued_though_it_has_a_start_time()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: 2 * Hour), revision: RevisionAgo(2 * Hour), runCount: 1, created: 2 * Hour, start: Ago(2 * Hour), update: Ago(Hour), end: ZeroTime);
        var scrape = await SilentAsync(harbor);
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
    }

    [Fact]
    public async Task A_requeued_task_behind_a_backlog_is_not_called_overdue()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: 4 * Hour);
        await RunningAsync(seed, execution, 3 * Hour, "{}");
        await seed.TaskAsync(execution, revision: RevisionAgo(3 * Hour), runCount: 1, created: 3 * Hour, update: Ago(Hour), end: ZeroTime);
        var scrape = await SilentAsync(harbor);
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1""", """{state="unjudged",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
    }

    [Fact]
    public async Task A_second_run_ages_from_its_own_start()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: 30 * Hour);
        await seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(5 * Minute), runCount: 2, created: 30 * Hour, start: Ago(5 * Minute), update: Ago(5 * Minute), end: ZeroTime);
        var scrape = await SilentAsync(harbor);
        Assert.Equal(["""{state="running",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.InRange(scrape.Value("harbor_scan_oldest_task_age_seconds", ("type", "IMAGE_SCAN"), ("status", "Running")), 300, 360);
    }

    [Fact]
    public async Task A_paused_queue_is_an_operators_wish()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.HooksFlowAsync();
        await seed.ExecuteAsync("insert into job_queue_status (job_type, paused, update_time) values ('IMAGE_SCAN', true, now() - interval '3 hours')");
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, copies: 12);
        var scrape = await SilentAsync(harbor);
        Assert.Equal(["""{state="paused",type="IMAGE_SCAN"} 12"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(["""{queue="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_queue_paused"));
    }

    [Fact]
    public async Task Schedules_and_other_jobs_are_no_scans()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var scheduler = await seed.ExecutionAsync("SCHEDULER", "Running", 900 * Day, vendorId: 3);
        await seed.TaskAsync(scheduler, "SCHEDULER", "Scheduled", revision: RevisionAgo(12 * Hour), runCount: 1, created: 900 * Day);
        await seed.TaskAsync(scheduler, "SCHEDULER", created: 900 * Day);
        foreach (var other in new[] { "REPLICATION", "GARBAGE_COLLECTION", "RETENTION", "SCAN_DATA_EXPORT", "WEBHOOK" })
            await seed.TaskAsync(await seed.ExecutionAsync(other, "Running", 90 * Day), other, "Running", revision: RevisionAgo(90 * Day), runCount: 1, created: 90 * Day);
        var scrape = await SilentAsync(harbor);
        Assert.Equal(0, scrape.Sum("harbor_scan_tasks"));
        Assert.Equal(0, scrape.Sum("harbor_scan_executions"));
    }

    [Theory]
    [InlineData("Asia/Shanghai")]
    [InlineData("America/New_York")]
    public async Task Ages_do_not_depend_on_the_zone_of_the_server(string zone)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.ExecuteAsync($"alter database {harbor.Database.Name} set timezone = '{zone}'");
        await seed.HooksFlowAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: 2 * Minute), created: 2 * Minute);
        await seed.TaskAsync(await seed.ExecutionAsync(started: 5 * Minute, vendorId: 2), status: "Running", revision: RevisionAgo(5 * Minute), runCount: 1, created: 5 * Minute, update: Ago(4 * Minute), end: ZeroTime);
        var scrape = await SilentAsync(harbor);
        Assert.InRange(scrape.Value("harbor_scan_oldest_task_age_seconds", ("type", "IMAGE_SCAN"), ("status", "Pending")), 120, 150);
        Assert.InRange(scrape.Value("harbor_scan_oldest_task_age_seconds", ("type", "IMAGE_SCAN"), ("status", "Running")), 240, 270);
        Assert.InRange(scrape.Value("harbor_scan_oldest_execution_age_seconds", ("type", "IMAGE_SCAN"), ("status", "Running")), 300, 330);
        Assert.Equal(["""{state="running",type="IMAGE_SCAN"} 1""", """{state="unjudged",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
    }

    [Fact]
    public async Task An_execution_in_the_window_of_the_asynchronous_refresh_is_settling()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: 2 * Hour, id: 77);
        await seed.TaskAsync(execution, status: "Success", revision: RevisionAgo(2 * Hour), runCount: 1, created: 2 * Hour, update: Ago(TimeSpan.FromSeconds(20)), end: Ago(TimeSpan.FromSeconds(20)));
        await SilentAsync(harbor);
    }

    [Fact]
    public async Task Read_only_mode_is_shown_by_the_optional_view_and_keeps_waiting_tasks_unjudged()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.HooksFlowAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: 4 * Hour), created: 4 * Hour);
        var without = await ScrapeAsync(harbor);
        Assert.DoesNotContain("harbor_scan_read_only", without.Families);
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1"""], without.NonZero("harbor_scan_stuck_tasks"));
        await harbor.GrantReadOnlyViewAsync();
        Assert.Equal(0, (await ScrapeAsync(harbor)).Value("harbor_scan_read_only"));
        await seed.ExecuteAsync("insert into properties (k, v) values ('read_only', 'true')");
        var readOnly = await SilentAsync(harbor);
        Assert.Equal(1, readOnly.Value("harbor_scan_read_only"));
        Assert.Equal(["""{state="unjudged",type="IMAGE_SCAN"} 1"""], readOnly.NonZero("harbor_scan_live_tasks"));
    }

    [Fact]
    public async Task The_newest_success_of_scans_and_of_the_sweep_is_shown()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var none = await ScrapeAsync(harbor);
        Assert.DoesNotContain("harbor_scan_last_success_timestamp_seconds", none.Families);
        Assert.DoesNotContain("harbor_scan_sweep_last_success_timestamp_seconds", none.Families);
        var execution = await seed.ExecutionAsync(status: "Success", started: 2 * Hour);
        foreach (var age in new[] { 2 * Hour, Hour, 3 * Hour })
            await seed.TaskAsync(execution, status: "Success", revision: RevisionAgo(age), runCount: 1, created: age, update: Ago(age), end: Ago(age));
        await seed.TaskAsync(execution, status: "Success", created: Hour, end: "'2099-01-01'");
        await seed.ExecutionAsync("EXECUTION_SWEEP", "Success", 6 * Hour, "SCHEDULE", -1, end: Ago(5 * Hour));
        await seed.ExecutionAsync("EXECUTION_SWEEP", "Error", 2 * Hour, "SCHEDULE", -1, end: Ago(Hour));
        var scrape = await ScrapeAsync(harbor);
        var now = scrape.Value("harbor_scan_snapshot_timestamp_seconds");
        Assert.InRange(now - scrape.Value("harbor_scan_last_success_timestamp_seconds", ("type", "IMAGE_SCAN")), 3600, 3660);
        Assert.InRange(now - scrape.Value("harbor_scan_sweep_last_success_timestamp_seconds"), 5 * 3600, 5 * 3600 + 60);
    }

    [Fact]
    public async Task Reports_that_no_task_names_and_sweepable_executions_are_counted_on_demand()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        var seed = new Seed(harbor);
        await seed.ReportAsync("named", "sha256:a", stored: true);
        await seed.ReportAsync("named too", "sha256:b", stored: true);
        await seed.ReportAsync("orphan", "sha256:c", stored: true);
        var execution = await seed.ExecutionAsync(status: "Success", started: 3 * Day, vendorId: 9, end: Ago(Day));
        await seed.TaskAsync(execution, status: "Success", created: 3 * Day, end: Ago(Day), extraAttributes: """{"report_uuids" : [ "named", "named too" ]}""");
        await seed.TaskAsync(execution, status: "Success", created: 3 * Day, end: Ago(Day), extraAttributes: """{"report_uuids":"no array"}""");
        await seed.ExecutionAsync(status: "Success", started: 2 * Day, vendorId: 9, end: Ago(Day));
        await seed.ExecutionAsync(status: "Running", started: 1 * Day, vendorId: 9);
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_ENABLED", "orphan_reports,sweepable"));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.Equal(1, scrape.Value("harbor_scan_inconsistencies", ("type", "IMAGE_SCAN"), ("kind", "orphan_report")));
        Assert.Equal(2, scrape.Value("harbor_scan_sweepable_executions", ("type", "IMAGE_SCAN")));
        Assert.Equal(0, scrape.Value("harbor_scan_sweepable_executions", ("type", "SCAN_ALL")));
    }

    private static Task<long> RunningAsync(Seed seed, long execution, TimeSpan age, string extraAttributes) => seed.TaskAsync(
        execution, status: "Running", revision: RevisionAgo(age + Minute), runCount: 1, created: age + Minute, start: Ago(age + Minute), update: Ago(age), end: ZeroTime,
        extraAttributes: extraAttributes);

    /// <summary>One scrape, of which the sum of stuck and live tasks must be the open tasks.</summary>
    private static async Task<MetricsDocument> ScrapeAsync(TestHarbor harbor)
    {
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal("", string.Join(Environment.NewLine, exporter.Warnings));
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        foreach (var type in new[] { "IMAGE_SCAN", "SCAN_ALL", "SBOM" })
        {
            var open = new[] { "Pending", "Scheduled", "Running" }.Sum(status => scrape.Value("harbor_scan_tasks", ("type", type), ("status", status)));
            Assert.Equal(open, scrape.Sum("harbor_scan_stuck_tasks", ("type", type)) + scrape.Sum("harbor_scan_live_tasks", ("type", type)));
        }
        return scrape;
    }

    /// <summary>A scrape that finds nothing wrong.</summary>
    private static async Task<MetricsDocument> SilentAsync(TestHarbor harbor)
    {
        var scrape = await ScrapeAsync(harbor);
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Empty(scrape.NonZero("harbor_scan_inconsistencies"));
        Assert.Equal(0, scrape.Value("harbor_scan_blocked_artifacts"));
        Assert.Equal(0, scrape.Value("harbor_scan_all_blocked"));
        return scrape;
    }
}
