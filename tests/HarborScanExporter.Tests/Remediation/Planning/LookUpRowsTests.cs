using HarborScanExporter.Database.Queries;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Tests.Support;


namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>What a look finds beyond the diagnosis: of robot accounts that are left over, and of repaired scans that lack a result.</summary>
public sealed class LookUpRowsTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task The_robot_of_an_ended_scan()
    {
        await using var harbor = await RepairedAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, () => SeedRepairAsync(seed));
        const string line = "update harbor_scan.repair set ";

        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await EndedRobotLookup.ReadAsync(snapshot, [], 10, token)).Select(robot => $"{robot.Id}:{robot.Repair}:{robot.JobId}")),
            ("as the repair left it", "", "1:1:a"),
            ("stopped", line + "action = 'stop_job'", "1:1:a"),
            ("its code mended", line + "action = 'fix_status_code'", ""),
            ("repaired within two days", line + "at = clock_timestamp() - interval '47 hours 59 minutes'", "1:1:a"),
            ("repaired before", line + "at = clock_timestamp() - interval '48 hours 1 second'", ""),
            ("ended ten minutes ago", line + "ended_at = clock_timestamp() - interval '10 minutes 1 second'", "1:1:a"),
            ("ended less than ten minutes ago", line + "ended_at = clock_timestamp() - interval '9 minutes 30 seconds'", ""),
            ("not ended", line + "ended_at = null", ""),
            ("intended", line + "state = 'intended'", ""),
            ("failed", line + "state = 'failed'", ""),
            ("without effect", line + "state = 'no_effect'", ""),
            ("taken back", line + "state = 'undone'", ""),
            ("without a job", line + "job_id = null", "1:1:"),
            ("repaired twice", "insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, job_id, robot_id, ended_at) select run, source, actor, action, state, verdict, evidence, task_id, 'b', robot_id, ended_at from harbor_scan.repair", "1:2:b"),
            ("of a scan with another robot", line + "robot_id = 2", ""),
            ("the task gone", "delete from task", "1:1:a"),
            ("the task Success", "update task set status = 'Success'", "1:1:a"),
            ("the task Stopped", "update task set status = 'Stopped'", "1:1:a"),
            ("the task open", "update task set status = 'Running', status_code = 2", ""),
            ("the task open, and another over", "update task set status = 'Running', status_code = 2; insert into task (execution_id, vendor_type, status, status_code) values (1, 'IMAGE_SCAN', 'Error', 3)", ""),
            ("the task's code low", "update task set status_code = 2", ""),
            ("the task's word open alone", "update task set status = 'Running'", ""),
            ("the task's word unknown", "update task set status = 'Strange'", ""),
            ("visible", "update robot set visible = true", ""),
            ("of somebody", "update robot set description = 'mine'", ""),
            ("made at no time", "update robot set creation_time = 'infinity'", ""));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await EndedRobotLookup.ReadAsync(snapshot, [1], 10, token)).Select(robot => $"{robot.Id}")),
            ("named by an open task", "", ""),
            ("another is named", "update robot set id = 2; update harbor_scan.repair set robot_id = 2", "2"));
        // Those beyond the bound are counted, the oldest are read.
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await EndedRobotLookup.ReadAsync(snapshot, [], 1, token)).Select(robot => $"{robot.Id} of {robot.Total}")),
            ("two", """
                insert into robot (id, name, description, visible, creation_time) select 7, 'seven', description, visible, creation_time from robot;
                insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, robot_id, ended_at) select run, source, actor, action, state, verdict, evidence, 7, ended_at from harbor_scan.repair
                """, "1 of 2"));
    }

    [Fact]
    public async Task The_robot_of_an_unknown_scan()
    {
        await using var harbor = await RepairedAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            await seed.RobotAsync(30 * Hour);
            await seed.ExecuteAsync("update robot set creation_time = '2026-09-20 12:00:00'");
        });
        const double Made = 1_789_905_600;

        await rows.ReadAsync(async (snapshot, token) => (await RobotLookup.LeakedAsync(snapshot, Made + 1, [2], 10, token)).Count,
            ("hidden, of a scan, before that time", "", 1),
            ("visible", "update robot set visible = true", 0),
            ("of somebody", "update robot set description = 'mine'", 0),
            ("made at no time", "update robot set creation_time = '-infinity'", 0),
            ("made since", "update robot set creation_time = creation_time + interval '1 second'", 0),
            ("named by an open task", "update robot set id = 2", 0));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await RobotLookup.LeakedAsync(snapshot, Made + 1, [], 1, token)).Select(robot => $"{robot.Id} {robot.Created} of {robot.Total}")),
            ("two", "insert into robot (id, name, description, visible, creation_time) select 7, 'seven', description, visible, creation_time from robot", $"1 {Made} of 2"));
    }

    [Fact]
    public async Task A_scan_that_lacks_a_result()
    {
        await using var harbor = await RepairedAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, () => SeedRepairAsync(seed));
        const string line = "update harbor_scan.repair set ";
        static string Another(string action, string state, int task, int artifact = 1, string type = "IMAGE_SCAN", string ago = "1 hour") => $"""
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, vendor_type, task_id, artifact_id)
            values (clock_timestamp() - interval '{ago}', 'r', 'api', 'a', '{action}', '{state}', '', '[]', '{type}', {task}, {artifact})
            """;

        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await RescanLookup.ReadAsync(snapshot, 3, true, token)).Found.Select(one => $"{one.Repair}:{one.Repository}:{one.IsFinal}:{one.Scans}")),
            ("as the repair left it", "", "1:library/a:True:0"),
            ("stopped", line + "action = 'stop_job', status = 'Stopped'; update task set status = 'Stopped'", "1:library/a:True:0"),
            ("its code mended", line + "action = 'fix_status_code'", ""),
            ("repaired within a day", line + "at = clock_timestamp() - interval '23 hours 59 minutes'", "1:library/a:True:0"),
            ("repaired before", line + "at = clock_timestamp() - interval '24 hours 1 second'", ""),
            ("intended", line + "state = 'intended'", ""),
            ("failed", line + "state = 'failed'", ""),
            ("without effect", line + "state = 'no_effect'", ""),
            ("taken back", line + "state = 'undone'", ""),
            ("made Success", line + "status = 'Success'", ""),
            ("of no execution", line + "execution_id = null", ""),
            ("of no artifact", line + "artifact_id = null", ""),
            ("the task Success since", "update task set status = 'Success'", ""),
            ("the task open since", "update task set status = 'Running', status_code = 2", "1:library/a:False:0"),
            ("the task gone", "delete from task", ""),
            ("of another task", line + "task_id = 7", ""),
            ("the artifact gone", "delete from artifact", "1::True:0"),
            ("scanned again", Another("rescan", "done", 1), ""),
            ("to be scanned again", Another("rescan", "intended", 1), ""),
            ("scanned again without effect", Another("rescan", "no_effect", 1), ""),
            ("refused a scan", Another("rescan", "failed", 1), "1:library/a:True:0"),
            ("another task of it scanned again", Another("rescan", "done", 7), "1:library/a:True:1"),
            ("another task of it refused a scan", Another("rescan", "failed", 7), "1:library/a:True:0"),
            ("another task of it scanned again before", Another("rescan", "done", 7, ago: "24 hours 1 second"), "1:library/a:True:0"),
            ("another task of it scanned again within the day", Another("rescan", "done", 7, ago: "23 hours 59 minutes"), "1:library/a:True:1"),
            ("another task of it mended", Another("fix_status_code", "done", 7), "1:library/a:True:0"),
            ("an SBOM of it made again", Another("rescan", "done", 7, type: "SBOM"), "1:library/a:True:0"),
            ("another artifact scanned again", Another("rescan", "done", 7, artifact: 7), "1:library/a:True:0"),
            ("of an SBOM, of which another was made again", "update task set vendor_type = 'SBOM'; " + Another("rescan", "done", 7, type: "SBOM"), "1:library/a:True:1"));
    }

    private static async Task<TestHarbor> RepairedAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        return harbor;
    }

    /// <summary>A scan that a repair ended an hour ago: its task, its robot account, its artifact and its report, each with the id 1.</summary>
    private static async Task SeedRepairAsync(Seed seed)
    {
        var robot = await seed.RobotAsync(5 * Hour);
        var execution = await seed.ExecutionAsync(status: "Error", started: 5 * Hour);
        var task = await seed.TaskAsync(execution, status: "Error", created: 5 * Hour, extraAttributes: """{"artifact_id":1,"report_uuids":["u"],"robot_id":1}""", jobId: "a");
        await seed.ReportAsync("u", "sha256:a", stored: false);
        await seed.ExecuteAsync($"""
            insert into artifact (project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type) values (1, 'library/a', 'sha256:a', 'IMAGE', 1, 'm', 'm', 'm');
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, vendor_type, task_id, execution_id, job_id, robot_id, artifact_id, status, ended_at)
            values (clock_timestamp() - interval '1 hour', 'r', 'api', 'a', 'finish_task', 'done', 'lost', '[]', 'IMAGE_SCAN', {task}, {execution}, 'a', {robot}, 1, 'Error', clock_timestamp() - interval '1 hour')
            """);
    }
}
