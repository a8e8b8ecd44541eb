using HarborScanExporter.Diagnosis;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Metrics;
using HarborScanExporter.Tests.Observation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>What comes between the look and the write, and what fails: nothing is half written, and nothing is written that moved on.</summary>
public sealed class RepairRunFaultsTests
{
    private const string OfThisDatabase = "relation = 'harbor_scan.repair_lock'::regclass and database = (select oid from pg_database where datname = current_database())";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("its end", "status = 'Success', status_code = 3, status_revision = 1789000000, end_time = now() at time zone 'utc'", "Success 3 1789000000 ended")]
    [InlineData("its new run", "status = 'Running', status_code = 2, status_revision = 1789000000, run_count = 1", "Running 2 1789000000")]
    [InlineData("a sign of life", "status_revision = 1789000000, run_count = 1", "Pending 0 1789000000")]
    [InlineData("another time", "update_time = update_time + interval '1 microsecond'", "Pending 0 0")]
    public async Task A_hook_between_the_look_and_the_write_wins(string hook, string change, string left)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(hook);
        await using var way = await WayAsync();
        await using var harbor = await RepairingHarbor.StartAsync(harbor: way.Harbor, repairPort: way.Proxy.Port);
        var (execution, task) = await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        way.Proxy.BeforeConnecting = () => harbor.Seed.ExecuteAsync($"update task set {change} where id = {task}");

        var result = await harbor.RunAsync();

        Assert.Equal(RunEnd.Left, result.End);
        Assert.Equal(left, await harbor.TaskAsync(task));
        Assert.Equal("Running 0", await harbor.ExecutionAsync(execution));
        Assert.Equal($"finish_task failed lost_race task={task} execution={execution} Error", await harbor.AuditAsync());
    }

    [Fact]
    public async Task A_row_that_is_gone_by_then_is_a_lost_race()
    {
        await using var way = await WayAsync();
        await using var harbor = await RepairingHarbor.StartAsync(harbor: way.Harbor, repairPort: way.Proxy.Port);
        var (execution, task) = await harbor.LoseScanAsync();
        var empty = await harbor.Seed.ExecutionAsync("SCAN_ALL", started: Hour);
        await harbor.SeeTwiceAsync();
        way.Proxy.BeforeConnecting = () => harbor.Seed.ExecuteAsync($"delete from task where id = {task}; delete from execution where id = {execution}; update execution set status = 'Stopped' where id = {empty}");

        await harbor.RunAsync();

        Assert.Equal($"finish_task failed lost_race task={task} execution={execution} Error\nclose_empty_execution failed lost_race execution={empty} Error", await harbor.AuditAsync());
        Assert.Equal("Stopped 0", await harbor.ExecutionAsync(empty));
    }

    [Fact]
    public async Task An_execution_that_gets_its_first_task_by_then_stays_open()
    {
        await using var way = await WayAsync();
        await using var harbor = await RepairingHarbor.StartAsync(harbor: way.Harbor, repairPort: way.Proxy.Port);
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL", started: Hour);
        await harbor.SeeTwiceAsync();
        way.Proxy.BeforeConnecting = () => harbor.Seed.TaskAsync(execution, "SCAN_ALL");

        await harbor.RunAsync();

        Assert.Equal("Running 0", await harbor.ExecutionAsync(execution));
        Assert.Equal($"close_empty_execution failed lost_race execution={execution} Error", await harbor.AuditAsync());
    }

    [Fact]
    public async Task A_row_that_another_transaction_holds_is_passed_over_and_repaired_by_the_next_run()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (heldExecution, held) = await harbor.LoseScanAsync();
        var (_, free) = await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await using (await HoldAsync(harbor, $"select from task where id = {held} for update"))
        {
            var result = await harbor.RunAsync();
            Assert.Equal(RunEnd.Left, result.End);
            Assert.Contains($"finish_task failed locked task={held} execution={heldExecution} Error", await harbor.AuditAsync(), StringComparison.Ordinal);
            Assert.Equal("Pending 0 0", await harbor.TaskAsync(held));
            Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(free));
        }
        // It is not tried again at once.
        Assert.Equal((RunEnd.Left, "cooling_down"), ((await harbor.RunAsync()).End, (await harbor.PlanAsync()).Refusals[0].Reason));
        await harbor.Seed.ExecuteAsync("update harbor_scan.repair set at = at - interval '10 seconds'");
        Assert.Equal(RunEnd.Clean, (await harbor.RunAsync()).End);
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(held));
    }

    [Fact]
    public async Task An_execution_that_another_transaction_holds_takes_back_its_own_tasks_and_no_others()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (held, task) = await harbor.LoseScanAsync();
        var (free, other) = await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await using (await HoldAsync(harbor, $"select from execution where id = {held} for update"))
            await harbor.RunAsync();

        Assert.Equal(("Pending 0 0", "Running 0"), (await harbor.TaskAsync(task), await harbor.ExecutionAsync(held)));
        Assert.Equal(("Error 3 0 ended", "Error 1 ended"), (await harbor.TaskAsync(other), await harbor.ExecutionAsync(free)));
        Assert.Equal($"finish_task failed locked task={task} execution={held} Error\nfinish_task done task={other} execution={free} Error", await harbor.AuditAsync());
    }

    [Fact]
    public async Task Many_executions_that_others_hold_do_not_keep_a_batch_open()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        for (var i = 0; i < 8; i++) await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await using (await HoldAsync(harbor, "select from execution where id < 8 for update"))
        {
            var result = await harbor.RunAsync();
            // Three, three and the last of them with the one that is free.
            Assert.Equal((RunEnd.Left, 3, 8), (result.End, result.Batches, result.Outcomes.Count));
        }
        Assert.Equal("7 locked, 1", await harbor.Harbor.Database.ScalarAsync<string>(
            "select string_agg(concat_ws(' ', count, failure), ', ') from (select count(*), failure from harbor_scan.repair group by failure order by failure) lines"));
        Assert.InRange(clock.Elapsed.TotalSeconds, 3.5, 60);
    }

    [Fact]
    public async Task A_transaction_that_locks_the_other_way_round_is_let_through()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (execution, task) = await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await using var other = await HoldAsync(harbor, $"select from execution where id = {execution} for update");

        var running = harbor.RunAsync();
        while (!running.IsCompleted && await harbor.Harbor.Database.ScalarAsync<long>(
            $"select count(*) from pg_stat_activity where usename = '{harbor.Harbor.RepairRole}' and wait_event_type = 'Lock'") == 0)
            await Task.Delay(5, Token);
        await ExecuteAsync(other, $"update task set status = 'Success', status_code = 3, status_revision = 7 where id = {task}");
        await ExecuteAsync(other, "commit");
        await running;

        Assert.Equal("Success 3 7", await harbor.TaskAsync(task));
        Assert.Equal($"finish_task failed locked task={task} execution={execution} Error", await harbor.AuditAsync());
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_is_ended_and_the_rest_is_done()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (slow, task) = await harbor.LoseScanAsync();
        var (_, other) = await harbor.LoseScanAsync();
        await FailAsync(harbor, task, "perform pg_sleep(60)");
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Equal(("Pending 0 0", "Error 3 0 ended"), (await harbor.TaskAsync(task), await harbor.TaskAsync(other)));
        Assert.Contains($"finish_task failed timeout task={task} execution={slow} Error", await harbor.AuditAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_slow_database_leaves_of_a_batch_is_done_after_another_look()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, slow) = await harbor.LoseScanAsync();
        var (_, other) = await harbor.LoseScanAsync();
        await FailAsync(harbor, slow, "perform pg_sleep(2)");
        await harbor.SeeTwiceAsync();

        var running = harbor.RunAsync();
        while (!running.IsCompleted && await harbor.Harbor.Database.ScalarAsync<long>(
            $"select count(*) from pg_stat_activity where usename = '{harbor.Harbor.RepairRole}' and wait_event = 'PgSleep'") == 0)
            await Task.Delay(5, Token);
        harbor.Time.Advance(TimeSpan.FromSeconds(31));
        var result = await running;

        Assert.Equal((RunEnd.Clean, 2), (result.End, result.Batches));
        Assert.Equal(("Error 3 0 ended", "Error 3 0 ended"), (await harbor.TaskAsync(slow), await harbor.TaskAsync(other)));
    }

    [Fact]
    public async Task A_half_migrated_schema_is_not_repaired()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await harbor.Seed.ExecuteAsync("update schema_migrations set dirty = true");
        var before = await harbor.ChecksumAsync();

        var result = await harbor.RunAsync();

        Assert.Equal(RunEnd.Failed, result.End);
        Assert.StartsWith("Harbor's database could not be read (schema)", result.Problem, StringComparison.Ordinal);
        Assert.Equal(before, await harbor.ChecksumAsync());
    }

    [Fact]
    public async Task Without_the_table_of_the_audit_nothing_is_written()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await harbor.Seed.ExecuteAsync("drop table harbor_scan.repair");
        var before = await harbor.ChecksumAsync();

        var result = await harbor.RunAsync();

        Assert.Equal(RunEnd.Failed, result.End);
        Assert.Contains("Run the SQL of deploy/sql/03-remediation-role.sql", result.Problem, StringComparison.Ordinal);
        Assert.Equal(before, await harbor.ChecksumAsync());
        Assert.Equal(1, Counted(harbor, RemediationCounters.AuditFailures));
    }

    [Theory]
    [InlineData("revoke insert on harbor_scan.repair from {0}")]
    [InlineData("revoke select on harbor_scan.repair from {0}")]
    [InlineData("alter table harbor_scan.repair add constraint never check (state <> 'done')")]
    public async Task When_the_audit_cannot_be_written_nothing_is(string sabotage)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await harbor.Seed.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sabotage, harbor.Harbor.RepairRole));
        var before = await harbor.ChecksumAsync();

        Assert.Equal(RunEnd.Failed, (await harbor.RunAsync()).End);

        Assert.Equal(before, await harbor.ChecksumAsync());
        Assert.Equal("", await harbor.AuditAsync());
        Assert.Equal(1, Counted(harbor, RemediationCounters.AuditFailures));
    }

    [Fact]
    public async Task An_audit_that_another_transaction_holds_ends_the_run_and_nothing_is_written()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        var before = await harbor.ChecksumAsync();
        await using (await ObservationGateTests.LockAsync(harbor.Harbor, "harbor_scan.repair")) Assert.Equal(RunEnd.Failed, (await harbor.RunAsync()).End);
        Assert.Equal(before, await harbor.ChecksumAsync());
    }

    [Fact]
    public async Task A_role_without_the_grant_to_write_changes_nothing_and_the_breaker_opens()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        for (var i = 0; i < 6; i++) await harbor.LoseScanAsync();
        await harbor.Seed.ExecuteAsync($"revoke execute on function {TestHarbor.WriteTask} from {harbor.Harbor.RepairRole}");
        await harbor.SeeTwiceAsync();
        var before = await harbor.ChecksumAsync();

        var first = await harbor.RunAsync();
        var second = await harbor.RunAsync();

        Assert.Equal(before, await harbor.ChecksumAsync());
        Assert.Equal((RunEnd.Left, RunEnd.Blocked), (first.End, second.End));
        Assert.All(first.Outcomes, outcome => Assert.Equal((RepairState.Failed, RepairFailure.Permission), (outcome.State, outcome.Failure)));
        Assert.Contains(second.Plan!.Blocks, block => block.Reason == SkipReason.BreakerOpen);
    }

    [Fact]
    public async Task The_breaker_opens_in_mid_run()
    {
        await using var harbor = await RepairingHarbor.StartAsync(limits: limits => limits with { MaxPerRun = 6 });
        List<long> tasks = [];
        for (var i = 0; i < 12; i++) tasks.Add((await harbor.LoseScanAsync(5 * Hour - TimeSpan.FromMinutes(i))).Task);
        await FailAsync(harbor, tasks[4], "raise exception 'refused'", "old.id <= ");
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Blocked, 6, 1), (result.End, result.Outcomes.Count, result.Batches));
        Assert.Equal(SkipReason.BreakerOpen, Assert.Single(result.Plan!.Blocks).Reason);
        Assert.Equal("1 11", await harbor.Harbor.Database.ScalarAsync<string>("select count(*) filter (where status = 'Error') || ' ' || count(*) filter (where status = 'Pending') from task"));
    }

    [Fact]
    public async Task Caps_hold_across_runs_and_grow_with_time()
    {
        await using var harbor = await RepairingHarbor.StartAsync(limits: limits => limits with { MaxPerRun = 2, MaxPerHour = 3, MaxPerDay = 4 });
        for (var i = 0; i < 6; i++) await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();

        Assert.Equal((RunEnd.Left, 3), await RunAsync());
        Assert.Equal((RunEnd.Left, 0), await RunAsync());
        Assert.Contains((await harbor.PlanAsync()).Refusals, refusal => refusal.Reason == SkipReason.CapHour);
        await harbor.Seed.ExecuteAsync("update harbor_scan.repair set at = at - interval '61 minutes'");
        Assert.Equal((RunEnd.Left, 1), await RunAsync());
        Assert.Contains((await harbor.PlanAsync()).Refusals, refusal => refusal.Reason == SkipReason.CapDay);
        await harbor.Seed.ExecuteAsync("update harbor_scan.repair set at = at - interval '24 hours'");
        Assert.Equal((RunEnd.Clean, 2), await RunAsync());

        async Task<(RunEnd, int)> RunAsync()
        {
            var result = await harbor.RunAsync();
            return (result.End, result.Outcomes.Count);
        }
    }

    [Fact]
    public async Task Of_two_runs_in_one_process_the_second_is_busy()
    {
        await using var way = await WayAsync();
        await using var harbor = await RepairingHarbor.StartAsync(harbor: way.Harbor, repairPort: way.Proxy.Port);
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        var (reached, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        way.Proxy.BeforeConnecting = () =>
        {
            reached.TrySetResult();
            return go.Task;
        };

        var first = harbor.RunAsync();
        await reached.Task.WaitAsync(Token);
        Assert.True(harbor.Run.IsBusy);
        var second = await harbor.RunAsync();
        go.SetResult();

        Assert.Equal((RunEnd.Busy, RunEnd.Clean), (second.End, (await first).End));
        Assert.Equal(1, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
    }

    [Fact]
    public async Task Of_two_exporters_the_one_without_the_lock_is_busy()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await using (await HoldAsync(harbor, TestHarbor.HoldRepairsSql))
        {
            var result = await harbor.RunAsync();
            Assert.Equal((RunEnd.Busy, "Another exporter holds the lock of a run."), (result.End, result.Problem));
            Assert.Equal("", await harbor.AuditAsync());
        }
        Assert.Equal(RunEnd.Clean, (await harbor.RunAsync()).End);
    }

    [Fact]
    public async Task A_run_waits_for_whoever_holds_the_lock_for_a_moment()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        // The holder gives way by itself once somebody waits, or after twenty seconds.
        var holding = harbor.Harbor.Database.ExecuteAsync($"""
            do $do$
            begin
                {TestHarbor.HoldRepairsSql};
                for i in 1 .. 4000 loop
                    exit when exists (select 1 from pg_locks where {OfThisDatabase} and not granted);
                    perform pg_sleep(0.005);
                end loop;
            end
            $do$
            """);
        await Eventually.HoldsAsync(
            () => harbor.Harbor.Database.ScalarAsync<bool>($"select exists (select 1 from pg_locks where {OfThisDatabase} and granted)"),
            TimeSpan.FromSeconds(20), () => "Nobody holds the lock.");

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Clean, 1), (result.End, result.Outcomes.Count));
        await holding;
    }

    [Fact]
    public async Task A_connection_to_a_standby_is_told_and_writes_nothing()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await harbor.Seed.ExecuteAsync($"alter role {harbor.Harbor.RepairRole} set default_transaction_read_only = on");

        var result = await harbor.RunAsync();

        Assert.Equal(RunEnd.Blocked, result.End);
        Assert.Equal(SkipReason.Standby, Assert.Single(result.Plan!.Blocks).Reason);
        Assert.Equal("", await harbor.AuditAsync());
    }

    [Fact]
    public async Task Behind_PgBouncer_in_transaction_mode_a_run_does_the_same()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        await using var bouncer = await PgBouncer.StartAsync(harbor);
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor, port: bouncer.Port);
        var (execution, task) = await repairing.LoseScanAsync();
        await repairing.SeeTwiceAsync();

        for (var i = 0; i < 5; i++)
        {
            var result = await repairing.RunAsync();
            Assert.Equal((RunEnd.Clean, null), (result.End, result.Problem));
        }

        Assert.Equal(("Error 3 0 ended", "Error 1 ended"), (await repairing.TaskAsync(task), await repairing.ExecutionAsync(execution)));
        Assert.Equal($"finish_task done task={task} execution={execution} Error", await repairing.AuditAsync());
    }

    [Fact]
    public async Task A_pause_that_comes_after_the_look_is_honoured()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("harbor-pause-").FullName, "pause");
        await using var way = await WayAsync();
        await using var harbor = await RepairingHarbor.StartAsync(harbor: way.Harbor, repairPort: way.Proxy.Port, limits: limits => limits with { PauseFile = file });
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        way.Proxy.BeforeConnecting = () => File.WriteAllTextAsync(file, "the database is being moved\n", Token);

        var paused = await harbor.RunAsync();
        File.Delete(file);

        Assert.Equal((RunEnd.Blocked, $"Repairs are paused by the file {file}: the database is being moved. Remove it to go on."), (paused.End, paused.Problem));
        Assert.Equal("", await harbor.AuditAsync());
        Assert.Equal(RunEnd.Clean, (await harbor.RunAsync()).End);
    }

    [Fact]
    public async Task A_pause_in_mid_run_ends_it_before_the_next_act_and_opens_no_breaker()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("harbor-pause-").FullName, "pause");
        List<long> asked = [];
        await using var harbor = await RepairingHarbor.StartAsync(act: async (repair, token) =>
        {
            asked.Add(repair.TaskId!.Value);
            await File.WriteAllTextAsync(file, "enough", token);
            return new ActOutcome(RepairState.Done, null);
        }, limits: limits => limits with { PauseFile = file });
        for (var i = 0; i < 7; i++) await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();
        File.Delete(file);

        Assert.Single(asked);
        Assert.Equal(RunEnd.Blocked, result.End);
        Assert.Equal("1 6 0", await harbor.Harbor.Database.ScalarAsync<string>("""
            select concat_ws(' ', count(*) filter (where state = 'done'), count(*) filter (where failure = 'paused'), count(*) filter (where state = 'intended'))
            from harbor_scan.repair
            """));
        Assert.Empty((await harbor.PlanAsync()).Blocks);
        // Nothing was asked of the six, so that nothing has to cool down.
        Assert.Equal(6, (await harbor.PlanAsync()).Repairs.Count(repair => repair.Action == RepairAction.StopJob));
    }

    [Fact]
    public async Task An_act_of_the_API_is_not_asked_for_a_row_that_moved_on_while_others_were_asked_for()
    {
        RepairingHarbor? harbor = null;
        List<long> asked = [];
        await using var started = harbor = await RepairingHarbor.StartAsync(act: async (repair, _) =>
        {
            asked.Add(repair.TaskId!.Value);
            await harbor!.Seed.ExecuteAsync($"update task set status = 'Success', status_code = 3, status_revision = 9 where id <> {repair.TaskId}");
            return new ActOutcome(RepairState.Done, null);
        });
        await harbor.LoseScanAsync(6 * Hour);
        var (execution, second) = await harbor.LoseScanAsync(5 * Hour);
        await harbor.SeeTwiceAsync();

        await harbor.RunAsync();

        Assert.Single(asked);
        Assert.Contains($"stop_job failed lost_race task={second} execution={execution} Stopped", await harbor.AuditAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_while_repairs_are_off_is_blocked_and_signs_in_nowhere()
    {
        await using var harbor = await RepairingHarbor.StartAsync(limits: limits => limits with { Mode = RemediationMode.Off, DatabaseUsername = null, DatabasePassword = null });
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();

        var result = await harbor.RunAsync();

        Assert.Equal(RunEnd.Blocked, result.End);
        Assert.Equal(SkipReason.Off, Assert.Single(result.Plan!.Blocks).Reason);
        Assert.Empty(result.Outcomes);
    }

    [Fact]
    public async Task Without_the_database_a_run_fails_with_a_sentence()
    {
        await using var way = await WayAsync();
        await using var harbor = await RepairingHarbor.StartAsync(harbor: way.Harbor, repairPort: way.Proxy.Port);
        await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        way.Proxy.BeforeConnecting = () => throw new IOException("The network is down.");

        var result = await harbor.RunAsync();

        Assert.Equal(RunEnd.Failed, result.End);
        Assert.StartsWith("The repairing role cannot work (connect)", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_intent_that_was_never_ended_is_ended_by_what_its_row_says()
    {
        await using var harbor = await RepairingHarbor.StartAsync(act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Intended, null)));
        var (_, stopped) = await harbor.LoseScanAsync(6 * Hour);
        var (_, open) = await harbor.LoseScanAsync(5 * Hour);
        await harbor.SeeTwiceAsync();
        await harbor.RunAsync();
        Assert.Equal("2", await CountAsync("intended"));
        await harbor.RunAsync();
        Assert.Equal("2", await CountAsync("intended"));

        await harbor.Seed.ExecuteAsync($"update harbor_scan.repair set at = at - interval '3 minutes'; update task set status = 'Stopped', status_code = 3 where id = {stopped}");
        await harbor.RunAsync();

        Assert.Equal($"{stopped}done {open}failedinterrupted", await harbor.Harbor.Database.ScalarAsync<string>(
            "select string_agg(task_id || state || coalesce(failure, ''), ' ' order by task_id) from harbor_scan.repair"));

        Task<string> CountAsync(string state) => harbor.Harbor.Database.ScalarAsync<string>($"select count(*)::text from harbor_scan.repair where state = '{state}'");
    }

    private static double Counted(RepairingHarbor harbor, Family family)
    {
        var samples = new Samples();
        harbor.Pieces.GetRequiredService<RemediationCounters>().Write(samples);
        return samples.All.Single(sample => sample.Family == family).Value;
    }

    /// <summary>A connection as the owner that holds what a statement locked until it is closed.</summary>
    private static async Task<NpgsqlConnection> HoldAsync(RepairingHarbor harbor, string statement)
    {
        var connection = await harbor.Harbor.Database.OpenAsync();
        await ExecuteAsync(connection, $"begin; {statement}");
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    /// <summary>What happens when the row of a task is written.</summary>
    private static Task FailAsync(RepairingHarbor harbor, long task, string what, string which = "old.id = ") => harbor.Seed.ExecuteAsync($"""
        create function sabotage() returns trigger language plpgsql as $$ begin if {which}{task} then {what}; end if; return new; end $$;
        create trigger sabotage before update on task for each row execute function sabotage();
        """);

    private static async Task<Way> WayAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        return new Way(harbor, new FreezableProxy(server.Host!, server.Port));
    }

    /// <summary>A Harbor whose repairing role comes by a way of its own: what happens on it happens after the look and before the write.</summary>
    private sealed record Way(TestHarbor Harbor, FreezableProxy Proxy) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Proxy.DisposeAsync();
            await Harbor.DisposeAsync();
        }
    }
}
