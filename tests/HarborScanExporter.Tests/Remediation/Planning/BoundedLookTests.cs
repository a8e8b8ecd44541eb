using HarborScanExporter.Diagnosis;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>A look is bounded: what is refused hides nothing that can be repaired, and what is beyond the bound is counted.</summary>
public sealed class BoundedLookTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Wrong_codes_of_jobs_that_wait_do_not_hide_one_that_can_be_repaired()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(status: "Stopped", started: 5 * Hour);
        string[] jobs = [.. Enumerable.Range(0, 250).Select(_ => harbor.NewJob())];
        foreach (var job in jobs) await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, jobId: job);
        var last = await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, jobId: harbor.NewJob());
        await harbor.Jobs.QueueAsync(5 * Hour, jobs);
        await harbor.SeeTwiceAsync();
        var plan = await harbor.PlanAsync();
        Assert.Equal([(RepairAction.FixStatusCode, (long?)last)], plan.Repairs.Select(repair => (repair.Action, repair.TaskId)));
        Assert.Equal(250, plan.Refusals.Count(refusal => refusal.Reason == "job_queued"));
    }

    [Fact]
    public async Task Wrong_codes_that_a_person_has_to_look_at_do_not_hide_one_beyond_the_bound()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(status: "Stopped", started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, jobId: "", copies: 4_100);
        await harbor.Seed.ExecuteAsync("""
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, task_id, execution_id, ended_at, checks)
            select now() - interval '30 hours', 'r', 'api', 'a', 'fix_status_code', 'done', 'final_status_wrong_code', '[]', id, execution_id, now() - interval '30 hours', 2
            from task, generate_series(1, 2) where id < (select max(id) from task)
            """);
        var last = await harbor.Harbor.Database.ScalarAsync<long>("select max(id)::bigint from task");
        await harbor.SeeTwiceAsync();
        var plan = await harbor.PlanAsync();
        Assert.Equal([(RepairAction.FixStatusCode, (long?)last)], plan.Repairs.Select(repair => (repair.Action, repair.TaskId)));
        Assert.Equal(4_099, plan.Refusals.Count(refusal => refusal.Reason == "attempts"));
        Assert.Empty(Unlooked(plan));
        Assert.Equal([RepairState.Done], (await harbor.RunAsync()).Outcomes.Select(outcome => outcome.State));
    }

    [Fact]
    public async Task Wrong_codes_beyond_the_bound_are_counted()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(status: "Stopped", started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, jobId: "", copies: 2_003);
        await harbor.SeeTwiceAsync();
        Assert.Equal([(Inconsistency.FinalStatusWrongCode, 3L)], Unlooked(await harbor.PlanAsync()));
    }

    [Fact]
    public async Task Robots_that_a_person_has_to_look_at_do_not_hide_one_that_can_go_and_those_beyond_the_bound_are_counted()
    {
        await using var harbor = await RepairingHarbor.StartAsync(
            act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)), changes: (Setting.Names.RemediationRobots, "on"));
        await harbor.Seed.ExecuteAsync("""
            insert into robot (name, project_id, description, expiresat, visible, creation_time)
            select 'tried-' || i, 1, 'for scan', -1, false, now() at time zone 'utc' - interval '40 hours' from generate_series(1, 250) i;
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, robot_id, ended_at)
            select now() - interval '5 hours', 'r', 'api', 'a', 'delete_robot', 'no_effect', 'leaked_robot', '[]', id, now() - interval '5 hours'
            from robot, generate_series(1, 2) where name like 'tried-%';
            """);
        var last = await harbor.Seed.RobotAsync(30 * Hour);
        var plan = await harbor.PlanAsync();
        Assert.Equal([(long?)last], plan.Repairs.Select(repair => repair.RobotId));
        Assert.Equal(250, plan.Refusals.Count(refusal => refusal.Reason == "attempts"));
        Assert.Empty(Unlooked(plan));

        await harbor.Seed.ExecuteAsync("""
            insert into robot (name, project_id, description, expiresat, visible, creation_time)
            select 'more-' || i, 1, 'for scan', -1, false, now() at time zone 'utc' - interval '30 hours' from generate_series(1, 1753) i
            """);
        Assert.Equal([(RobotPlanning.Leaked, 4L)], Unlooked(await harbor.PlanAsync()));
    }

    [Fact]
    public async Task Robots_of_ended_scans_that_open_rows_name_do_not_hide_one_that_can_go()
    {
        await using var harbor = await RepairingHarbor.StartAsync(
            act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)), changes: (Setting.Names.RemediationRobots, "on"));
        await harbor.Seed.ExecuteAsync("""
            insert into robot (name, project_id, description, expiresat, visible, creation_time)
            select 'of-' || i, 1, 'for scan', -1, false, now() at time zone 'utc' - interval '2 hours' from generate_series(1, 2001) i;
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, task_id, robot_id, ended_at)
            select now() - interval '30 hours', 'r', 'api', 'a', 'finish_task', 'done', 'lost', '[]', 100000 + id, id, now() - interval '30 hours' from robot where name like 'of-%';
            insert into execution (vendor_type, vendor_id, status, trigger, extra_attrs, start_time) values ('IMAGE_SCAN', 1, 'Running', 'MANUAL', '{}', now() at time zone 'utc');
            insert into task (execution_id, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, update_time, vendor_type)
            select (select max(id) from execution), '', 'Pending', 0, 0, 0, json_build_object('robot_id', id, 'report_uuids', '[]'::json), now() at time zone 'utc', now() at time zone 'utc', 'IMAGE_SCAN'
            from robot where name like 'of-%' and name <> 'of-2001';
            """);
        var plan = await harbor.PlanAsync();
        Assert.Equal([await harbor.Harbor.Database.ScalarAsync<long>("select id::bigint from robot where name = 'of-2001'")], plan.Repairs.Select(repair => repair.RobotId!.Value));
        Assert.Empty(Unlooked(plan));
    }

    [Fact]
    public async Task Scans_that_somebody_has_scanned_again_or_whose_artifact_is_gone_do_not_hide_those_that_lack_a_result()
    {
        await using var harbor = await RepairingHarbor.StartAsync(
            act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)), changes: (Setting.Names.RemediationRescan, "on"));
        // The reports of the first 219 were taken over; the artifacts of the next 219 are gone; two are left.
        await RepairedAsync(harbor, 1, 440);
        await harbor.Seed.ExecuteAsync("""
            insert into scan_report (uuid, digest, registration_uuid, mime_type) select 'report-' || i, 'sha256:' || i, 'scanner', 'x' from generate_series(220, 440) i;
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            select i, 1, 'library/app-' || i, 'sha256:' || i, 'IMAGE', 1, 'x', 'x', 'x' from generate_series(439, 440) i;
            """);
        var plan = await harbor.PlanAsync();
        Assert.Equal(["library/app-439", "library/app-440"], plan.Repairs.Select(repair => repair.Artifact!.Value.Repository));
        Assert.Equal(219, plan.Refusals.Count(refusal => refusal.Reason == "artifact_gone"));
        Assert.Empty(Unlooked(plan));
    }

    [Fact]
    public async Task Scans_to_be_scanned_again_beyond_the_bound_are_counted()
    {
        await using var harbor = await RepairingHarbor.StartAsync(
            act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)), changes: (Setting.Names.RemediationRescan, "on"));
        await RepairedAsync(harbor, 1, 5_007);
        Assert.Equal([(RescanPlanning.Repaired, 7L)], Unlooked(await harbor.PlanAsync()));
    }

    private static (string, long)[] Unlooked(RepairPlan plan) =>
        [.. plan.Refusals.Where(refusal => refusal.Reason == "not_looked_at").Select(refusal => (refusal.Verdict, refusal.Count))];

    /// <summary>Scans of so many artifacts that repairs of an hour ago wrote Error.</summary>
    private static Task RepairedAsync(RepairingHarbor harbor, int first, int last) => harbor.Seed.ExecuteAsync($$"""
        insert into execution (vendor_type, vendor_id, status, trigger, extra_attrs, start_time) values ('IMAGE_SCAN', 1, 'Error', 'MANUAL', '{}', now() at time zone 'utc' - interval '5 hours');
        insert into task (execution_id, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, update_time, end_time, vendor_type)
        select (select max(id) from execution), '', 'Error', 3, 0, 0, json_build_object('artifact_id', i, 'report_uuids', json_build_array('report-' || i)),
               now() at time zone 'utc' - interval '5 hours', now() at time zone 'utc' - interval '1 hour', now() at time zone 'utc' - interval '1 hour', 'IMAGE_SCAN'
        from generate_series({{first}}, {{last}}) i order by i;
        insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, vendor_type, task_id, execution_id, job_id, artifact_id, status, ended_at)
        select now() - interval '1 hour', 'r', 'api', 'a', 'finish_task', 'done', 'lost', '[]', vendor_type, id, execution_id, job_id, (extra_attrs ->> 'artifact_id')::bigint, 'Error', now() - interval '1 hour'
        from task order by id;
        """);
}
