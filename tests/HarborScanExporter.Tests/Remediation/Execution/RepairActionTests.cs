using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>Each action that changes rows, from the rows and keys of its state to the rows, revision and audit it leaves.</summary>
public sealed class RepairActionTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private const string Done = "ended";

    [Fact]
    public async Task A_scan_whose_reports_are_stored_becomes_Success()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.Seed.ReportAsync("u-1", "sha256:a", stored: true);
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(5 * Hour), runCount: 1, created: 5 * Hour, start: Ago(5 * Hour), update: Ago(5 * Hour),
            end: ZeroTime, extraAttributes: """{"artifact_id":1,"report_uuids":["u-1"],"robot_id":1}""");
        await harbor.SeeTwiceAsync();

        Assert.Equal(RunEnd.Clean, (await harbor.RunAsync()).End);

        Assert.StartsWith("Success 3 ", await harbor.TaskAsync(task), StringComparison.Ordinal);
        Assert.Equal($"Success 1 {Done}", await harbor.ExecutionAsync(execution));
        Assert.Equal($"finish_task done task={task} execution={execution} Success", await harbor.AuditAsync());
    }

    [Fact]
    public async Task A_scan_whose_record_says_Stopped_becomes_Stopped()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (execution, task) = await harbor.LoseScanAsync(jobId: "00000000000000000000000a");
        await harbor.Jobs.RecordAsync("00000000000000000000000a", "Stopped", 3 * Hour, 5 * Hour);
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Equal($"Stopped 3 0 {Done}", await harbor.TaskAsync(task));
        Assert.Equal($"Stopped 1 {Done}", await harbor.ExecutionAsync(execution));
    }

    [Fact]
    public async Task The_write_leaves_revision_run_count_start_attributes_and_job_as_they_are_and_marks_the_row()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, status: "Running", revision: "1789000000", runCount: 3, created: 5 * Hour, start: Ago(5 * Hour), update: Ago(5 * Hour), end: ZeroTime);
        const string kept = "select concat_ws(' ', job_id, status_revision, run_count, start_time, extra_attrs, creation_time, vendor_type) from task";
        var before = await harbor.Harbor.Database.ScalarAsync<string>(kept);
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Equal(before, await harbor.Harbor.Database.ScalarAsync<string>(kept));
        Assert.Equal("Error 3 1789000000 ended", await harbor.TaskAsync(task));
        Assert.Equal($"harbor-scan-exporter repair {result.Run}", await harbor.Harbor.Database.ScalarAsync<string>("select status_message from task"));
        Assert.True(await harbor.Harbor.Database.ScalarAsync<bool>(
            "select end_time = update_time and end_time = date_trunc('second', end_time) and end_time > now() at time zone 'utc' - interval '1 minute' and end_time <= now() at time zone 'utc' from task"));
    }

    /// <summary>Harbor's precedence: open before Error before Stopped before Success.</summary>
    [Theory]
    [InlineData("Success", "Error 1 ended")]
    [InlineData("Stopped", "Error 1 ended")]
    [InlineData("Error", "Error 1 ended")]
    [InlineData("Running", "Running 1")]
    public async Task The_execution_follows_all_of_its_tasks(string sibling, string told)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: harbor.NewJob());
        var living = harbor.NewJob();
        await harbor.Seed.TaskAsync(execution, status: sibling, revision: RevisionAgo(10 * Minute), runCount: 1, created: 5 * Hour, start: Ago(10 * Minute), update: Ago(10 * Minute),
            end: sibling == "Running" ? ZeroTime : Ago(10 * Minute), jobId: living);
        if (sibling == "Running")
        {
            await harbor.Jobs.RecordAsync(living, "Running", 10 * Minute, acknowledged: "Running");
            await harbor.Jobs.InProgressAsync(living, 10 * Minute);
            await harbor.Jobs.WorkerAsync(living, 10 * Minute);
        }
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        Assert.Equal(told, await harbor.ExecutionAsync(execution));
        Assert.Equal(1, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
    }

    [Fact]
    public async Task Tasks_of_one_execution_are_repaired_together_and_its_revision_rises_once()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        for (var i = 0; i < 3; i++) await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: harbor.NewJob());
        await harbor.SeeTwiceAsync();

        Assert.Equal(3, (await harbor.RunAsync()).Outcomes.Count);

        Assert.Equal("Error 1 ended", await harbor.ExecutionAsync(execution));
        Assert.Equal("3 1 1", await harbor.Harbor.Database.ScalarAsync<string>(
            "select concat_ws(' ', count(*), count(distinct after->'execution'->>'revision'), count(distinct before->'execution'->>'status')) from harbor_scan.repair"));
    }

    [Fact]
    public async Task An_execution_whose_tasks_are_over_is_refreshed_and_ends_with_the_last_of_them()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL", started: 9 * Hour, extraAttributes: """{"summary":{"total_count":2,"submit_count":2}}""");
        await harbor.Seed.TaskAsync(execution, "SCAN_ALL", "Success", revision: "1", created: 9 * Hour, update: Ago(7 * Hour), end: Ago(7 * Hour));
        await harbor.Seed.TaskAsync(execution, "SCAN_ALL", "Stopped", revision: "1", created: 9 * Hour, update: Ago(8 * Hour), end: Ago(8 * Hour));
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Equal("Stopped 1 ended", await harbor.ExecutionAsync(execution));
        Assert.Equal($"refresh_execution done execution={execution}", await harbor.AuditAsync());
        Assert.True(await harbor.Harbor.Database.ScalarAsync<bool>("select e.end_time = (select max(end_time) from task) from execution e"));
        Assert.Equal("Running Stopped", await harbor.Harbor.Database.ScalarAsync<string>(
            "select concat_ws(' ', before->'execution'->>'status', after->'execution'->>'status', before->'task'->>'id') from harbor_scan.repair"));
    }

    [Fact]
    public async Task A_scan_all_that_never_got_a_task_becomes_Error()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL", started: Hour);
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Equal("Error 1 ended", await harbor.ExecutionAsync(execution));
        Assert.Equal($"close_empty_execution done execution={execution} Error", await harbor.AuditAsync());
        Assert.Equal($"harbor-scan-exporter repair {result.Run}", await harbor.Harbor.Database.ScalarAsync<string>("select status_message from execution"));
    }

    [Fact]
    public async Task A_final_row_gets_its_code_and_the_end_it_can_tell()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(status: "Stopped", started: 5 * Hour, update: Ago(3 * Hour));
        var known = await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, update: Ago(3 * Hour), end: Ago(4 * Hour), jobId: harbor.NewJob());
        var zero = await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, update: Ago(3 * Hour), end: ZeroTime, jobId: harbor.NewJob());
        var none = await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, update: Ago(3 * Hour), jobId: harbor.NewJob());
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Equal("3 Stopped", await harbor.Harbor.Database.ScalarAsync<string>("select min(status_code) || ' ' || min(status) from task"));
        Assert.Equal("4 3 3", await harbor.Harbor.Database.ScalarAsync<string>($"""
            select string_agg(floor(extract(epoch from now() at time zone 'utc' - end_time) / 3600)::text, ' ' order by id)
            from task where id in ({known}, {zero}, {none})
            """));
        Assert.Equal(3, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where action = 'fix_status_code' and state = 'done'"));
    }

    [Fact]
    public async Task A_row_that_was_edited_while_its_job_lives_is_left_until_its_hook_has_come()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: Hour);
        var task = await harbor.Seed.TaskAsync(execution, status: "Error", code: 2, revision: RevisionAgo(Hour), runCount: 1, created: Hour, update: Ago(Hour), end: ZeroTime, jobId: "00000000000000000000000a");
        await harbor.Jobs.RecordAsync("00000000000000000000000a", "Running", Hour, acknowledged: "Running");
        await harbor.Jobs.InProgressAsync("00000000000000000000000a", Hour);
        await harbor.Jobs.WorkerAsync("00000000000000000000000a", Hour);
        await harbor.SeeTwiceAsync();

        var refused = Assert.Single((await harbor.RunAsync()).Plan!.Refusals, refusal => refusal.TaskId == task);

        Assert.Equal("worker_holds", refused.Reason);
        Assert.StartsWith("Error 2 ", await harbor.TaskAsync(task), StringComparison.Ordinal);
        // Core takes the true end, because the code was below 3.
        await harbor.Seed.ExecuteAsync($"update task set status = 'Success', status_code = 3, end_time = update_time where id = {task} and status_code < 3");
        await harbor.RunAsync();
        Assert.StartsWith("Success 3 ", await harbor.TaskAsync(task), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_rows_than_a_batch_takes_are_done_in_one_run()
    {
        await using var harbor = await RepairingHarbor.StartAsync(limits: limits => limits with { MaxPerRun = 2 });
        for (var i = 0; i < 5; i++) await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Clean, 5, 3), (result.End, result.Outcomes.Count, result.Batches));
    }

    [Fact]
    public async Task More_wrong_codes_of_one_execution_than_a_batch_takes_are_done_in_one_run()
    {
        await using var harbor = await RepairingHarbor.StartAsync(limits: limits => limits with { MaxPerRun = 2 });
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL", "Stopped", started: 5 * Hour, update: Ago(3 * Hour));
        for (var i = 0; i < 5; i++) await harbor.Seed.TaskAsync(execution, "SCAN_ALL", "Stopped", 0, created: 5 * Hour, update: Ago(3 * Hour), jobId: harbor.NewJob());
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Clean, 5), (result.End, result.Outcomes.Count));
        Assert.Equal(3, await harbor.Harbor.Database.ScalarAsync<long>("select min(status_code)::bigint from task"));
    }

    [Fact]
    public async Task A_code_that_became_wrong_since_the_first_look_waits_for_its_second()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL", "Stopped", started: 5 * Hour, update: Ago(3 * Hour));
        await harbor.Seed.TaskAsync(execution, "SCAN_ALL", "Stopped", 0, created: 5 * Hour, update: Ago(3 * Hour), jobId: harbor.NewJob());
        await harbor.SeeTwiceAsync();
        await harbor.Seed.TaskAsync(execution, "SCAN_ALL", "Stopped", 0, created: 5 * Hour, update: Ago(TimeSpan.Zero), jobId: harbor.NewJob());

        Assert.Empty((await harbor.RunAsync()).Outcomes);
    }

    /// <summary>After a restart nothing was seen before: the absence needs a minute, and so does the verdict; one delivery has to do.</summary>
    [Fact]
    public async Task A_run_that_waits_repairs_what_no_look_before_it_has_seen()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, task) = await harbor.LoseScanAsync();

        var running = harbor.Run.RunAsync(new RunRequest { Asker = new Asker(RunSource.Alert, "HarborScanLost") }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 400 && !running.IsCompleted; i++)
        {
            // The clock stands while it looks, whose deadline is seconds away.
            await Eventually.HoldsAsync(() => Task.FromResult(running.IsCompleted || harbor.Time.IsWaitedFor(TimeSpan.FromSeconds(30))), TimeSpan.FromSeconds(60), () => "It neither waits nor ends.");
            harbor.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(RunEnd.Clean, (await running).End);
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
    }

    [Theory]
    [InlineData("2.2.0")]
    [InlineData("2.7.0")]
    [InlineData("2.16.0")]
    public async Task Every_release_takes_the_write(string release)
    {
        await using var harbor = await RepairingHarbor.StartAsync(release);
        var (execution, task) = await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();

        Assert.Equal(RunEnd.Clean, (await harbor.RunAsync()).End);

        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        Assert.Equal("Error 1 ended", await harbor.ExecutionAsync(execution));
    }
}
