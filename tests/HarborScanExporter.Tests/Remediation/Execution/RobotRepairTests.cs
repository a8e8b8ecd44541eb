using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>Robot accounts that scans left behind (harbor-facts 5.6, S19).</summary>
public sealed class RobotRepairTests
{
    private static readonly (string, string) On = (Setting.Names.RemediationRobots, "on");
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private const string Job = "d318c1b17dff242a33f02544";

    [Fact]
    public async Task The_robot_of_a_scan_that_a_repair_ended_goes_ten_minutes_later_with_its_permissions()
    {
        await using var harbor = await ServedRepairs.StartAsync(changes: On);
        await harbor.LoseAsync(2);
        await harbor.SeeTwiceAsync();
        await harbor.Repairing.RunAsync();
        Assert.Equal("stop_job done\nstop_job done", await harbor.AuditAsync());
        Assert.Equal(2, await harbor.ScalarAsync<long>("select count(*) from robot"));
        await harbor.AgeAuditAsync(TimeSpan.FromMinutes(9));
        Assert.Empty((await harbor.Repairing.RunAsync()).Outcomes);
        await harbor.AgeAuditAsync(TimeSpan.FromMinutes(2));
        await harbor.CatchUpAsync();
        await harbor.Repairing.RunAsync();
        Assert.Equal("stop_job done\nstop_job done\ndelete_robot done\ndelete_robot done", await harbor.AuditAsync());
        Assert.Equal(0, await harbor.ScalarAsync<long>("select (select count(*) from robot) + (select count(*) from role_permission where role_type = 'robotaccount')"));
        Assert.Equal(2, await harbor.ScalarAsync<long>("select count(distinct robot_id) from harbor_scan.repair where action = 'delete_robot' and task_id is null"));
    }

    [Fact]
    public async Task A_robot_that_is_gone_already_is_done()
    {
        await using var harbor = await ServedRepairs.StartAsync(changes: On);
        var seed = harbor.Repairing.Seed;
        await seed.RobotAsync(30 * Hour);
        harbor.Trouble = api => api.FailNext(1, 404);
        await harbor.CatchUpAsync();
        await harbor.Repairing.RunAsync();
        Assert.Equal("delete_robot done", await harbor.AuditAsync());
    }

    [Fact]
    public async Task Only_hidden_robots_of_scans_older_than_a_day_that_no_open_row_names_go()
    {
        List<long> asked = [];
        await using var harbor = await RepairingHarbor.StartAsync(act: (repair, _) =>
        {
            asked.Add(repair.RobotId!.Value);
            return Task.FromResult(new ActOutcome(RepairState.Done, null));
        }, changes: On);
        var leaked = await harbor.Seed.RobotAsync(30 * Hour);
        await harbor.Seed.RobotAsync(20 * Hour);
        await harbor.Seed.RobotAsync(30 * Hour, description: "mine");
        await harbor.Seed.RobotAsync(30 * Hour, visible: true);
        var ofOpen = await harbor.Seed.RobotAsync(40 * Hour);
        var ofWrongCode = await harbor.Seed.RobotAsync(40 * Hour);
        var execution = await harbor.Seed.ExecutionAsync(started: 40 * Hour);
        await harbor.Seed.TaskAsync(execution, created: 40 * Hour, extraAttributes: $$"""{"robot_id":{{ofOpen}},"report_uuids":[]}""", jobId: "a" + Job[1..]);
        // Somebody wrote Error over a scan that a worker is at.
        await harbor.Seed.TaskAsync(execution, status: "Error", code: 2, created: 40 * Hour, extraAttributes: $$"""{"robot_id":{{ofWrongCode}},"report_uuids":[]}""", jobId: Job);
        await harbor.Jobs.InProgressAsync(Job, 40 * Hour);
        await harbor.Jobs.WorkerAsync(Job, Hour);
        await harbor.Jobs.QueueAsync(Hour, "a" + Job[1..]);
        await harbor.Jobs.RecordAsync("a" + Job[1..], "Pending", Hour, acknowledged: "Pending");

        await harbor.RunAsync();

        Assert.Equal([leaked], asked);
    }

    [Fact]
    public async Task A_job_as_old_as_the_robot_in_the_queue_and_an_open_scan_of_its_time_without_a_robot_keep_it()
    {
        await using var harbor = await RepairingHarbor.StartAsync(act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)), changes: On);
        await harbor.Seed.RobotAsync(30 * Hour);
        await harbor.Jobs.QueueAsync(30 * Hour, Job);
        Assert.Equal(["job_queued"], await RefusalsAsync(harbor));
        await harbor.Redis.Database.KeyDeleteAsync(JobServiceSeed.Prefix + "jobs:IMAGE_SCAN");
        var execution = await harbor.Seed.ExecutionAsync(started: 30 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, created: 30 * Hour, extraAttributes: """{"report_uuids":[]}""");
        Assert.Equal(["task_first"], await RefusalsAsync(harbor));
        await harbor.Seed.ExecuteAsync($"update task set creation_time = creation_time - interval '1 hour' where id = {task}");
        Assert.Empty(await RefusalsAsync(harbor));
    }

    [Theory]
    [InlineData("queued", "job_queued")]
    [InlineData("held", "worker_holds")]
    [InlineData("open", "record_open")]
    [InlineData("final", null)]
    [InlineData("gone", null)]
    [InlineData("row open again", null, true)]
    public async Task The_robot_of_an_ended_scan_stays_while_Redis_holds_anything_of_its_job(string state, string? refusal, bool isKept = false)
    {
        await using var harbor = await RepairingHarbor.StartAsync(act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)), changes: On);
        var robot = await harbor.Seed.RobotAsync(5 * Hour);
        var execution = await harbor.Seed.ExecutionAsync(status: "Error", started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, status: state == "row open again" ? "Pending" : "Error", created: 5 * Hour, extraAttributes: $$"""{"robot_id":{{robot}},"report_uuids":[]}""", jobId: Job);
        await harbor.Seed.ExecuteAsync($$"""
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, task_id, execution_id, job_id, robot_id, status, ended_at)
            values (now() - interval '1 hour', 'r', 'api', 'a', 'finish_task', 'done', 'lost', '[]', {{task}}, {{execution}}, '{{Job}}', {{robot}}, 'Error', now() - interval '1 hour')
            """);
        if (state == "queued") await harbor.Jobs.QueueAsync(Hour, Job);
        if (state == "held") await harbor.Jobs.InProgressAsync(Job, Hour);
        if (state == "open") await harbor.Jobs.RecordAsync(Job, "Running", Hour, acknowledged: "Running");
        if (state == "final") await harbor.Jobs.RecordAsync(Job, "Error", Hour, acknowledged: "Error");
        var plan = await harbor.PlanAsync();
        Assert.Equal(refusal is null ? [] : new[] { refusal }, plan.Refusals.Where(one => one.Verdict == RobotPlanning.Leaked).Select(one => one.Reason));
        Assert.Equal(refusal is null && !isKept ? [robot] : Array.Empty<long>(), plan.Repairs.Where(one => one.Action == RepairAction.DeleteRobot).Select(one => one.RobotId!.Value));
        if (state == "gone") Assert.Equal(SystemWord.LeakedRobots, Assert.Single(plan.Repairs).FindingId);
    }

    private static async Task<IEnumerable<string>> RefusalsAsync(RepairingHarbor harbor) =>
        (await harbor.PlanAsync()).Refusals.Where(refusal => refusal.Verdict == RobotPlanning.Leaked).Select(refusal => refusal.Reason);
}
