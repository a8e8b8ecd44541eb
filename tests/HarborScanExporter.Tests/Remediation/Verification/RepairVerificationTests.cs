using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Remediation.Verification;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation.Undo;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Remediation.Verification;

/// <summary>Repairs are looked at after a minute and after 70, by what the audit and the rows say alone.</summary>
public sealed class RepairVerificationTests
{
    private const string WriteExecution = "harbor_scan.write_execution(bigint, text, text, timestamp)";

    private const string Job = "d318c1b17dff242a33f02544";
    private const string Digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    private const string Names = """{"artifact_id":1,"report_uuids":["u-1"],"robot_id":1}""";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan AMinute = TimeSpan.FromSeconds(61);
    private static readonly TimeSpan SeventyMinutes = TimeSpan.FromMinutes(70);

    [Fact]
    public async Task A_repair_that_holds_is_seen_twice_and_no_more()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        Assert.Null(await harbor.VerifyAsync());
        await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        Assert.InRange(await harbor.VerifyAsync() ?? TimeSpan.Zero, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(62));
        Assert.Equal("finish_task done 0", await harbor.SeenAsync());

        await harbor.AgeAsync(AMinute);
        Assert.InRange(await harbor.VerifyAsync() ?? TimeSpan.Zero, TimeSpan.FromMinutes(68), TimeSpan.FromMinutes(69.1));
        Assert.Equal("finish_task done 1 held", await harbor.SeenAsync());

        await harbor.AgeAsync(SeventyMinutes);
        Assert.Null(await harbor.VerifyAsync());
        Assert.Equal("finish_task done 2 held", await harbor.SeenAsync());
    }

    [Fact]
    public async Task A_process_that_was_away_for_both_looks_takes_one_and_one_that_starts_in_between_takes_the_second()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await harbor.AgeAsync(SeventyMinutes);
        await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await harbor.AgeAsync(AMinute);
        await harbor.VerifyAsync();
        Assert.Equal("finish_task done 2 held\nfinish_task done 1 held", await harbor.SeenAsync());
        await harbor.AgeAsync(SeventyMinutes);

        // Another process: it knows nothing but the audit.
        await using var database = new RepairDatabase(harbor.Settings.Database, harbor.Settings.Remediation);
        var next = await new RepairVerification(database, new PauseFile(null), harbor.Settings, NullLogger<RepairVerification>.Instance).PassAsync(TestContext.Current.CancellationToken);

        Assert.Null(next);
        Assert.Equal("finish_task done 2 held\nfinish_task done 2 held", await harbor.SeenAsync());
    }

    [Theory]
    [InlineData("status = 'Running', status_code = 2", "reverted")]
    [InlineData("status_code = 0", "reverted")]
    [InlineData("status = 'Running', status_code = 2, status_revision = 1789999999", "superseded")]
    [InlineData("status = 'Success', status_revision = 1789999999", "superseded")]
    public async Task What_did_not_hold_is_told_and_not_looked_at_again(string change, string seen)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await harbor.AgeAsync(AMinute);
        await harbor.VerifyAsync();
        await harbor.Seed.ExecuteAsync($"update task set {change} where id = {task}");
        await harbor.AgeAsync(SeventyMinutes);

        Assert.Null(await harbor.VerifyAsync());

        Assert.Equal($"finish_task done 2 {seen}", await harbor.SeenAsync());
    }

    [Fact]
    public async Task Repairs_of_executions_are_seen_by_their_rows()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        List<long> executions = [];
        for (var i = 0; i < 3; i++)
        {
            executions.Add(await harbor.Seed.ExecutionAsync(started: 5 * Hour));
            await harbor.Seed.TaskAsync(executions[^1], status: "Success", created: 5 * Hour, end: Ago(4 * Hour), jobId: Job);
        }
        for (var i = 0; i < 3; i++) executions.Add(await harbor.Seed.ExecutionAsync("SCAN_ALL", started: 5 * Hour));
        await harbor.RepairAsync();
        // Each kind once held, once Running without an open task, once with one.
        await harbor.Seed.ExecuteAsync($"update execution set status = 'Running', revision = revision + 1 where id in ({executions[1]}, {executions[2]}, {executions[4]}, {executions[5]})");
        await harbor.Seed.TaskAsync(executions[2], jobId: Job);
        await harbor.Seed.TaskAsync(executions[5], "SCAN_ALL", jobId: Job);
        await harbor.AgeAsync(AMinute);

        await harbor.VerifyAsync();

        Assert.Equal("held reverted superseded held reverted superseded", await harbor.Harbor.Database.ScalarAsync<string>(
            "select string_agg(verification, ' ' order by execution_id) from harbor_scan.repair"));
    }

    [Fact]
    public async Task A_stop_that_changed_nothing_has_no_effect_after_a_minute()
    {
        await using var harbor = await RepairingHarbor.StartAsync(act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)));
        await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await harbor.VerifyAsync();
        Assert.Equal("stop_job done 0", await harbor.SeenAsync());
        await harbor.AgeAsync(AMinute);

        Assert.Null(await harbor.VerifyAsync());

        Assert.Equal("stop_job no_effect 2", await harbor.SeenAsync());
    }

    [Fact]
    public async Task A_stop_that_Harbor_did_held()
    {
        await using var harbor = await RepairingHarbor.StartAsync(act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)));
        var task = await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await harbor.Seed.ExecuteAsync($"update task set status = 'Stopped', status_code = 3 where id = {task}");
        await harbor.AgeAsync(AMinute);

        await harbor.VerifyAsync();

        Assert.Equal("stop_job done 1 held", await harbor.SeenAsync());
    }

    [Theory]
    [InlineData("IMAGE_SCAN", "2.2.0", 1)]
    [InlineData("IMAGE_SCAN", "2.16.0", 70)]
    [InlineData("SBOM", "2.16.0", 70)]
    public async Task A_scan_whose_reports_came_after_all_is_made_Success_with_a_line_of_its_own(string type, string release, int minutes)
    {
        await using var harbor = await RepairingHarbor.StartAsync(release);
        var task = await SeedLostAsync(harbor, type);
        await harbor.RepairAsync();
        await StoreAsync(harbor, type);
        await harbor.AgeAsync(TimeSpan.FromMinutes(minutes + 0.1));

        await harbor.VerifyAsync();

        Assert.Equal("finish_task done 2 promoted\nfinish_task done 0", await harbor.SeenAsync());
        Assert.Equal("Success 3 0 ended", await harbor.TaskAsync(task));
        Assert.Equal("Success 2 ended", await harbor.Harbor.Database.ScalarAsync<string>(
            "select concat_ws(' ', status, revision, case when end_time is not null then 'ended' end) from execution"));
        Assert.Equal("verification lost Success Error -> Success, Error -> Success", await harbor.Harbor.Database.ScalarAsync<string>("""
            select concat_ws(' ', source, verdict, status, before->'task'->>'status', '->', after->'task'->>'status') || ', '
                   || concat_ws(' ', before->'execution'->>'status', '->', after->'execution'->>'status')
            from harbor_scan.repair order by id desc limit 1
            """));
        await harbor.AgeAsync(SeventyMinutes);
        Assert.Null(await harbor.VerifyAsync());
        Assert.Equal("finish_task done 2 promoted\nfinish_task done 2 held", await harbor.SeenAsync());
    }

    [Fact]
    public async Task A_promotion_is_taken_back_before_the_repair_and_both_leave_the_row_as_it_was()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await SeedLostAsync(harbor);
        var tasks = await RowTexts.TasksAsync(harbor.Harbor);
        var line = Assert.Single(await harbor.RepairAsync());
        var repaired = (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor));
        await StoreAsync(harbor);
        await harbor.AgeAsync(AMinute);
        await harbor.VerifyAsync();
        var undoing = harbor.Pieces.GetRequiredService<Undoing>();
        var asker = new Asker(RunSource.Command, "test");

        var early = await undoing.UndoAsync(line, asker, TestContext.Current.CancellationToken);
        Assert.Equal((UndoReason.MovedOn, $"Repair {line + 1} has changed task 1 since. Take that one back first."), (early.Reason, early.Problem));
        var promotion = await undoing.UndoAsync(line + 1, asker, TestContext.Current.CancellationToken);
        Assert.True(promotion.Done, promotion.Problem);
        Assert.Equal(repaired, (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor)));
        var repair = await undoing.UndoAsync(line, asker, TestContext.Current.CancellationToken);
        Assert.True(repair.Done, repair.Problem);
        Assert.Equal(tasks, await RowTexts.TasksAsync(harbor.Harbor));
        Assert.Equal("Running 4", await harbor.ExecutionAsync(1));
    }

    [Theory]
    [InlineData("update scan_report set report = null where uuid = 'u-2'")]
    [InlineData("delete from scan_report where uuid = 'u-2'")]
    [InlineData("""update task set extra_attrs = '{"report_uuids":[]}'""")]
    [InlineData("update task set extra_attrs = null")]
    [InlineData("update task set status_message = 'somebody has looked at it'")]
    public async Task Reports_that_are_not_all_there_and_rows_that_somebody_touched_are_no_Success(string change)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await SeedLostAsync(harbor, names: """{"artifact_id":1,"report_uuids":["u-1","u-2"],"robot_id":1}""");
        await harbor.RepairAsync();
        await StoreAsync(harbor);
        await harbor.Seed.ReportAsync("u-2", Digest.Replace('1', '2'), stored: true);
        await harbor.Seed.ExecuteAsync(change);
        await harbor.AgeAsync(SeventyMinutes);

        await harbor.VerifyAsync();

        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        Assert.Equal(1, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
    }

    [Fact]
    public async Task While_paused_read_only_or_over_a_cap_a_promotion_waits_and_everything_else_is_seen()
    {
        var file = Path.Combine(Path.GetTempPath(), $"pause-{Guid.NewGuid():n}");
        await using var harbor = await RepairingHarbor.StartAsync(changes: (Setting.Names.RemediationPauseFile, file));
        var task = await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await StoreAsync(harbor);
        await SeedLostAsync(harbor, names: "{}");
        await harbor.RepairAsync();
        await harbor.AgeAsync(AMinute);

        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        try
        {
            Assert.Equal(RepairVerification.Again, await harbor.VerifyAsync());
        }
        finally
        {
            File.Delete(file);
        }
        const string Waiting = "finish_task done 0\nfinish_task done 1 held";
        Assert.Equal(Waiting, await harbor.SeenAsync());
        await harbor.Seed.ExecuteAsync("insert into properties (k, v) values ('read_only', 'true')");
        Assert.Equal(RepairVerification.Again, await harbor.VerifyAsync());
        await harbor.Seed.ExecuteAsync("delete from properties where k = 'read_only'");
        Assert.Equal(Waiting, await harbor.SeenAsync());
        Assert.Equal(RepairVerification.Again, await With(harbor, remediation => remediation with { MaxPerHour = 2 }).PassAsync(TestContext.Current.CancellationToken));
        Assert.Equal(RepairVerification.Again, await With(harbor, remediation => remediation with { MaxPerDay = 2 }).PassAsync(TestContext.Current.CancellationToken));
        await harbor.Seed.ExecuteAsync("""
            insert into harbor_scan.repair (run, source, actor, action, state, failure, verdict, evidence)
            select 'r', 'alert', 'a', 'finish_task', 'failed', 'other', 'lost', '[]' from generate_series(1, 9)
            """);
        Assert.Equal(RepairVerification.Again, await harbor.VerifyAsync());
        await harbor.Seed.ExecuteAsync("delete from harbor_scan.repair where run = 'r'");
        Assert.Equal((Waiting, "Error 3 0 ended"), (await harbor.SeenAsync(), await harbor.TaskAsync(task)));

        await harbor.VerifyAsync();

        Assert.Equal(("finish_task done 2 promoted\nfinish_task done 1 held\nfinish_task done 0", "Success 3 0 ended"), (await harbor.SeenAsync(), await harbor.TaskAsync(task)));
    }

    [Fact]
    public async Task Under_dry_run_repairs_of_before_are_seen_and_none_is_promoted()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await StoreAsync(harbor);
        await harbor.AgeAsync(SeventyMinutes);

        Assert.Null(await With(harbor, remediation => remediation with { Mode = RemediationMode.DryRun }).PassAsync(TestContext.Current.CancellationToken));

        Assert.Equal(("finish_task done 2 held", "Error 3 0 ended"), (await harbor.SeenAsync(), await harbor.TaskAsync(task)));
    }

    [Fact]
    public async Task On_a_server_that_takes_no_writes_it_waits()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await harbor.AgeAsync(AMinute);
        await harbor.Seed.ExecuteAsync($"alter role {harbor.Harbor.RepairRole} set default_transaction_read_only = on");
        await using var database = new RepairDatabase(harbor.Settings.Database, harbor.Settings.Remediation);

        var next = await new RepairVerification(database, new PauseFile(null), harbor.Settings, NullLogger<RepairVerification>.Instance).PassAsync(TestContext.Current.CancellationToken);

        Assert.Equal((RepairVerification.Again, "finish_task done 0"), (next, await harbor.SeenAsync()));
    }

    [Fact]
    public async Task A_row_that_a_hook_holds_is_promoted_with_the_next_look_and_what_the_role_may_not_do_is_given_up()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await StoreAsync(harbor);
        await harbor.AgeAsync(AMinute);
        foreach (var hold in new[] { $"select 1 from task where id = {task} for update", "select 1 from execution for update" })
        {
            await using var connection = await harbor.Harbor.Database.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using (var command = new NpgsqlCommand(hold, connection, transaction)) await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            Assert.Equal(RepairVerification.Again, await harbor.VerifyAsync());
            Assert.Equal(("finish_task done 0", "Error 3 0 ended"), (await harbor.SeenAsync(), await harbor.TaskAsync(task)));
        }
        await harbor.Seed.ExecuteAsync($"revoke execute on function {WriteExecution} from {harbor.Harbor.RepairRole}");
        await harbor.VerifyAsync();
        Assert.Equal(("finish_task done 1 held", "Error 3 0 ended"), (await harbor.SeenAsync(), await harbor.TaskAsync(task)));
        await harbor.Seed.ExecuteAsync($"grant execute on function {WriteExecution} to {harbor.Harbor.RepairRole}");
        await harbor.AgeAsync(SeventyMinutes);
        await harbor.VerifyAsync();
        Assert.Equal(("finish_task done 2 promoted\nfinish_task done 0", "Success 3 0 ended"), (await harbor.SeenAsync(), await harbor.TaskAsync(task)));
    }

    [Fact]
    public async Task Two_exporters_look_at_a_line_once_and_while_a_run_holds_the_lock_neither_does()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await StoreAsync(harbor);
        await harbor.AgeAsync(AMinute);
        await using (var connection = await harbor.Harbor.Database.OpenAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using (var command = new NpgsqlCommand(TestHarbor.HoldRepairsSql, connection, transaction))
                await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            Assert.Equal(RepairVerification.WhenBusy, await harbor.VerifyAsync());
        }
        await using var second = new RepairDatabase(harbor.Settings.Database, harbor.Settings.Remediation);
        var other = new RepairVerification(second, new PauseFile(null), harbor.Settings, NullLogger<RepairVerification>.Instance);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => i % 2 == 0 ? harbor.VerifyAsync() : other.PassAsync(TestContext.Current.CancellationToken)));

        Assert.Equal(("finish_task done 2 promoted\nfinish_task done 0", "Success 3 0 ended"), (await harbor.SeenAsync(), await harbor.TaskAsync(task)));
    }

    [Fact]
    public async Task More_lines_than_one_transaction_takes_are_all_seen_in_one_pass()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.Seed.ExecuteAsync("""
            insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, revision, status, ended_at)
            select 'r', 'alert', 'a', 'finish_task', 'done', 'lost', '[]', n, 0, 'Error', clock_timestamp() - interval '2 minutes' from generate_series(1, 450) n
            """);

        await harbor.VerifyAsync();

        Assert.Equal(450, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where checks = 1 and verification = 'held'"));
    }

    [Fact]
    public async Task What_Harbor_did_or_a_person_took_back_is_not_looked_at()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await SeedLostAsync(harbor);
        var line = Assert.Single(await harbor.RepairAsync());
        Assert.True((await harbor.Pieces.GetRequiredService<Undoing>().UndoAsync(line, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken)).Done);
        await harbor.Seed.ExecuteAsync("""
            insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, ended_at)
            select 'r', 'alert', 'a', action, 'done', 'lost', '[]', clock_timestamp() from unnest(array['delete_robot', 'rescan', 'sweep']) action
            """);
        await harbor.AgeAsync(SeventyMinutes);

        Assert.Null(await harbor.VerifyAsync());

        Assert.Equal("finish_task undone 0\nundo done 0\ndelete_robot done 0\nrescan done 0\nsweep done 0", await harbor.SeenAsync());
    }

    [Theory]
    [InlineData("due", "harbor_scan.repair")]
    [InlineData("next", "harbor_scan.repair")]
    [InlineData("end", "harbor_scan.repair")]
    [InlineData("tasks", "task")]
    [InlineData("executions", "execution")]
    [InlineData("statuses", "task")]
    [InlineData("reports", "scan_report")]
    [InlineData("SBOMs", "sbom_report")]
    public async Task Each_query_ends_when_it_is_cancelled(string query, string table)
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.16.0");
        await harbor.Seed.ExecutionAsync();
        await using var transaction = await harbor.Pieces.GetRequiredService<RepairDatabase>().BeginAsync(TestContext.Current.CancellationToken);
        await using var held = await harbor.Harbor.Database.OpenAsync();
        await using var holding = await held.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new NpgsqlCommand($"lock table {table} in access exclusive mode", held, holding))
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var named = new TaskNow { ExtraAttributes = Names };
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query switch
        {
            "due" => DueCheck.ReadAsync(transaction, 0, 1, cancel.Token),
            "next" => DueCheck.NextAsync(transaction, cancel.Token),
            "end" => new DueCheck { Id = 1 }.EndAsync(transaction, Seen.Held, cancel.Token),
            "tasks" => RowsNow.TasksAsync(transaction, [1], cancel.Token),
            "executions" or "statuses" => RowsNow.ExecutionsAsync(transaction, [1], cancel.Token),
            _ => StoredReports.OfAsync(transaction, [named], cancel.Token),
        });
    }

    private static RepairVerification With(RepairingHarbor harbor, Func<RemediationSettings, RemediationSettings> change) => new(
        harbor.Pieces.GetRequiredService<RepairDatabase>(), new PauseFile(null), harbor.Settings with { Remediation = change(harbor.Settings.Remediation) },
        NullLogger<RepairVerification>.Instance);

    private static async Task<long> SeedLostAsync(RepairingHarbor harbor, string type = "IMAGE_SCAN", string names = Names)
    {
        var execution = await harbor.Seed.ExecutionAsync(type, started: 5 * Hour);
        return await harbor.Seed.TaskAsync(execution, type, created: 5 * Hour, jobId: $"{execution:x24}", extraAttributes: names);
    }

    private static Task StoreAsync(RepairingHarbor harbor, string type = "IMAGE_SCAN") => type == "SBOM"
        ? harbor.Seed.ExecuteAsync("""
            insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type, report)
            values ('u-1', 1, 'scanner', 'application/vnd.security.sbom.report+json; version=1.0', 'application/spdx+json', '{}')
            """)
        : harbor.Seed.ReportAsync("u-1", Digest, stored: true);
}
