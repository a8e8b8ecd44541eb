using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Remediation.Undo;

/// <summary>When a repair is taken back, when it is refused, and what becomes of the execution.</summary>
public sealed class UndoingTests
{
    private const string First = "d318c1b17dff242a33f02544";
    private const string Second = "d318c1b17dff242a33f02545";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task An_undo_has_a_line_of_its_own_with_both_images_and_says_who_asked_and_why()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, execution, line) = await RepairedAsync(harbor);

        var result = await UndoAsync(harbor, line, new Asker(RunSource.Api, "ada", "the scanner was slow"));

        Assert.True(result.Done, result.Problem);
        Assert.Equal($"undo done api ada the scanner was slow of={line} execution={execution} lost Pending | Error 3 Error -> Pending 0 Running", await harbor.Harbor.Database.ScalarAsync<string>($"""
            select concat_ws(' ', action, state, source, actor, note, 'of=' || undo_of, 'execution=' || execution_id, verdict, status, '|',
                             before->'task'->>'status', before->'task'->>'status_code', before->'execution'->>'status', '->',
                             after->'task'->>'status', after->'task'->>'status_code', after->'execution'->>'status')
            from harbor_scan.repair where id = {result.Audit}
            """));
    }

    [Fact]
    public async Task What_was_taken_back_is_not_repaired_again_while_the_row_stays_as_it_is()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, _, line) = await RepairedAsync(harbor);
        Assert.True((await UndoAsync(harbor, line)).Done);
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Empty(result.Outcomes);
        Assert.Equal("undone", Assert.Single(result.Plan!.Refusals).Reason);
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
    }

    [Fact]
    public async Task An_execution_that_was_taken_back_is_repaired_again_when_Harbor_has_written_it_since()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, status: "Success", created: 5 * Hour, jobId: First);
        var line = await RunForOneLineAsync(harbor);
        Assert.Equal($"refresh_execution done execution={execution}", await harbor.AuditAsync());
        Assert.True((await UndoAsync(harbor, line)).Done);
        await AgeAsync(harbor, 2 * Hour);
        await harbor.SeeTwiceAsync();
        Assert.Equal("undone", Assert.Single((await harbor.RunAsync()).Plan!.Refusals).Reason);
        Assert.Equal("Running 2", await harbor.ExecutionAsync(execution));

        // Harbor refreshed it, and it came to the same contradiction once more.
        await harbor.Seed.ExecuteAsync($"update execution set revision = revision + 1 where id = {execution}");
        await harbor.SeeTwiceAsync();
        Assert.Equal([(RepairAction.RefreshExecution, RepairState.Done)], (await harbor.RunAsync()).Outcomes.Select(outcome => (outcome.Repair.Action, outcome.State)));
        Assert.StartsWith("Success 4", await harbor.ExecutionAsync(execution), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_undo_is_not_an_attempt()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, _, line) = await RepairedAsync(harbor);
        Assert.True((await UndoAsync(harbor, line)).Done);
        // A new run of its job was lost as well, twice; the first repair of it is past its cool-down.
        await harbor.Seed.ExecuteAsync($"update task set status_revision = {RevisionAgo(3 * Hour)}, update_time = {Ago(3 * Hour)} where id = {task}");
        await AgeAsync(harbor, 2 * Hour);
        await harbor.SeeTwiceAsync();
        Assert.Equal("finish_task", Assert.Single((await harbor.RunAsync()).Outcomes).Repair.Action.Word());
        await harbor.Seed.ExecuteAsync($"update task set status = 'Pending', status_code = 0, status_revision = {RevisionAgo(2 * Hour)}, update_time = {Ago(2 * Hour)} where id = {task}");
        await AgeAsync(harbor, 2 * Hour);
        await harbor.SeeTwiceAsync();

        Assert.Equal("finish_task", Assert.Single((await harbor.RunAsync()).Outcomes).Repair.Action.Word());
    }

    [Theory]
    // A late hook of a new run, a late end, another tool's message, a stop by Harbor: each may change a column alone.
    [InlineData("status = 'Running', status_code = 2, status_revision = 1789999999, end_time = '0001-01-01'", "is Running with code 2 and revision 1789999999")]
    [InlineData("status = 'Success'", "is Success with code 3")]
    [InlineData("status_code = 2", "is Error with code 2")]
    [InlineData("status_revision = 7", "revision 7")]
    [InlineData("status_message = 'by hand'", "is Error with code 3 and revision 0")]
    [InlineData("update_time = update_time + interval '1 microsecond'", "is Error with code 3 and revision 0")]
    [InlineData("end_time = null", "is Error with code 3 and revision 0")]
    public async Task A_row_that_has_moved_on_is_left_alone(string change, string told)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, _, line) = await RepairedAsync(harbor);
        await harbor.Seed.ExecuteAsync($"update task set {change} where id = {task}");

        await AssertRefusedAsync(harbor, line, UndoReason.MovedOn, told);
    }

    [Fact]
    public async Task A_row_that_is_gone_is_not_put_back()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, _, line) = await RepairedAsync(harbor);
        await harbor.Seed.ExecuteAsync($"delete from task where id = {task}");

        await AssertRefusedAsync(harbor, line, UndoReason.MovedOn, $"Task {task} of repair {line} is gone.");
    }

    [Theory]
    [InlineData("status = 'Running'")]
    [InlineData("revision = revision + 1")]
    [InlineData("status_message = 'by hand'")]
    [InlineData("update_time = update_time + interval '1 microsecond'")]
    [InlineData("end_time = null")]
    public async Task An_execution_that_has_moved_on_is_left_alone(string change)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL", started: 5 * Hour);
        var line = await RunForOneLineAsync(harbor);
        await harbor.Seed.ExecuteAsync($"update execution set {change} where id = {execution}");

        await AssertRefusedAsync(harbor, line, UndoReason.MovedOn, $"Execution {execution} is no longer as repair {line} left it");
    }

    [Fact]
    public async Task An_execution_that_is_gone_is_not_put_back()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL", started: 5 * Hour);
        var line = await RunForOneLineAsync(harbor);
        await harbor.Seed.ExecuteAsync($"delete from execution where id = {execution}");

        await AssertRefusedAsync(harbor, line, UndoReason.MovedOn, $"Execution {execution} of repair {line} is gone.");
    }

    [Fact]
    public async Task A_repair_is_taken_back_once()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, _, line) = await RepairedAsync(harbor);
        var undo = await UndoAsync(harbor, line);
        Assert.True(undo.Done, undo.Problem);

        await AssertRefusedAsync(harbor, line, UndoReason.NotDone, $"Repair {line} was taken back already.");
        await AssertRefusedAsync(harbor, undo.Audit!.Value, UndoReason.NotUndoable, "is itself an undo");
    }

    [Fact]
    public async Task What_does_not_exist_changed_nothing_or_was_done_by_Harbor_is_refused()
    {
        await using var harbor = await RepairingHarbor.StartAsync(act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)));
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: First);
        var stop = await RunForOneLineAsync(harbor);
        await AssertRefusedAsync(harbor, stop, UndoReason.NotUndoable, $"Repair {stop} is a stop_job, which Harbor did");
        await AssertRefusedAsync(harbor, 4711, UndoReason.NotFound, "There is no repair 4711.");
        await harbor.Seed.ExecuteAsync($"update harbor_scan.repair set state = 'failed', failure = 'api_denied' where id = {stop}");
        await AssertRefusedAsync(harbor, stop, UndoReason.NotDone, $"Repair {stop} is failed: it changed no row.");
    }

    [Fact]
    public async Task Under_a_ceiling_below_execute_nothing_is_taken_back()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, _, line) = await RepairedAsync(harbor);
        var dry = harbor.Settings with { Remediation = harbor.Settings.Remediation with { Mode = RemediationMode.DryRun } };

        var result = await new Undoing(harbor.Pieces.GetRequiredService<RepairDatabase>(), dry, NullLogger<Undoing>.Instance)
            .UndoAsync(line, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken);

        Assert.Equal((false, UndoReason.Off), (result.Done, result.Reason));
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
    }

    [Fact]
    public async Task While_repairs_are_paused_they_can_be_taken_back()
    {
        var pause = Path.Combine(Path.GetTempPath(), $"pause-{Guid.NewGuid():n}");
        await using var harbor = await RepairingHarbor.StartAsync(changes: (Setting.Names.RemediationPauseFile, pause));
        var (task, _, line) = await RepairedAsync(harbor);
        await File.WriteAllTextAsync(pause, "something is wrong", TestContext.Current.CancellationToken);
        try
        {
            var result = await UndoAsync(harbor, line);

            Assert.True(result.Done, result.Problem);
            Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
        }
        finally
        {
            File.Delete(pause);
        }
    }

    [Fact]
    public async Task While_a_run_or_a_hook_holds_what_it_needs_it_is_busy_and_then_it_is_done()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, execution, line) = await RepairedAsync(harbor);
        foreach (var hold in new[]
        {
            TestHarbor.HoldRepairsSql,
            $"select 1 from task where id = {task} for update",
            $"select 1 from execution where id = {execution} for update",
            $"select 1 from harbor_scan.repair where id = {line} for update",
        })
        {
            await using var connection = await harbor.Harbor.Database.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using (var command = new NpgsqlCommand(hold, connection, transaction)) await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await AssertRefusedAsync(harbor, line, UndoReason.Busy, "Try again");
        }
        Assert.True((await UndoAsync(harbor, line)).Done);
    }

    [Fact]
    public async Task On_a_server_that_takes_no_writes_it_is_refused()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, _, line) = await RepairedAsync(harbor);
        await harbor.Seed.ExecuteAsync($"alter role {harbor.Harbor.RepairRole} set default_transaction_read_only = on");
        await using var database = new RepairDatabase(harbor.Settings.Database, harbor.Settings.Remediation);

        var result = await new Undoing(database, harbor.Settings, NullLogger<Undoing>.Instance)
            .UndoAsync(line, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken);

        Assert.Equal((false, UndoReason.Standby), (result.Done, result.Reason));
        Assert.Contains("standby", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_audit_nothing_is_taken_back()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, _, line) = await RepairedAsync(harbor);
        await harbor.Seed.ExecuteAsync($"revoke insert on harbor_scan.repair from {harbor.Harbor.RepairRole}");

        var result = await UndoAsync(harbor, line);

        Assert.Equal((false, RepairFailure.Audit), (result.Done, result.Reason));
        Assert.Contains("03-remediation-role.sql", result.Problem, StringComparison.Ordinal);
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        Assert.Equal("done", await harbor.Harbor.Database.ScalarAsync<string>($"select state from harbor_scan.repair where id = {line}"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Siblings_of_one_batch_are_taken_back_in_any_order_and_the_execution_with_the_last(bool reverse)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: First);
        await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Second);
        var before = await RowTexts.ExecutionsAsync(harbor.Harbor);
        var lines = await RunAsync(harbor);
        if (reverse) Array.Reverse(lines);

        Assert.True((await UndoAsync(harbor, lines[0])).Done);
        // Running is what its tasks ask for and what it was: it is put back at once, and the other undo leaves it.
        Assert.Equal(before, await RowTexts.ExecutionsAsync(harbor.Harbor));
        Assert.Equal("2", await RowTexts.RevisionsAsync(harbor.Harbor));
        Assert.True((await UndoAsync(harbor, lines[1])).Done);
        Assert.Equal(before, await RowTexts.ExecutionsAsync(harbor.Harbor));
        Assert.Equal("2", await RowTexts.RevisionsAsync(harbor.Harbor));
    }

    [Fact]
    public async Task An_execution_that_was_final_over_open_tasks_is_Running_in_between_and_final_again_with_the_last()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(status: "Success", started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: First);
        await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Second);
        var (tasks, executions) = (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor));
        var lines = await RunAsync(harbor);
        Assert.Equal("Error 1 ended", await harbor.ExecutionAsync(execution));

        Assert.True((await UndoAsync(harbor, lines[0])).Done);
        Assert.Equal("Running 2", await harbor.ExecutionAsync(execution));
        Assert.True((await UndoAsync(harbor, lines[1])).Done);
        Assert.Equal("Success 3", await harbor.ExecutionAsync(execution));
        Assert.Equal((tasks, executions), (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor)));
    }

    [Fact]
    public async Task A_code_that_is_put_back_leaves_the_refresh_of_its_execution_and_the_refresh_can_follow()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, status: "Stopped", code: 0, created: 5 * Hour, update: Ago(4 * Hour), jobId: First);
        var (tasks, executions) = (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor));
        var lines = await RunAsync(harbor);
        Assert.Equal($"fix_status_code done task={task} execution={execution} Stopped\nrefresh_execution done execution={execution}", await harbor.AuditAsync());

        Assert.True((await UndoAsync(harbor, lines[0])).Done);
        Assert.Equal(tasks, await RowTexts.TasksAsync(harbor.Harbor));
        Assert.StartsWith("Stopped 2", await harbor.ExecutionAsync(execution), StringComparison.Ordinal);
        Assert.True((await UndoAsync(harbor, lines[1])).Done);
        Assert.Equal("Running 3", await harbor.ExecutionAsync(execution));
        Assert.Equal(executions, await RowTexts.ExecutionsAsync(harbor.Harbor));
    }

    [Fact]
    public async Task An_execution_that_Harbor_has_refreshed_since_is_recomputed_and_not_put_back()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, execution, line) = await RepairedAsync(harbor);
        await harbor.Seed.ExecuteAsync($"update execution set revision = revision + 1, update_time = {Ago(TimeSpan.Zero)} where id = {execution}");

        Assert.True((await UndoAsync(harbor, line)).Done);

        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
        Assert.Equal("Running 3", await harbor.ExecutionAsync(execution));
        Assert.True(await harbor.Harbor.Database.ScalarAsync<bool>($"select update_time > now() at time zone 'utc' - interval '1 minute' from execution where id = {execution}"));
    }

    [Fact]
    public async Task A_later_repair_of_a_sibling_keeps_the_execution_to_its_tasks()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (task, execution, first) = await RepairedAsync(harbor);
        var late = await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Second);
        var second = Assert.Single(await RunAsync(harbor));

        Assert.True((await UndoAsync(harbor, first)).Done);
        Assert.Equal(("Pending 0 0", "Error 3 0 ended", "Running 3"), (await harbor.TaskAsync(task), await harbor.TaskAsync(late), await harbor.ExecutionAsync(execution)));
        Assert.True((await UndoAsync(harbor, second)).Done);
        Assert.Equal("Running 4", await harbor.ExecutionAsync(execution));
    }

    [Theory]
    [InlineData("line", "harbor_scan.repair")]
    [InlineData("task", "task")]
    [InlineData("execution", "execution")]
    public async Task Each_query_ends_when_it_is_cancelled(string query, string table)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, execution, line) = await RepairedAsync(harbor);
        await using var transaction = await harbor.Pieces.GetRequiredService<RepairDatabase>().BeginAsync(TestContext.Current.CancellationToken);
        await using var held = await harbor.Harbor.Database.OpenAsync();
        await using var holding = await held.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new NpgsqlCommand($"lock table {table} in access exclusive mode", held, holding))
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var whole = new UndoLine { Id = line, ExecutionId = execution };
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query switch
        {
            "line" => UndoLine.LockAsync(transaction, line, cancel.Token),
            "task" => TaskUndo.LockAsync(transaction, line, cancel.Token),
            _ => ExecutionUndo.FollowAsync(transaction, whole, cancel.Token),
        });
    }

    /// <summary>A lost scan that was repaired.</summary>
    private static async Task<(long Task, long Execution, long Line)> RepairedAsync(RepairingHarbor harbor)
    {
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        var task = await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: First);
        return (task, execution, await RunForOneLineAsync(harbor));
    }

    private static async Task<long> RunForOneLineAsync(RepairingHarbor harbor) => Assert.Single(await RunAsync(harbor));

    private static async Task<long[]> RunAsync(RepairingHarbor harbor)
    {
        await harbor.SeeTwiceAsync();
        var result = await harbor.RunAsync();
        Assert.Null(result.Problem);
        Assert.All(result.Outcomes, outcome => Assert.Equal(RepairState.Done, outcome.State));
        return [.. result.Outcomes.Select(outcome => outcome.Audit!.Value).Order()];
    }

    private static Task<UndoResult> UndoAsync(RepairingHarbor harbor, long line, Asker? asker = null) =>
        harbor.Pieces.GetRequiredService<Undoing>().UndoAsync(line, asker ?? new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken);

    private static async Task AssertRefusedAsync(RepairingHarbor harbor, long line, string reason, string told)
    {
        var before = (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor), await RowTexts.RevisionsAsync(harbor.Harbor), await harbor.AuditAsync());
        var result = await UndoAsync(harbor, line);
        Assert.Equal((false, reason), (result.Done, result.Reason));
        Assert.Contains(told, result.Problem, StringComparison.Ordinal);
        Assert.Equal(before, (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor), await RowTexts.RevisionsAsync(harbor.Harbor), await harbor.AuditAsync()));
    }

    private static Task AgeAsync(RepairingHarbor harbor, TimeSpan age) =>
        harbor.Seed.ExecuteAsync($"update harbor_scan.repair set at = at - interval '{age.TotalSeconds} seconds', ended_at = ended_at - interval '{age.TotalSeconds} seconds'");
}
