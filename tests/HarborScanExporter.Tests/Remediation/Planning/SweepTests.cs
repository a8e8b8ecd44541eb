using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>The removal of old executions: what keeps one, what goes wrong, and its bounds.</summary>
public sealed class SweepTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private const string Gone = """{"artifact_id":1,"artifact_tag":"","report_uuids":["gone"],"robot_id":1}""";

    private static readonly (string, string) On = (Setting.Names.RemediationSweep, "on");

    [Fact]
    public async Task Where_a_report_lives_through_rescans_the_newest_scan_keeps_it_and_the_older_ones_go()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        const string kept = """{"artifact_id":1,"artifact_tag":"","report_uuids":["kept"],"robot_id":1}""";
        await harbor.Seed.ReportAsync("kept", "sha256:0", stored: true);
        List<long> executions = [];
        foreach (var daysAgo in new[] { 30, 20, 10 })
        {
            executions.Add(await harbor.Seed.ExecutionAsync(status: "Success", started: daysAgo * Day, extraAttributes: ArtifactAttributes(1)));
            await harbor.Seed.TaskAsync(executions[^1], status: "Success", created: daysAgo * Day, extraAttributes: kept, jobId: "");
        }
        // The newest execution by its start, but its task is older than that which shows the report: that one stays.
        await harbor.Seed.ExecuteAsync($"update execution set start_time = start_time - interval '15 days' where id = {executions[2]}");

        Assert.Null((await harbor.RunAsync()).Problem);

        Assert.Equal($"{executions[1]} {executions[2]}", await harbor.Harbor.Database.ScalarAsync<string>("select string_agg(id::text, ' ' order by id) from execution"));
    }

    [Theory]
    [InlineData("2.7.0")]
    [InlineData("2.10.0")]
    public async Task Whatever_gives_a_doubt_keeps_an_execution(string release)
    {
        await using var harbor = await RepairingHarbor.StartAsync(release, changes: On);
        Dictionary<string, long> executions = [];
        await harbor.Seed.ReportAsync("stands", "sha256:0", stored: true);
        async Task<long> AddAsync(string name, long artifact, double daysAgo, string status = "Success", string type = "IMAGE_SCAN", string? attributes = null, string? update = null)
        {
            executions[name] = await harbor.Seed.ExecutionAsync(type, status, daysAgo * Day, extraAttributes: attributes ?? ArtifactAttributes(artifact), update: update);
            return executions[name];
        }
        async Task WithTaskAsync(long execution, double daysAgo, string status = "Success", int? code = null, string attributes = Gone, string? update = null) =>
            await harbor.Seed.TaskAsync(execution, status: status, code: code, created: daysAgo * Day, extraAttributes: attributes, update: update, jobId: "");

        await WithTaskAsync(await AddAsync("oldest", 1, 30), 30);
        await AddAsync("without a task", 1, 29);
        await WithTaskAsync(await AddAsync("with a report", 1, 28), 28, attributes: """{"report_uuids":["gone","stands"]}""");
        await WithTaskAsync(await AddAsync("with a lower code", 1, 27), 27, "Error", 2);
        await WithTaskAsync(await AddAsync("with an open task", 1, 26), 26, "Pending");
        await WithTaskAsync(await AddAsync("with an illegible report", 1, 25), 25, attributes: """{"report_uuids":["gone",7]}""");
        await WithTaskAsync(await AddAsync("with a task that names nothing", 1, 24), 24, attributes: "{}");
        await WithTaskAsync(await AddAsync("of no artifact", 0, 23, attributes: """{"artifact":{}}"""), 23);
        await WithTaskAsync(await AddAsync("with a task changed lately", 1, 22), 22, update: Ago(Day / 2));
        await WithTaskAsync(await AddAsync("changed lately", 1, 21, update: Ago(Day / 2)), 21);
        await WithTaskAsync(await AddAsync("changed at no time", 1, 20, update: "'infinity'"), 20);
        await WithTaskAsync(await AddAsync("running", 1, 19, "Running"), 19, "Pending");
        await WithTaskAsync(await AddAsync("newest", 1, 18), 18);
        await WithTaskAsync(await AddAsync("of another artifact", 2, 40), 40);
        await WithTaskAsync(await AddAsync("scan-all", 0, 41, type: "SCAN_ALL", attributes: "{}"), 41);
        await harbor.Harbor.Database.ExecuteAsync($"update execution set start_time = (select start_time from execution where id = {executions["newest"]}) where id = {executions["running"]}");

        var result = await harbor.RunAsync();

        Assert.Null(result.Problem);
        var left = (await harbor.Harbor.Database.ScalarAsync<string>("select string_agg(id::text, ' ' order by id) from execution")).Split(' ').Select(long.Parse).ToHashSet();
        Assert.Equal(["oldest", "without a task"], executions.Where(one => !left.Contains(one.Value)).Select(one => one.Key));
        Assert.Equal($"sweep done execution={executions["oldest"]}\nsweep done execution={executions["without a task"]}",
            string.Join('\n', (await harbor.AuditAsync()).Split('\n').Where(line => line.StartsWith("sweep", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("2.2.0", """\u0000\ud800""")]
    // From 2.8.1 on an index over the attributes lets in no such characters.
    [InlineData("2.10.0", """\t""")]
    public async Task An_undo_restores_every_shape_of_every_column(string release, string tag)
    {
        await using var harbor = await RepairingHarbor.StartAsync(release, changes: On);
        var old = await harbor.Seed.ExecutionAsync(status: "Stopped", started: 9 * Day, end: ZeroTime, update: "null",
            extraAttributes: """{ "artifact" : {"id":1, "digest":"sha256:a\u0000b", "repository_name":"library/\"ü\\n" } }""");
        await harbor.Seed.TaskAsync(old, status: "Error", created: 9 * Day, extraAttributes: $$"""{"report_uuids" : ["gone"],  "artifact_tag":"{{tag}}","artifact_id":1.0}""", update: "null", end: ZeroTime);
        await harbor.Seed.TaskAsync(old, status: "Stopped", creation: "'2020-02-29 12:00:00.000001'", start: "'-infinity'", revision: "null", extraAttributes: Gone, end: "null");
        await harbor.Harbor.Database.ExecuteAsync($"update task set status_message = null, run_count = null, job_id = null where execution_id = {old} and status = 'Stopped'");
        await harbor.Harbor.Database.ExecuteAsync($"update execution set status_message = E'a\\nb', revision = null, vendor_id = null where id = {old}");
        await harbor.Seed.ExecutionAsync(status: "Success", started: 2 * Day, extraAttributes: ArtifactAttributes(1));
        var rows = await RowsAsync(harbor);

        Assert.Equal("sweep done", (await harbor.RunAsync()).Outcomes.Select(outcome => $"{outcome.Repair.Action.Word()} {outcome.State}").Single());
        Assert.Equal(1, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from execution"));
        Assert.Equal(0, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from task"));

        await RestoreAsync(harbor);
        Assert.Equal(rows, await RowsAsync(harbor));
    }

    [Fact]
    public async Task An_undo_puts_nothing_back_where_one_of_the_ids_is_taken()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var (old, _) = await OldAsync(harbor);
        var task = await harbor.Harbor.Database.ScalarAsync<long>($"select id::bigint from task where execution_id = {old}");
        await harbor.RunAsync();
        var other = await harbor.Seed.ExecutionAsync(started: Day);
        await harbor.Harbor.Database.ExecuteAsync($"insert into task (id, execution_id, status, status_code, vendor_type) values ({task}, {other}, 'Success', 3, 'IMAGE_SCAN')");
        Assert.False(await RestoreAsync(harbor));
        Assert.Equal(0, await harbor.Harbor.Database.ScalarAsync<long>($"select count(*) from execution where id = {old}"));
    }

    [Fact]
    public async Task A_person_takes_a_removal_back_like_any_other_repair_and_only_once()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var (old, newer) = await OldAsync(harbor);
        await OldAsync(harbor, artifact: 2);
        var rows = await RowsAsync(harbor);
        await harbor.RunAsync();
        Assert.True(Undoing.IsPossible("sweep", RepairState.Done));

        var undone = await UndoAsync(harbor, 1);
        Assert.Equal((true, null), (undone.Done, undone.Reason));
        Assert.Equal($"{old} {newer}", await harbor.Harbor.Database.ScalarAsync<string>("select string_agg(id::text, ' ' order by id) from execution where extra_attrs -> 'artifact' ->> 'id' = '1'"));
        Assert.Equal("undo done 1", await harbor.Harbor.Database.ScalarAsync<string>($"select concat_ws(' ', action, state, undo_of) from harbor_scan.repair where id = {undone.Audit}"));
        Assert.Equal("undone", await harbor.Harbor.Database.ScalarAsync<string>("select state from harbor_scan.repair where id = 1"));
        Assert.Equal("not_done", (await UndoAsync(harbor, 1)).Reason);

        await harbor.Harbor.Database.ExecuteAsync("insert into execution (id, vendor_type, trigger) select execution_id, 'IMAGE_SCAN', 'MANUAL' from harbor_scan.repair where id = 2");
        Assert.Equal("moved_on", (await UndoAsync(harbor, 2)).Reason);
        await harbor.Harbor.Database.ExecuteAsync("delete from execution where trigger = 'MANUAL' and status is null");
        await harbor.Harbor.Database.ExecuteAsync($"revoke execute on function harbor_scan.put_back(json) from {harbor.Harbor.RepairRole}");
        Assert.Equal("permission", (await UndoAsync(harbor, 2)).Reason);
        await harbor.Harbor.Database.ExecuteAsync($"grant execute on function harbor_scan.put_back(json) to {harbor.Harbor.RepairRole}");
        Assert.True((await UndoAsync(harbor, 2)).Done);
        Assert.Equal(rows, await RowsAsync(harbor));
        Assert.Empty((await harbor.RunAsync()).Outcomes);
    }

    [Fact]
    public async Task What_another_transaction_holds_is_left_and_the_others_go()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var (first, _) = await OldAsync(harbor, artifact: 1);
        var (second, _) = await OldAsync(harbor, artifact: 2);
        var (third, _) = await OldAsync(harbor, artifact: 3);
        await using var connection = await harbor.Harbor.Database.OpenAsync();
        await using var holding = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var held = new Npgsql.NpgsqlCommand(
            $"select 1 from task where execution_id = {first} for update; select 1 from execution where id = {second} for update", connection, holding))
            await held.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await harbor.RunAsync();

        Assert.Equal($"sweep failed locked execution={first}\nsweep failed locked execution={second}\nsweep done execution={third}", await harbor.AuditAsync());
        Assert.Equal(5, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from execution"));
    }

    [Theory]
    [InlineData("insert into scan_report (uuid, digest, registration_uuid, mime_type) values ('gone', 'sha256:1', 'scanner', 'x')")]
    [InlineData("delete from execution where id = {1}")]
    [InlineData("update execution set start_time = start_time - interval '60 days' where id = {1}")]
    [InlineData("update execution set revision = revision + 1 where id = {0}")]
    [InlineData("update execution set status = 'Running' where id = {0}")]
    [InlineData("update task set status = 'Running', status_code = 2 where execution_id = {0}")]
    [InlineData("insert into task (execution_id, status, status_code, vendor_type, extra_attrs) values ({0}, 'Pending', 0, 'IMAGE_SCAN', '{{}}')")]
    public async Task A_row_that_moved_on_between_search_and_removal_is_left(string change)
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var (old, newer) = await OldAsync(harbor);
        var found = await harbor.Pieces.GetRequiredService<SweepReader>().FindAsync(RunSource.Command, TestContext.Current.CancellationToken);
        var candidate = Assert.Single(found!.Candidates);
        Assert.Equal((old, newer, 1L), (candidate.Id, candidate.Newer, candidate.Tasks));
        await harbor.Harbor.Database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, change, old, newer));
        var rows = await RowsAsync(harbor);

        await using (var transaction = await harbor.Pieces.GetRequiredService<RepairDatabase>().BeginAsync(TestContext.Current.CancellationToken))
        {
            Assert.Equal((RepairFailure.LostRace, null), await SweepWriting.RemoveAsync(transaction, candidate, TestContext.Current.CancellationToken));
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(rows, await RowsAsync(harbor));
    }

    [Fact]
    public async Task Without_the_grant_nothing_is_removed_and_the_audit_says_why()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        await harbor.Harbor.Database.ExecuteAsync($"revoke execute on function harbor_scan.remove_execution(bigint) from {harbor.Harbor.RepairRole}");
        var (old, _) = await OldAsync(harbor);
        var rows = await RowsAsync(harbor);
        await harbor.RunAsync();
        Assert.Equal($"sweep failed permission execution={old}", await harbor.AuditAsync());
        Assert.Equal(rows, await RowsAsync(harbor));
    }

    [Fact]
    public async Task A_dry_run_and_the_switch_off_leave_everything()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var (old, _) = await OldAsync(harbor);
        var rows = await RowsAsync(harbor);
        var outcome = Assert.Single((await harbor.RunAsync(dryRun: true)).Outcomes);
        Assert.Equal((RepairState.Done, old), (outcome.State, outcome.Repair.ExecutionId));
        await using var off = await RepairingHarbor.StartAsync(harbor: harbor.Harbor, redis: harbor.Redis);
        Assert.Equal(RunEnd.Clean, (await off.RunAsync()).End);
        Assert.Equal("", await harbor.AuditAsync());
        Assert.Equal(rows, await RowsAsync(harbor));
    }

    [Fact]
    public async Task Half_of_every_cap_stays_for_scans_that_block_somebody()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0",
            changes: [On, (Setting.Names.RemediationMaxPerRun, "2"), (Setting.Names.RemediationMaxPerHour, "6"), (Setting.Names.RemediationMaxPerDay, "20")]);
        for (var artifact = 1; artifact <= 5; artifact++) await OldAsync(harbor, artifact);
        var result = await harbor.RunAsync();
        Assert.Equal((3, 2), (result.Outcomes.Count, result.Batches));
        var again = await harbor.RunAsync();
        Assert.Empty(again.Outcomes);
        Assert.Equal(2, again.Plan!.Refusals.Count(refusal => refusal.Reason == "cap_hour"));

        var execution = await harbor.Seed.ExecutionAsync(started: TimeSpan.FromHours(5));
        await harbor.Seed.TaskAsync(execution, created: TimeSpan.FromHours(5));
        await harbor.SeeTwiceAsync();
        Assert.Equal(["finish_task done"], (await harbor.RunAsync()).Outcomes.Select(outcome => $"{outcome.Repair.Action.Word()} {outcome.State}"));
    }

    [Fact]
    public async Task Old_executions_wait_until_everything_else_is_repaired_and_come_after_it_in_the_same_run()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var (old, _) = await OldAsync(harbor);
        var execution = await harbor.Seed.ExecutionAsync(started: TimeSpan.FromHours(5));
        var task = await harbor.Seed.TaskAsync(execution, created: TimeSpan.FromHours(5));
        await harbor.SeeTwiceAsync();
        await harbor.RunAsync();
        Assert.Equal($"finish_task done task={task} execution={execution} Error\nsweep done execution={old}", await harbor.AuditAsync());
    }

    [Fact]
    public async Task More_tasks_than_the_audit_can_hold_are_left_to_a_person()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var old = await harbor.Seed.ExecutionAsync(status: "Success", started: 9 * Day, extraAttributes: ArtifactAttributes(1));
        await harbor.Seed.TaskAsync(old, status: "Success", created: 9 * Day, extraAttributes: Gone, copies: 5_001);
        await harbor.Seed.ExecutionAsync(status: "Success", started: 2 * Day, extraAttributes: ArtifactAttributes(1));
        var result = await harbor.RunAsync();
        Assert.Equal(RunEnd.Left, result.End);
        Assert.Equal(("too_large", "It has 5,001 tasks, more than the audit can hold for an undo (5,000). Remove it by hand."),
            result.Plan!.Refusals.Where(refusal => refusal.ExecutionId == old).Select(refusal => (refusal.Reason, refusal.Text)).Single());
        await harbor.Harbor.Database.ExecuteAsync($"delete from task where id = (select max(id) from task where execution_id = {old})");
        Assert.Equal([RepairState.Done], (await harbor.RunAsync()).Outcomes.Select(outcome => outcome.State));
        Assert.True(await RestoreAsync(harbor));
        Assert.Equal(5_000, await harbor.Harbor.Database.ScalarAsync<long>($"select count(*) from task where execution_id = {old}"));
    }

    [Fact]
    public async Task Alerts_search_at_most_once_an_hour_and_people_whenever_they_ask()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var reader = harbor.Pieces.GetRequiredService<SweepReader>();
        Assert.NotNull(await reader.FindAsync(RunSource.Alert, TestContext.Current.CancellationToken));
        harbor.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Null(await reader.FindAsync(RunSource.Alert, TestContext.Current.CancellationToken));
        Assert.NotNull(await reader.FindAsync(RunSource.Api, TestContext.Current.CancellationToken));
        harbor.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.NotNull(await reader.FindAsync(RunSource.Alert, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_search_that_failed_and_one_of_a_person_do_not_stand_for_an_alerts_own()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        var reader = harbor.Pieces.GetRequiredService<SweepReader>();
        Assert.NotNull(await reader.FindAsync(RunSource.Command, TestContext.Current.CancellationToken));
        await harbor.Seed.ExecuteAsync($"revoke usage on schema harbor_scan from {harbor.Harbor.Role}");
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => reader.FindAsync(RunSource.Alert, TestContext.Current.CancellationToken));
        await harbor.Harbor.GrantAsync();
        harbor.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull(await reader.FindAsync(RunSource.Alert, TestContext.Current.CancellationToken));
        Assert.Null(await reader.FindAsync(RunSource.Alert, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_search_reads_the_executions_once_and_scans_no_table()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: On);
        await harbor.Harbor.Database.ExecuteAsync($$$"""
            insert into execution (vendor_type, vendor_id, status, trigger, extra_attrs, start_time, update_time, revision)
            select 'IMAGE_SCAN', g % 20000, 'Success', 'MANUAL', format('{"artifact":{"id":%s,"digest":"%s"}}', g % 20000 + 1, md5(g::text))::json,
                   now() at time zone 'utc' - interval '90 days' + g * interval '1 minute', now() at time zone 'utc' - interval '2 days', 1
            from generate_series(1, 100000) g;
            insert into task (execution_id, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, update_time, vendor_type)
            select id, md5(id::text), 'Success', 3, 1789992000, 1, '{{{Gone}}}', start_time, update_time, 'IMAGE_SCAN' from execution;
            analyze;
            """);
        await harbor.Harbor.Database.ExecuteAsync("vacuum execution, task");
        await harbor.Harbor.CountsArePublishedAsync();
        var pages = await harbor.Harbor.Database.ScalarAsync<long>("select relpages::bigint from pg_class where relname = 'execution'");
        var before = await ReadsAsync(harbor);
        var found = await harbor.Pieces.GetRequiredService<SweepReader>().FindAsync(RunSource.Command, TestContext.Current.CancellationToken);
        Assert.Equal(250, found!.Candidates.Count);
        // Beyond the 20,000 oldest, and beyond what may be removed within an hour.
        Assert.Equal([("not_looked_at", 60_000L), ("not_looked_at", 19_750L)], found.Refusals.Select(refusal => (refusal.Reason, refusal.Count)));
        Assert.Equal(Enumerable.Range(1, 250).Select(id => (long)id), found.Candidates.Select(candidate => candidate.Id));
        await harbor.Pieces.DisposeAsync();
        await harbor.Harbor.CountsArePublishedAsync(harbor.Harbor.Role, harbor.Harbor.RepairRole);
        var after = await ReadsAsync(harbor);
        Assert.Equal(before.Scans, after.Scans);
        Assert.InRange(after.Executions - before.Executions, pages, pages + 2_000);
        Assert.InRange(after.Tasks - before.Tasks, 1, 2_000);
    }

    private static async Task<(long Scans, long Executions, long Tasks)> ReadsAsync(RepairingHarbor harbor) =>
    (
        await harbor.Harbor.Database.ScalarAsync<long>("select sum(seq_scan)::bigint from pg_stat_user_tables where relname in ('task', 'execution')"),
        await harbor.Harbor.Database.ScalarAsync<long>("select heap_blks_read + heap_blks_hit from pg_statio_user_tables where relname = 'execution'"),
        await harbor.Harbor.Database.ScalarAsync<long>("select heap_blks_read + heap_blks_hit from pg_statio_user_tables where relname = 'task'")
    );

    /// <summary>An execution that a newer one of the same artifact has made superfluous.</summary>
    private static async Task<(long Old, long Newer)> OldAsync(RepairingHarbor harbor, long artifact = 1)
    {
        var old = await harbor.Seed.ExecutionAsync(status: "Success", started: 9 * Day, extraAttributes: ArtifactAttributes(artifact));
        await harbor.Seed.TaskAsync(old, status: "Success", created: 9 * Day, extraAttributes: Gone, jobId: "");
        return (old, await harbor.Seed.ExecutionAsync(status: "Success", started: 2 * Day, extraAttributes: ArtifactAttributes(artifact)));
    }

    private static string ArtifactAttributes(long artifact) => $$$"""{"artifact":{"digest":"sha256:1","id":{{{artifact}}},"project_id":1,"repository_name":"library/app"},"registration":{"id":1,"name":"Trivy"}}""";

    private static Task<UndoResult> UndoAsync(RepairingHarbor harbor, long id) =>
        harbor.Pieces.GetRequiredService<Undoing>().UndoAsync(id, new Asker(RunSource.Api, "test"), TestContext.Current.CancellationToken);

    private static async Task<bool> RestoreAsync(RepairingHarbor harbor)
    {
        var before = await harbor.Harbor.Database.ScalarAsync<string>("select before::text from harbor_scan.repair where action = 'sweep' and state = 'done'");
        await using var transaction = await harbor.Pieces.GetRequiredService<RepairDatabase>().BeginAsync(TestContext.Current.CancellationToken);
        var restored = await SweepUndo.RestoreAsync(transaction, before, TestContext.Current.CancellationToken);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        return restored;
    }

    private static Task<string> RowsAsync(RepairingHarbor harbor) => harbor.Harbor.Database.ScalarAsync<string>("""
        select concat_ws(E'\n', (select string_agg(e::text, E'\n' order by e.id) from execution e), (select string_agg(t::text, E'\n' order by t.id) from task t))
        """);
}
