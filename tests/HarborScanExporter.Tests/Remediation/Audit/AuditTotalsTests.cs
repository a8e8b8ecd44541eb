using HarborScanExporter.Database.Grants;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation.Verification;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Audit;

/// <summary>The audit may be pruned: what the metrics tell of it stays, and so does every line that something rests on.</summary>
public sealed class AuditTotalsTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static readonly string[] Counters =
    [
        "harbor_scan_remediation_repairs_total", "harbor_scan_remediation_repair_failures_total", "harbor_scan_remediation_reverted_total",
        "harbor_scan_remediation_promoted_total", "harbor_scan_remediation_undone_total",
    ];

    [Fact]
    public async Task The_metrics_tell_the_same_before_lines_are_counted_when_they_are_and_when_they_are_removed()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var audit = new AuditSeed(harbor.Harbor);
        // Its own look at the audit comes before the lines, and again after a quarter of an hour.
        await using var exporter = await RunningExporter.StartAsync(harbor.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, harbor.Redis.Url)));
        await exporter.ScrapeAsync();
        await audit.AddAsync("finish_task", ago: 200 * Day, copies: 1_500);
        await audit.AddAsync("finish_task", "undone", ago: 200 * Day, copies: 2);
        await audit.AddAsync("undo", ago: 200 * Day, source: "command", copies: 2);
        await audit.AddAsync("finish_task", verification: "reverted", ago: 150 * Day, copies: 3);
        await audit.AddAsync("finish_task", verification: "promoted", ago: 150 * Day, copies: 4);
        await audit.AddAsync("stop_job", "failed", "api_denied", ago: 120 * Day, copies: 5);
        await audit.AddAsync("stop_job", "no_effect", ago: 120 * Day, copies: 6);
        await audit.AddAsync("stop_job", "intended", ago: 120 * Day);
        await audit.AddAsync("finish_task", ago: Day, copies: 7);
        var expected = await CountedAsync(exporter);

        await harbor.VerifyAsync();
        var counted = await CountedAsync(exporter);
        Assert.Equal(1L, await LinesAsync(harbor, "not counted"));
        await PruneAsync(harbor.Harbor);
        var pruned = await CountedAsync(exporter);
        // What comes afterwards is counted too, each line once.
        await audit.AddAsync("finish_task", copies: 2);
        var later = await CountedAsync(exporter);
        await harbor.VerifyAsync();
        await harbor.VerifyAsync();
        var laterCounted = await CountedAsync(exporter);

        Assert.Contains("harbor_scan_remediation_repairs_total{action=\"finish_task\"} 1516", expected);
        Assert.Equal(expected, counted);
        Assert.Equal(expected, pruned);
        // The seven of yesterday, the open intent, and the two that are new.
        Assert.Equal(10L, await LinesAsync(harbor, "true"));
        Assert.Contains("harbor_scan_remediation_repairs_total{action=\"finish_task\"} 1518", later);
        Assert.Equal(later, laterCounted);
    }

    [Fact]
    public async Task A_repair_is_counted_when_its_last_look_is_over_and_its_undo_is_counted_too()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        var line = Assert.Single(await harbor.RepairAsync());
        await harbor.AgeAsync(TimeSpan.FromMinutes(2));
        await harbor.VerifyAsync();
        Assert.Equal(1L, await LinesAsync(harbor, "not counted"));
        await harbor.AgeAsync(TimeSpan.FromMinutes(70));
        await harbor.VerifyAsync();
        Assert.Equal(0L, await LinesAsync(harbor, "not counted"));
        Assert.True((await harbor.Pieces.GetRequiredService<Undoing>().UndoAsync(line, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken)).Done);
        await harbor.VerifyAsync();
        Assert.Equal("finish_task done held 1, undo done 1", await harbor.Harbor.Database.ScalarAsync<string>(
            "select string_agg(concat_ws(' ', action, state, nullif(verification, ''), lines), ', ' order by action) from harbor_scan.repair_total"));
        await using var exporter = await RunningExporter.StartAsync(harbor.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, harbor.Redis.Url)));
        Assert.Equal(
            ["harbor_scan_remediation_repairs_total{action=\"finish_task\"} 1", "harbor_scan_remediation_undone_total 1"],
            await CountedAsync(exporter));
    }

    [Fact]
    public async Task What_is_never_looked_at_again_is_counted_after_a_month()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.Seed.ExecuteAsync("""
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, ended_at)
            select now() - interval '1 day' * days, 'r', 'command', 'a', 'finish_task', 'done', 'lost', '[]', now() + interval '1 hour' from unnest(array[29, 31]) days
            """);
        await harbor.VerifyAsync();
        Assert.Equal(1L, await LinesAsync(harbor, "counted and at < now() - interval '30 days'"));
        Assert.Equal(1L, await LinesAsync(harbor, "not counted"));
    }

    [Fact]
    public async Task The_cost_of_a_scrape_does_not_grow_with_the_audit()
    {
        List<long> costs = [];
        foreach (var lines in new[] { 2_000, 40_000 })
        {
            await using var harbor = await RepairingHarbor.StartAsync();
            await new AuditSeed(harbor.Harbor).AddAsync("finish_task", ago: 10 * Day, copies: lines);
            while (await LinesAsync(harbor, "not counted") > 0) await harbor.VerifyAsync();
            await harbor.Harbor.Database.ExecuteAsync("vacuum analyze harbor_scan.repair, harbor_scan.repair_total");
            var settings = SettingsReader.Read(harbor.Harbor.Environment(), new Dictionary<string, string>()).Settings!;
            await using var database = new HarborDatabase(settings.Database, TimeSpan.FromSeconds(30));
            await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            Assert.Equal(lines, (await RepairAuditLookup.CountsAsync(snapshot, TestContext.Current.CancellationToken)).Sum(count => count.Lines));
            await using var command = new NpgsqlCommand("""
                select coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::bigint from pg_class where relnamespace = 'harbor_scan'::regnamespace
                """, snapshot.Connection, snapshot.Transaction);
            costs.Add((long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!);
        }
        Assert.All(costs, pages => Assert.InRange(pages, 1, 30));
    }

    [Fact]
    public async Task Lines_that_something_rests_on_are_kept_whatever_their_age()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var seed = harbor.Seed;
        var open = await seed.TaskAsync(await seed.ExecutionAsync(started: 300 * Day), created: 300 * Day);
        var lower = await seed.TaskAsync(await seed.ExecutionAsync(status: "Stopped", started: 300 * Day), status: "Stopped", code: 2, created: 300 * Day);
        var running = await seed.ExecutionAsync(started: 300 * Day);
        var over = await seed.ExecutionAsync(status: "Error", started: 300 * Day);
        var overTask = await seed.TaskAsync(over, status: "Error", created: 300 * Day);
        var sweptBack = await seed.ExecutionAsync(status: "Success", started: 300 * Day);
        var robot = await seed.RobotAsync(300 * Day);
        await seed.ExecuteAsync($"""
            create table harbor_scan.names (id bigint, name text);
            create function harbor_scan.line(name text, action text, task bigint, execution bigint, robot bigint, state text default 'done', days int default 200, undo_of bigint default null, counted boolean default true)
            returns bigint language sql as $$
                with line as (
                    insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, task_id, execution_id, robot_id, ended_at, checks, counted, undo_of)
                    values (now() - interval '1 day' * days, 'r', case when action = 'undo' then 'command' else 'alert' end, 'a', action, state, 'lost', '[]', task, execution, robot, now(), 2, counted, undo_of)
                    returning id)
                insert into harbor_scan.names select id, name from line returning id
            $$;
            select harbor_scan.line('kept: task is open', 'finish_task', {open}, {open}, null);
            select harbor_scan.line('kept: code is low', 'fix_status_code', {lower}, null, null);
            select harbor_scan.line('kept: execution runs', 'refresh_execution', null, {running}, null);
            select harbor_scan.line('kept: removed and put back', 'sweep', null, {sweptBack}, null, 'undone');
            select harbor_scan.line('kept: robot is there', 'delete_robot', null, null, {robot}, 'no_effect');
            select harbor_scan.line('kept: not counted', 'finish_task', 900001, 900001, null, counted => false);
            select harbor_scan.line('kept: young', 'finish_task', 900002, 900002, null, days => 89);
            select harbor_scan.line('kept: a younger line took it back', 'finish_task', 900003, 900003, null, 'undone');
            select harbor_scan.line('kept: the younger line', 'undo', 900003, 900003, null, days => 3, undo_of => (select max(id) from harbor_scan.repair));
            select harbor_scan.line('gone: its task is over', 'finish_task', {overTask}, {over}, {robot});
            select harbor_scan.line('gone: its execution is over', 'refresh_execution', null, {over}, null);
            select harbor_scan.line('gone: its task is gone', 'finish_task', 900004, 900004, null, 'failed');
            select harbor_scan.line('gone: taken back long ago', 'finish_task', 900005, 900005, null, 'undone');
            select harbor_scan.line('gone: by this line', 'undo', 900005, 900005, null, undo_of => (select max(id) from harbor_scan.repair));
            select harbor_scan.line('gone: its robot is gone', 'delete_robot', null, null, 900006);
            select harbor_scan.line('kept: the newest of a run', 'finish_task', 900007, 900007, null);
            """);

        await PruneAsync(harbor.Harbor);

        var left = await harbor.Harbor.Database.ScalarAsync<string[]>("select array_agg(name order by name) from harbor_scan.names where id in (select id from harbor_scan.repair)");
        var all = await harbor.Harbor.Database.ScalarAsync<string[]>("select array_agg(name order by name) from harbor_scan.names");
        Assert.Equal(all.Where(name => name.StartsWith("kept", StringComparison.Ordinal)), left);

        // Never less than a week is kept, whatever is asked for.
        await PruneAsync(harbor.Harbor, "1 second");
        Assert.Equal(1L, await LinesAsync(harbor, "at > now() - interval '7 days'"));
        Assert.Equal(0L, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair join harbor_scan.names using (id) where name = 'kept: young'"));
    }

    /// <summary>A line of a year ago goes unless one thing alone keeps it; a younger line of a run, which stays, is there each time.</summary>
    [Fact]
    public async Task What_keeps_a_line_of_a_year_ago()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var rows = new DecidedRows(harbor.Harbor, async () =>
        {
            await harbor.Seed.TaskAsync(await harbor.Seed.ExecutionAsync(status: "Error"), status: "Error");
            await harbor.Seed.RobotAsync(Day);
            await new AuditSeed(harbor.Harbor).AddAsync("finish_task", ago: 365 * Day);
            await new AuditSeed(harbor.Harbor).AddAsync("finish_task");
            await harbor.Seed.ExecuteAsync("update harbor_scan.repair set counted = true");
        });
        static string Old(string change) => $"update harbor_scan.repair set {change} where id = 1;";
        static string Later(string source, string action) => $"""
            insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, counted) values (now() - interval '1 year', 'r', '{source}', 'a', '{action}', 'done', '', '[]', true);
            """;
        (string Row, string Change, bool IsKept)[] cases =
        [
            ("all over", "", false),
            ("not counted", Old("counted = false"), true),
            ("younger than ninety days", Old("at = now() - interval '89 days 23 hours'"), true),
            ("older than ninety days", Old("at = now() - interval '90 days 1 hour'"), false),
            ("its task Success", "update task set status = 'Success'", false),
            ("its task Stopped", "update task set status = 'Stopped'", false),
            ("its task open", Old("execution_id = null") + "update task set status = 'Running', status_code = 2", true),
            ("its task's word open alone", Old("execution_id = null") + "update task set status = 'Running'", true),
            ("its task's code low alone", Old("execution_id = null") + "update task set status_code = 2", true),
            ("another task open", Old("execution_id = null, task_id = 7") + "update task set status = 'Running', status_code = 2", false),
            ("its execution Success", "update execution set status = 'Success'", false),
            ("its execution Stopped", "update execution set status = 'Stopped'", false),
            ("its execution Running", Old("task_id = null") + "update execution set status = 'Running'", true),
            ("its execution without a status", Old("task_id = null") + "update execution set status = null", true),
            ("a task of its execution open", Old("task_id = null") + "update task set status = 'Running', status_code = 2", true),
            ("a task of its execution with an open word alone", Old("task_id = null") + "update task set status = 'Running'", true),
            ("a task of its execution with a low code alone", Old("task_id = null") + "update task set status_code = 2", true),
            ("tasks of its execution Success and Stopped", Old("task_id = null") + "update task set status = 'Success'; insert into task (execution_id, vendor_type, status, status_code) values (1, 'IMAGE_SCAN', 'Stopped', 3)", false),
            ("a task of another execution open", "insert into execution (id, vendor_type, trigger, status) values (7, 'IMAGE_SCAN', 'MANUAL', 'Error'); insert into task (execution_id, vendor_type, status, status_code) values (7, 'IMAGE_SCAN', 'Running', 2)", false),
            ("another execution Running", "insert into execution (id, vendor_type, trigger, status) values (7, 'IMAGE_SCAN', 'MANUAL', 'Running')", false),
            ("a removal of an execution that is there", Old("action = 'sweep'"), true),
            ("a removal of one that is gone", Old("action = 'sweep', task_id = null, execution_id = 7"), false),
            ("its robot there", Old("task_id = null, execution_id = null, robot_id = 1"), true),
            ("another robot there", Old("task_id = null, execution_id = null, robot_id = 7"), false),
            ("a repair of a task whose robot is there", Old("robot_id = 1"), false),
            ("taken back lately", Old("state = 'undone'") + "update harbor_scan.repair set undo_of = 1, action = 'undo' where id = 2;" + Later("alert", "finish_task"), true),
            ("another taken back lately", "insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, counted, undo_of) values ('r', 'api', 'a', 'undo', 'done', '', '[]', true, 2)", false),
            ("taken back long ago", Old("state = 'undone'") + "insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, counted, undo_of) values (now() - interval '1 year', 'r', 'api', 'a', 'undo', 'done', '', '[]', true, 1)", false),
            ("the newest of a run", "delete from harbor_scan.repair where id = 2", true),
            ("the newest of a run, before an undo", "delete from harbor_scan.repair where id = 2;" + Later("api", "undo"), true),
            ("the newest of a run, before a look", "delete from harbor_scan.repair where id = 2;" + Later("verification", "finish_task"), true),
            ("one before the newest of a run", "delete from harbor_scan.repair where id = 2;" + Later("alert", "stop_job"), false),
        ];
        await rows.ReadAsync(async (_, _) =>
        {
            await PruneAsync(harbor.Harbor);
            return await LinesAsync(harbor, "id = 1") == 1;
        }, cases);
    }

    [Fact]
    public async Task An_audit_of_before_is_counted_when_the_SQL_is_run_again_and_nothing_falls()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var audit = new AuditSeed(harbor.Harbor);
        await audit.AddAsync("finish_task", ago: Day, copies: 1_200);
        await audit.AddAsync("stop_job", "intended");
        // As it was before there were totals.
        await harbor.Seed.ExecuteAsync("""
            drop table harbor_scan.repair_total;
            alter table harbor_scan.repair drop column counted cascade;
            create index repair_told on harbor_scan.repair (action, state, failure, verification);
            """);
        var error = await Assert.ThrowsAsync<AuditException>(() => harbor.VerifyAsync());
        Assert.Contains("Run the SQL of deploy/sql/03-remediation-role.sql", error.Message, StringComparison.Ordinal);

        await harbor.Harbor.GrantRemediationAsync();
        await harbor.Harbor.GrantRemediationAsync();

        Assert.Equal((1_200L, 1L, 1_200L), (await LinesAsync(harbor, "counted"), await LinesAsync(harbor, "not counted"),
            await harbor.Harbor.Database.ScalarAsync<long>("select sum(lines)::bigint from harbor_scan.repair_total")));
        await using var exporter = await RunningExporter.StartAsync(harbor.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, harbor.Redis.Url)));
        Assert.Equal(["harbor_scan_remediation_repairs_total{action=\"finish_task\"} 1200"], await CountedAsync(exporter));
        await harbor.VerifyAsync();
    }

    private static async Task<string[]> CountedAsync(RunningExporter exporter)
    {
        var scrape = await exporter.ScrapeAsync();
        return [.. Counters.SelectMany(family => scrape.NonZero(family).Select(series => series.StartsWith('{') ? family + series : $"{family} {series.Trim()}"))];
    }

    private static Task<long> LinesAsync(RepairingHarbor harbor, string which) =>
        harbor.Harbor.Database.ScalarAsync<long>($"select count(*) from harbor_scan.repair where {which}");

    /// <summary>Runs the script as an operator runs it.</summary>
    private static async Task PruneAsync(TestHarbor harbor, string? keep = null)
    {
        var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        var result = await Tool.RunAsync("psql",
            [
                "-X", "-v", "ON_ERROR_STOP=1", .. keep is null ? Array.Empty<string>() : ["-v", $"keep={keep}"],
                "-d", $"host={server.Host} port={server.Port} user={server.Username} password='{server.Password}' dbname={server.Database}",
            ], RoleScript.Text(RoleScript.PruneAudit));
        Assert.True(result.ExitCode == 0, result.All);
    }
}
