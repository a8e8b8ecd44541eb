using HarborScanExporter.Diagnosis;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>Artifacts of repaired scans are scanned again, bounded and once.</summary>
public sealed class RescanTests
{
    private static readonly (string, string) On = (Setting.Names.RemediationRescan, "on");
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("2.7.4")]
    [InlineData("2.11.0")]
    public async Task A_scan_that_was_lost_is_scanned_again_and_comes_to_its_end(string release)
    {
        await using var harbor = await ServedRepairs.StartAsync(release, changes: On);
        var task = Assert.Single(await harbor.LoseAsync(1));
        await harbor.SeeTwiceAsync();

        Assert.Null((await harbor.Repairing.RunAsync()).Problem);

        Assert.Equal("stop_job done\nrescan done", await harbor.AuditAsync());
        Assert.Equal(2, await harbor.ScalarAsync<long>("select count(*) from task"));
        Assert.Single(harbor.Api.Requests, request => request.Method == "POST" && request.Path.EndsWith("/scan", StringComparison.Ordinal));
        await harbor.Api.RunAsync(simulation => simulation.AdvanceAsync(TimeSpan.FromMinutes(5), Token), Token);
        Assert.Equal("Success", await harbor.ScalarAsync<string>($"select status from task where id > {task}"));
        // The report is the new scan's now: nothing is left to be scanned again.
        await harbor.AgeAuditAsync(2 * Hour);
        Assert.Empty((await harbor.Repairing.RunAsync()).Outcomes);
    }

    [Fact]
    public async Task An_SBOM_is_asked_for_as_an_SBOM()
    {
        await using var harbor = await ServedRepairs.StartAsync("2.13.0", changes: On);
        var task = await harbor.Api.RunAsync(async simulation =>
        {
            await simulation.AdvanceAsync(Hour, Token);
            var scan = await simulation.GenerateSbomAsync(await simulation.PushAsync(cancellationToken: Token), Token);
            await simulation.LoseJobAsync(scan.TaskIds[0], Token);
            return scan.TaskIds[0];
        }, Token);
        await harbor.SeeTwiceAsync();
        await harbor.Repairing.RunAsync();
        Assert.Equal("stop_job done\nrescan done", await harbor.AuditAsync());
        Assert.Equal("SBOM", await harbor.ScalarAsync<string>($"select vendor_type from task where id > {task}"));
    }

    [Fact]
    public async Task No_more_scans_wait_than_workers_live()
    {
        await using var harbor = await ServedRepairs.StartAsync(settings: new SimulationSettings { ErrorShare = 0, Sweeps = false, WorkersPerPool = 3 }, changes: On);
        await harbor.LoseAsync(12);
        await harbor.SeeTwiceAsync();

        var result = await harbor.Repairing.RunAsync();

        // Three for the workers, three that wait; their time does not pass while the run goes on.
        var asked = await harbor.ScalarAsync<long>("select count(*) from harbor_scan.repair where action = 'rescan' and state = 'done'");
        Assert.InRange(asked, 3, 6);
        Assert.InRange(await harbor.Repairing.Redis.Database.ListLengthAsync(JobServiceSeed.Prefix + "jobs:IMAGE_SCAN"), 0, 3);
        Assert.Equal(RunEnd.Left, result.End);
        Assert.Equal(12 - asked, result.Plan!.Refusals.Count(refusal => refusal.Reason == "queue_full"));
        for (var round = 0; round < 6 && asked < 12; round++)
        {
            await harbor.Api.RunAsync(simulation => simulation.AdvanceAsync(TimeSpan.FromMinutes(3), Token), Token);
            await harbor.Repairing.RunAsync();
            asked = await harbor.ScalarAsync<long>("select count(*) from harbor_scan.repair where action = 'rescan' and state = 'done'");
        }
        Assert.Equal(12, asked);
        Assert.Equal(12, await harbor.ScalarAsync<long>("select count(distinct artifact_id) from harbor_scan.repair where action = 'rescan'"));
    }

    [Fact]
    public async Task A_scan_that_somebody_else_has_begun_is_not_asked_for()
    {
        await using var harbor = await ServedRepairs.StartAsync(changes: On);
        await harbor.LoseAsync(1);
        await harbor.SeeTwiceAsync();
        // A person's scan of the same artifact begins right after the stop.
        await harbor.Api.RunAsync(async simulation =>
        {
            await simulation.StopJobAsync(await harbor.ScalarAsync<string>("select job_id from task"), Token);
            Assert.True((await simulation.ScanAsync(simulation.Artifacts[^1], Token)).Accepted);
        }, Token);
        await harbor.Repairing.RunAsync();
        Assert.Equal("", await harbor.AuditAsync());
    }

    [Theory]
    [InlineData(409, "rescan no_effect")]
    [InlineData(412, "rescan failed api_refused")]
    [InlineData(403, "rescan failed api_denied")]
    public async Task What_Harbor_answers_ends_the_intent(int status, string line)
    {
        await using var harbor = await ServedRepairs.StartAsync(changes: On);
        await RepairedAsync(harbor);
        harbor.Trouble = api => api.FailNext(1, status);
        await harbor.Repairing.RunAsync();
        Assert.Equal($"finish_task done\n{line}", await harbor.AuditAsync());
        await harbor.Repairing.RunAsync();
        Assert.Equal($"finish_task done\n{line}", await harbor.AuditAsync());
    }

    [Theory]
    [InlineData(true, "rescan done")]
    [InlineData(false, "rescan failed interrupted")]
    public async Task After_an_answer_that_got_lost_the_reports_tell_whether_a_scan_began(bool hasActed, string line)
    {
        await using var harbor = await ServedRepairs.StartAsync(changes: On);
        await RepairedAsync(harbor);
        harbor.Trouble = api => api.DropNext(1, afterActing: hasActed);
        await harbor.Repairing.RunAsync();
        Assert.Equal("finish_task done\nrescan intended", await harbor.AuditAsync());
        await harbor.AgeAuditAsync(TimeSpan.FromMinutes(3));
        await harbor.CatchUpAsync();
        await harbor.Repairing.RunAsync();
        Assert.Equal($"finish_task done\n{line}", await harbor.AuditAsync());
    }

    [Theory]
    [InlineData("delete from artifact", "artifact_gone")]
    [InlineData("update task set status = 'Running', status_code = 2", "in_progress")]
    [InlineData("update scan_report set report = '{}'", null)]
    [InlineData("update scan_report set uuid = 'newer'", null)]
    [InlineData("update harbor_scan.repair set at = at - interval '25 hours'", null)]
    [InlineData("update harbor_scan.repair set state = 'undone'", null)]
    [InlineData("update harbor_scan.repair set status = 'Success'", null)]
    [InlineData("insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, vendor_type, artifact_id) select 'r', 'api', 'a', 'rescan', 'done', '', '[]', vendor_type, artifact_id from harbor_scan.repair, generate_series(1, 2)", "attempts")]
    [InlineData("delete from task", null)]
    public async Task What_needs_no_new_scan_gets_none(string change, string? refusal)
    {
        await using var harbor = await ServedRepairs.StartAsync(changes: On);
        await RepairedAsync(harbor);
        await harbor.ExecuteAsync(change);
        var plan = await harbor.Repairing.PlanAsync();
        Assert.DoesNotContain(plan.Repairs, repair => repair.Action == RepairAction.Rescan);
        Assert.Equal(refusal is null ? [] : new[] { refusal }, plan.Refusals.Where(one => one.Verdict == "repaired").Select(one => one.Reason));
    }

    [Fact]
    public async Task Nothing_is_scanned_again_while_the_switch_is_off()
    {
        await using var harbor = await ServedRepairs.StartAsync();
        await RepairedAsync(harbor);
        Assert.Equal(RunEnd.Clean, (await harbor.Repairing.RunAsync()).End);
        Assert.Equal("finish_task done", await harbor.AuditAsync());
        Assert.DoesNotContain(harbor.Api.Requests, request => request.Method == "POST");
    }

    /// <summary>A scan that a repair of an hour ago wrote Error.</summary>
    private static async Task RepairedAsync(ServedRepairs harbor)
    {
        var task = Assert.Single(await harbor.LoseAsync(1));
        await harbor.ExecuteAsync($"""
            update task set status = 'Error', status_code = 3, end_time = update_time;
            update execution set status = 'Error';
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, vendor_type, task_id, execution_id, job_id, artifact_id, status, ended_at)
            select now() - interval '1 hour', 'r', 'api', 'a', 'finish_task', 'done', 'lost', '[]', vendor_type, id, execution_id, job_id,
                   (extra_attrs ->> 'artifact_id')::bigint, 'Error', now() - interval '1 hour'
            from task where id = {task}
            """);
        await harbor.CatchUpAsync();
    }
}
