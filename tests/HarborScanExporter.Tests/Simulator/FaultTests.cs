using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>Each fault leaves the rows that its description promises, and heals when Harbor heals it.</summary>
public sealed class FaultTests
{
    private static readonly SimulationSettings OneWorker = new() { ErrorShare = 0, Sweeps = false, WorkersPerPool = 1 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lost_scan_refuses_the_same_digest_everywhere_until_its_status_word_is_final()
    {
        await using var simulated = await Simulated.StartAsync();
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        var scan = await simulated.Harbor.ScanAsync(artifact, Token);
        await simulated.Harbor.LoseJobAsync(scan.TaskIds[0], Token);
        var copy = await simulated.Harbor.CopyAsync(artifact, "web", "copy", Token);
        Assert.Equal("a previous scan process is Pending", (await simulated.Harbor.ScanAsync(copy, Token)).Refusal);
        await simulated.RunAsync($"update task set status = 'Error' where id = {scan.TaskIds[0]}");
        Assert.True((await simulated.Harbor.ScanAsync(copy, Token)).Accepted);
        Assert.Equal("1", await simulated.OneAsync("select count(*) from scan_report"));
    }

    [Fact]
    public async Task An_evicted_record_makes_the_worker_drop_the_job()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.ScanAsync();
        await simulated.Harbor.LoseRecordAsync(task, Token);
        Assert.False(Assert.Single(await simulated.Harbor.TruthAsync(Token)).WillEndByItself);
        await simulated.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal("Pending|0", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_scan_that_ends_without_telling_leaves_a_Running_row_over_a_stored_report()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.RunningScanAsync();
        await simulated.Harbor.FinishWithoutTellingAsync(task, cancellationToken: Token);
        await simulated.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Equal("Running|2|0001-01-01 00:00:00.000000|t", await simulated.OneAsync($"""
            select t.status, t.status_code, t.end_time, r.report is not null from task t
            join scan_report r on t.extra_attrs::jsonb -> 'report_uuids' ? r.uuid where t.id = {task}
            """));
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(Token));
        Assert.Equal((ScanFate.Unreported, false), (truth.Fate, truth.WillEndByItself));
    }

    [Fact]
    public async Task A_lost_final_hook_is_told_again_by_the_next_reaper()
    {
        await using var simulated = await Simulated.StartAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(6));
        var (task, _) = await simulated.RunningScanAsync();
        simulated.Harbor.LoseFinalHook(task);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(30));
        Assert.Equal("Running|2", await simulated.StatusAsync(task));
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(Token));
        Assert.Equal((ScanFate.Unreported, true, new DateTime(2026, 9, 21, 1, 5, 0, DateTimeKind.Utc)), (truth.Fate, truth.WillEndByItself, truth.HealsAt));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(30));
        Assert.Equal("Success|3", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_core_that_is_away_for_more_than_a_day_leaves_finished_scans_Running_for_ever()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.RunningScanAsync();
        simulated.Harbor.StopCore();
        await simulated.AdvanceAsync(TimeSpan.FromHours(25));
        simulated.Harbor.StartCore();
        Assert.False(Assert.Single(await simulated.Harbor.TruthAsync(Token)).WillEndByItself);
        await simulated.AdvanceAsync(TimeSpan.FromHours(25));
        Assert.Equal("Running|2", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_core_that_is_away_drains_the_queue_into_Error_and_is_told_when_it_is_back()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var simulated = await Simulated.StartAsync(settings: OneWorker, redis: redis.Database);
        simulated.Harbor.HangNext(1);
        var (running, _) = await simulated.RunningScanAsync();
        List<long> queued = [];
        for (var i = 0; i < 6; i++) queued.Add((await simulated.ScanAsync()).Task);
        simulated.Harbor.StopCore();
        await simulated.Harbor.StopTaskAsync(running, Token);
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(15));
        Assert.All(await simulated.RowsAsync($"select status, status_code, status_revision from task where id <> {running}"), row => Assert.Equal("Pending|0|0", row));
        foreach (var job in await simulated.RowsAsync($"select job_id from task where id <> {running}"))
        {
            var record = await redis.Database.HashGetAsync($"{JobServiceSeed.Prefix}job_stats:{job}", ["status", "ack"]);
            Assert.Equal(("Error", true), (record[0].ToString(), record[1].IsNull));
        }
        Assert.All(await simulated.Harbor.TruthAsync(Token), truth => Assert.Equal((ScanFate.Unreported, true), (truth.Fate, truth.WillEndByItself)));
        simulated.Harbor.StartCore();
        // One hook of each worker is between two tries; the others follow it at once.
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(24));
        foreach (var task in queued) Assert.Equal("Error|3", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_job_service_that_is_told_to_stop_ends_its_scans_in_Error_at_once_and_leaves_the_queue()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var simulated = await Simulated.StartAsync(settings: OneWorker, redis: redis.Database);
        var (running, execution) = await simulated.RunningScanAsync();
        var (queued, _) = await simulated.ScanAsync();
        await simulated.Harbor.StopJobServiceAsync(Token);
        Assert.Equal(("Error|3", "Pending|0"), (await simulated.StatusAsync(running), await simulated.StatusAsync(queued)));
        Assert.Equal(0, await redis.Database.SetLengthAsync($"{JobServiceSeed.Prefix}worker_pools"));
        Assert.Equal(ScanFate.Queued, Assert.Single(await simulated.Harbor.TruthAsync(Token)).Fate);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(10));
        Assert.Equal("Error", await simulated.ExecutionAsync(execution));
        await simulated.Harbor.StartJobServiceAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(("Error|3|1", "Success|3|1"), (await RunsAsync(running), await RunsAsync(queued)));

        Task<string> RunsAsync(long task) => simulated.OneAsync($"select status, status_code, run_count from task where id = {task}");
    }

    [Fact]
    public async Task A_scan_that_stored_its_report_and_is_run_again_ends_in_Error()
    {
        await using var simulated = await Simulated.StartAsync();
        var scan = await simulated.RunningScanAsync();
        await simulated.Harbor.StoreAndKillAsync(scan.Task, Token);
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(Token));
        Assert.Equal((ScanFate.Requeued, true, true), (truth.Fate, truth.WillEndByItself, truth.IsStored));
        await simulated.Harbor.StartJobServiceAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Error|3|2|t", await simulated.OneAsync(
            $"select status, status_code, run_count, (select report is not null from scan_report) from task where id = {scan.Task}"));
    }

    [Theory]
    [InlineData("2.7.4")]
    [InlineData("2.8.0")]
    [InlineData("2.16.0")]
    public async Task A_stop_is_refreshed_at_once(string release)
    {
        await using var simulated = await Simulated.StartAsync(release);
        var (task, execution) = await simulated.RunningScanAsync();
        await simulated.Harbor.StopTaskAsync(task, Token);
        Assert.Equal("Stopped", await simulated.ExecutionAsync(execution));
    }

    [Fact]
    public async Task Read_only_mode_refuses_every_hook_until_it_is_off()
    {
        await using var simulated = await Simulated.StartAsync();
        await simulated.Harbor.SetReadOnlyAsync(true, Token);
        Assert.Equal("true", await simulated.OneAsync("select v from properties where k = 'read_only'"));
        var (task, _) = await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromHours(3));
        Assert.Equal("Pending|0|0", await simulated.OneAsync($"select status, status_code, status_revision from task where id = {task}"));
        await simulated.Harbor.SetReadOnlyAsync(false, Token);
        await simulated.AdvanceAsync(TimeSpan.FromHours(1.1));
        Assert.Equal("Success|3", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_hung_scanner_costs_the_row_a_day_and_the_worker_for_good()
    {
        await using var simulated = await Simulated.StartAsync();
        simulated.Harbor.HangNext(1);
        var (task, _) = await simulated.RunningScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromHours(20));
        Assert.Equal("Running|2", await simulated.StatusAsync(task));
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(Token));
        Assert.Equal((ScanFate.Hung, true), (truth.Fate, truth.WillEndByItself));
        await simulated.Harbor.AdvanceToAsync(truth.HealsAt!.Value, Token);
        Assert.Equal("Error|3", await simulated.StatusAsync(task));
        Assert.True(simulated.Harbor.IsRunning(task));
    }

    [Fact]
    public async Task A_killed_job_service_runs_its_scans_again_with_a_new_revision()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.RunningScanAsync();
        simulated.Harbor.KillJobService();
        await simulated.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal("Running|2|1", await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
        Assert.Equal(ScanFate.Requeued, Assert.Single(await simulated.Harbor.TruthAsync(Token)).Fate);
        Assert.Equal("the job service is down", (await simulated.Harbor.PushAndScanAsync(cancellationToken: Token)).Refusal);
        await simulated.Harbor.StartJobServiceAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3|2|t", await simulated.OneAsync($"select status, status_code, run_count, start_time > creation_time + interval '1 hour' from task where id = {task}"));
    }

    [Fact]
    public async Task A_job_picked_before_it_was_saved_is_known_and_queued_nowhere_until_the_reaper_gives_up()
    {
        await using var simulated = await Simulated.StartAsync();
        simulated.Harbor.PickNextBeforeSaved(1);
        var (task, _) = await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal("Pending|0|1|t", await simulated.OneAsync($"select status, status_code, run_count, status_revision > 0 from task where id = {task}"));
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(Token));
        Assert.Equal((ScanFate.NotQueued, true), (truth.Fate, truth.WillEndByItself));
        await simulated.Harbor.AdvanceToAsync(truth.HealsAt!.Value - TimeSpan.FromMinutes(1), Token);
        Assert.Equal("Pending|0", await simulated.StatusAsync(task));
        await simulated.Harbor.AdvanceToAsync(truth.HealsAt.Value, Token);
        Assert.Equal("Error|3", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_core_that_dies_before_the_first_step_leaves_an_empty_scan_all_and_in_the_middle_one_without_summary()
    {
        await using var simulated = await Simulated.StartAsync();
        for (var i = 0; i < 120; i++) await simulated.Harbor.PushAsync(tag: $"{i}", cancellationToken: Token);
        var empty = await simulated.Harbor.ScanAllAsync(manual: false, Token);
        simulated.Harbor.RestartCore();
        var half = await simulated.Harbor.ScanAllAsync(manual: false, Token);
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(2));
        simulated.Harbor.RestartCore();
        await simulated.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal([$"{empty.ExecutionId}|Running|0|{{\"operator\":\"harbor-jobservice\"}}", $"{half.ExecutionId}|Success|50|{{\"operator\":\"harbor-jobservice\"}}"],
            await simulated.RowsAsync("select e.id, e.status, count(t.id), e.extra_attrs from execution e left join task t on t.execution_id = e.id where e.vendor_type = 'SCAN_ALL' group by e.id order by e.id"));
    }

    [Theory]
    [InlineData("2.8.6", "{\"summary\":{\"total_count\":3,\"submit_count\":3,\"conflict_count\":0,\"precondition_count\":0,\"unsupport_count\":0,\"unknow_count\":0}}")]
    [InlineData("2.9.0", "{\"operator\":\"admin\",\"summary\":{\"total_count\":3,\"submit_count\":3,\"conflict_count\":0,\"precondition_count\":0,\"unsupport_count\":0,\"unknow_count\":0}}")]
    public async Task A_scan_all_that_was_enumerated_has_its_summary(string release, string expected)
    {
        await using var simulated = await Simulated.StartAsync(release);
        await simulated.Harbor.PushAsync(tag: "1", cancellationToken: Token);
        await simulated.Harbor.PushAsync(tag: "2", children: 2, cancellationToken: Token);
        await simulated.Harbor.PushAsync(tag: "3", cancellationToken: Token);
        var scanAll = await simulated.Harbor.ScanAllAsync(cancellationToken: Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal($"Success|{expected}|4", await simulated.OneAsync(
            $"select status, extra_attrs, (select count(*) from task where execution_id = e.id) from execution e where id = {scanAll.ExecutionId}"));
    }

    [Theory]
    [InlineData("2.2.0", "artifact,registration", "artifact_id,report:,report_uuids,robot_id", "scanner")]
    [InlineData("2.8.0", "artifact,registration", "artifact_id,artifact_tag,report:,report_uuids,robot_id", "scanner")]
    [InlineData("2.8.1", "artifact,registration", "artifact_id,artifact_tag,report_uuids,robot_id", "scanner")]
    [InlineData("2.9.0", "artifact,operator,registration", "artifact_id,artifact_tag,report_uuids,robot_id", "artifact")]
    [InlineData("2.11.0", "artifact,enabled_capabilities,operator,registration", "artifact_id,artifact_tag,report_uuids,robot_id", "artifact")]
    public async Task Attributes_and_vendor_id_are_those_of_the_release(string release, string execution, string task, string vendor)
    {
        await using var simulated = await Simulated.StartAsync(release);
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        await simulated.Harbor.PushAsync(cancellationToken: Token);
        artifact = await simulated.Harbor.PushAsync(tag: artifact.Tag, cancellationToken: Token);
        await simulated.Harbor.ScanAsync(artifact, Token);
        Assert.Equal(execution, await simulated.OneAsync("select string_agg(k, ',' order by k) from execution, json_object_keys(extra_attrs) k"));
        Assert.Equal(task, await simulated.OneAsync("select string_agg(regexp_replace(k, ':.*', ':'), ',' order by k) from task, json_object_keys(extra_attrs) k"));
        Assert.Equal(vendor == "artifact" ? $"{artifact.Id}" : await simulated.OneAsync("select id from scanner_registration"), await simulated.OneAsync("select vendor_id from execution"));
        Assert.Equal($"{artifact.Id}", await simulated.OneAsync("select extra_attrs ->> 'artifact_id' from task"));
        Assert.Equal("1", await simulated.OneAsync("select count(*) from scan_report r join task t on t.extra_attrs::jsonb -> 'report_uuids' ->> 0 = r.uuid where r.report is null"));
    }

    [Theory]
    [InlineData("2.11.0", "1")]
    [InlineData("2.12.4", "1")]
    [InlineData("2.13.0", "0")]
    public async Task The_robot_of_an_SBOM_leaks_up_to_2_12(string release, string robots)
    {
        await using var simulated = await Simulated.StartAsync(release);
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        Assert.True((await simulated.Harbor.GenerateSbomAsync(artifact, Token)).Accepted);
        Assert.Equal("a previous sbom generate process is running", (await simulated.Harbor.GenerateSbomAsync(artifact, Token)).Refusal);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal($"SBOM|Success|{robots}|t", await simulated.OneAsync(
            "select vendor_type, status, (select count(*) from robot), (select report is not null from sbom_report) from task"));
        Assert.Equal(robots == "1" ? "pull,push,scanner-pull" : "", await simulated.OneAsync(
            "select string_agg(p.action, ',' order by p.action) from role_permission r join permission_policy p on p.id = r.permission_policy_id"));
    }

    [Fact]
    public async Task The_manual_fix_hides_live_scans_and_its_deletion_fails_on_the_foreign_key()
    {
        await using var simulated = await Simulated.StartAsync();
        var dead = await simulated.RunningScanAsync();
        await simulated.Harbor.LoseJobAsync(dead.Task, Token);
        // The refresh that the Running hook asked for is over before the fix.
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(1));
        var live = await simulated.RunningScanAsync();
        Assert.Equal((2, (int?)0), await simulated.Harbor.RunManualFixAsync(Token));
        Assert.Equal(["Error|2", "Error|2"], await simulated.RowsAsync("select status, status_code from task order by id"));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(["Error|2", "Success|3"], await simulated.RowsAsync("select status, status_code from task order by id"));
        Assert.Equal("Running", await simulated.ExecutionAsync(dead.Execution));
        Assert.Equal("Success", await simulated.ExecutionAsync(live.Execution));
        await simulated.Harbor.SetExecutionStatusAsync(dead.Execution, "Error", Token);
        Assert.Null((await simulated.Harbor.RunManualFixAsync(Token)).Executions);
    }

    [Fact]
    public async Task Stopping_an_unknown_job_ends_its_row_with_microseconds_and_keeps_its_robot()
    {
        await using var simulated = await Simulated.StartAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMicroseconds(7));
        var lost = await simulated.ScanAsync();
        await simulated.Harbor.LoseJobAsync(lost.Task, Token);
        await simulated.Harbor.StopTaskAsync(lost.Task, Token);
        Assert.Equal("Stopped|3|0|2026-09-21 00:00:00.000007|Stopped|1", await simulated.OneAsync($"""
            select t.status, t.status_code, t.status_revision, t.end_time, e.status, (select count(*) from robot)
            from task t join execution e on e.id = t.execution_id where t.id = {lost.Task}
            """));
    }

    [Fact]
    public async Task Stopping_a_known_job_ends_it_with_a_hook_and_deletes_its_robot()
    {
        await using var simulated = await Simulated.StartAsync();
        simulated.Harbor.HangNext(1);
        var (task, execution) = await simulated.RunningScanAsync();
        await simulated.Harbor.StopTaskAsync(task, Token);
        Assert.Equal("Stopped|3", await simulated.StatusAsync(task));
        Assert.Equal("Stopped", await simulated.ExecutionAsync(execution));
        Assert.Equal("0", await simulated.OneAsync("select count(*) from robot"));
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(6));
        Assert.False(simulated.Harbor.IsRunning(task));
    }

    [Fact]
    public async Task Stopping_the_scan_all_ends_its_tasks_and_even_an_empty_one()
    {
        await using var simulated = await Simulated.StartAsync();
        for (var i = 0; i < 30; i++) await simulated.Harbor.PushAsync(tag: $"{i}", cancellationToken: Token);
        var scanAll = await simulated.Harbor.ScanAllAsync(cancellationToken: Token);
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(5));
        await simulated.Harbor.StopScanAllAsync(Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(2));
        Assert.Equal("Stopped", await simulated.ExecutionAsync(scanAll.ExecutionId));
        Assert.Equal("0", await simulated.OneAsync("select count(*) from task where status_code < 3"));
        var empty = await simulated.Harbor.ScanAllAsync(cancellationToken: Token);
        simulated.Harbor.RestartCore();
        await simulated.Harbor.StopScanAllAsync(Token);
        Assert.Equal("Stopped", await simulated.ExecutionAsync(empty.ExecutionId));
    }

    [Fact]
    public async Task A_deleted_task_row_leaves_a_job_whose_hooks_are_refused()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.RunningScanAsync();
        await simulated.Harbor.DeleteTaskAsync(task, Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(30));
        Assert.True(simulated.Harbor.Happened["hook refused"] >= 8);
    }
}
