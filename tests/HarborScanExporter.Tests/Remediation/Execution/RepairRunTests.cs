using HarborScanExporter.Diagnosis;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>Runs over a real database and a real Redis.</summary>
public sealed class RepairRunTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private const string Job = "d318c1b17dff242a33f02544";

    [Fact]
    public async Task A_lost_scan_becomes_Error_with_code_3_its_execution_follows_and_the_audit_has_both_images()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Job);
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Null(result.Problem);
        Assert.Equal(RunEnd.Clean, result.End);
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        Assert.Equal("Error 1 ended", await harbor.ExecutionAsync(execution));
        Assert.Equal($"finish_task done task={task} execution={execution} Error", await harbor.AuditAsync());
        Assert.Equal("Pending 0 Running Error 3 Error", await harbor.Harbor.Database.ScalarAsync<string>("""
            select concat_ws(' ', before->'task'->>'status', before->'task'->>'status_code', before->'execution'->>'status',
                             after->'task'->>'status', after->'task'->>'status_code', after->'execution'->>'status')
            from harbor_scan.repair
            """));
        Assert.Equal("", (await harbor.RunAsync()).Problem ?? "");
        Assert.Equal(1, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
    }

    [Fact]
    public async Task A_dry_run_leaves_no_trace()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Job);
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync(dryRun: true);

        var outcome = Assert.Single(result.Outcomes);
        Assert.Equal((RepairState.Done, RepairAction.FinishTask, "Error"), (outcome.State, outcome.Repair.Action, outcome.Repair.Status));
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
        Assert.Equal("", await harbor.AuditAsync());
    }

    [Fact]
    public async Task With_the_API_a_lost_scan_is_stopped_by_it_and_the_intent_is_written_ahead()
    {
        string? duringCall = null;
        RepairingHarbor? harbor = null;
        await using var started = harbor = await RepairingHarbor.StartAsync(act: async (repair, _) =>
        {
            duringCall = await harbor!.AuditAsync();
            return new ActOutcome(RepairState.Done, null);
        });
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Job);
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Equal($"stop_job intended task={task} execution={execution} Stopped", duringCall);
        Assert.Equal($"stop_job done task={task} execution={execution} Stopped", await harbor.AuditAsync());
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
    }

    [Fact]
    public async Task A_scan_that_ends_while_another_is_being_stopped_is_not_stopped_after_its_end()
    {
        List<long> stopped = [];
        RepairingHarbor? harbor = null;
        long second = 0;
        await using var started = harbor = await RepairingHarbor.StartAsync(act: async (repair, _) =>
        {
            stopped.Add(repair.TaskId!.Value);
            await harbor!.Seed.ExecuteAsync($"update task set status = 'Success', status_code = 3, status_revision = 7, update_time = now(), end_time = now() where id = {second}");
            return new ActOutcome(RepairState.Done, null);
        });
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var first = await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Job);
        second = await harbor.Seed.TaskAsync(execution, created: 4 * Hour, jobId: "d318c1b17dff242a33f02545");
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Equal([first], stopped);
        Assert.Equal("Success 3 7 ended", await harbor.TaskAsync(second));
        Assert.Equal(
            $"""
            stop_job done task={first} execution={execution} Stopped
            stop_job failed lost_race task={second} execution={execution} Stopped
            """, await harbor.AuditAsync());
    }
}
