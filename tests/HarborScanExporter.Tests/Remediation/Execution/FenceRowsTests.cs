using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>The fences of writes: a row that differs from the one that was judged, or from the one that a repair left, in one column alone is not written.</summary>
public sealed class FenceRowsTests
{
    private static readonly Fence Judged = new("Running", 2, 77, 1_789_992_000);

    /// <summary>Each alone lets a task be another than the one that was judged.</summary>
    private static readonly (string Row, string Change)[] Moved =
    [
        ("another", "insert into task select 7, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type from task; delete from task where id = 1"),
        ("its status", "update task set status = 'Pending'"),
        ("its code", "update task set status_code = 1"),
        ("its revision", "update task set status_revision = 78"),
        ("its revision gone", "update task set status_revision = null"),
        ("its time", "update task set update_time = update_time + interval '1 second'"),
        ("its time gone", "update task set update_time = null"),
        ("no scan", "update task set vendor_type = 'REPLICATION'"),
    ];

    [Fact]
    public async Task A_task_is_locked_read_and_finished_as_it_was_judged_alone()
    {
        await using var harbor = await RepairedAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        (string, string, string)[] cases = [("as judged", "", "True True"), .. Moved.Select(row => (row.Row, row.Change, "False False"))];
        await rows.RepairAsync(async (transaction, token) =>
            $"{await TaskWrite.LockAsync(transaction, 1, Judged, token) is not null} {await TaskWrite.FinishAsync(transaction, 1, Judged, "Error", null, "", token) is not null}", cases);
        (string, string, bool)[] read = [("as judged", "", true), .. Moved.Select(row => (row.Row, row.Change, false))];
        await rows.RepairAsync(async (transaction, token) => await TaskWrite.ReadAsync(transaction, 1, Judged, token) is not null, read);
        foreach (var type in new[] { "IMAGE_SCAN", "SCAN_ALL", "SBOM" })
        {
            await rows.RepairAsync(async (transaction, token) => await TaskWrite.LockAsync(transaction, 1, Judged, token) is not null
                    && await TaskWrite.FinishAsync(transaction, 1, Judged, "Error", null, "", token) is not null
                    && await TaskWrite.ImageAsync(transaction, 1, token) is not null,
                (type, $"update task set vendor_type = '{type}'", true));
        }
        await rows.RepairAsync(async (transaction, token) => await TaskWrite.ImageAsync(transaction, 1, token) is not null,
            ("no scan has no image", "update task set vendor_type = 'REPLICATION'", false), ("another", "update task set id = 7", false));
        foreach (var time in new[] { "null", "'0001-01-01'", "'infinity'", "'-infinity'" })
        {
            await rows.RepairAsync(async (transaction, token) =>
                    await TaskWrite.LockAsync(transaction, 1, Judged with { Updated = null }, token) is not null
                    && await TaskWrite.ReadAsync(transaction, 1, Judged with { Updated = null }, token) is not null
                    && await TaskWrite.FinishAsync(transaction, 1, Judged with { Updated = null }, "Error", null, "", token) is not null,
                ($"without a usable time: {time}", $"update task set update_time = {time}", true));
        }
        await rows.RepairAsync(async (transaction, token) =>
                await TaskWrite.LockAsync(transaction, 1, Judged with { Updated = 0 }, token) is not null
                && await TaskWrite.ReadAsync(transaction, 1, Judged with { Updated = 0 }, token) is not null
                && await TaskWrite.FinishAsync(transaction, 1, Judged with { Updated = 0 }, "Error", null, "", token) is not null,
            ("the first usable time", "update task set update_time = '1970-01-01'", true));
    }

    [Fact]
    public async Task A_code_is_mended_of_a_final_row_that_has_a_lower_one()
    {
        await using var harbor = await RepairedAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        foreach (var (status, code, isMended) in new[]
        {
            ("Success", 2, true), ("Error", 1, true), ("Stopped", 0, true), ("Success", 3, false), ("Stopped", 4, false), ("Running", 2, false), ("Strange", 2, false),
        })
        {
            await rows.RepairAsync(async (transaction, token) => await TaskWrite.FixCodeAsync(transaction, 1, Judged with { Status = status, Code = code }, "", token) is not null,
                ($"{status} {code}", $"update task set status = '{status}', status_code = {code}", isMended));
        }
        // Its end is its own where it has one, else the time of its change, else now.
        foreach (var (end, update, expected) in new[]
        {
            ("'2026-09-21 11:00:00'", "'2026-09-21 12:00:00'", "2026-09-21 11:00:00"), ("'1970-01-01'", "'2026-09-21 12:00:00'", "1970-01-01 00:00:00"),
            ("'0001-01-01'", "'2026-09-21 12:00:00'", "2026-09-21 12:00:00"), ("'infinity'", "'2026-09-21 12:00:00'", "2026-09-21 12:00:00"),
            ("null", "'1970-01-01'", "1970-01-01 00:00:00"), ("null", "'0001-01-01'", "now"), ("null", "'infinity'", "now"), ("null", "null", "now"),
        })
        {
            var updated = update == "'2026-09-21 12:00:00'" ? Judged.Updated : update == "'1970-01-01'" ? 0 : null;
            await rows.RepairAsync(async (transaction, token) =>
            {
                await TaskWrite.FixCodeAsync(transaction, 1, Judged with { Status = "Error", Updated = updated }, "", token);
                return await ScalarAsync(transaction, "select case when end_time = date_trunc('second', now() at time zone 'utc') then 'now' else end_time::text end from task");
            }, ($"{end} {update}", $"update task set status = 'Error', end_time = {end}, update_time = {update}", expected));
        }
    }

    [Fact]
    public async Task A_task_is_put_back_as_a_repair_left_it_alone()
    {
        await using var harbor = await RepairedAsync();
        var rows = new DecidedRows(harbor, async () =>
        {
            await SeedAsync(harbor);
            await new Seed(harbor).ExecuteAsync("""
                insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, execution_id, before, after)
                select 'r', 'api', 'a', 'finish_task', 'done', 'lost', '[]', id, execution_id, json_build_object('task', row_to_json(t)), json_build_object('task', row_to_json(t)) from task t
                """);
        });
        (string, string)[] further =
        [
            ("its message", "update task set status_message = 'another'"), ("its message gone", "update task set status_message = null"),
            ("its end", "update task set end_time = '2026-09-21 12:00:01'"), ("its end gone", "update task set end_time = null"),
        ];
        (string, string, string)[] cases = [("as left", "", "True True True"), .. Moved.Concat(further).Select(row => (row.Item1, row.Item2, "False False False"))];
        await rows.RepairAsync(async (transaction, token) =>
            $"{await TaskUndo.LockAsync(transaction, 1, token) is not null} {await TaskUndo.IsAsLeftAsync(transaction, 1, token)} {await TaskUndo.RestoreAsync(transaction, 1, token) is not null}", cases);
        const string image = "update harbor_scan.repair set after = json_build_object('task', (select row_to_json(t) from task t))";
        foreach (var column in new[] { "status_revision", "status_message", "update_time", "end_time" })
        {
            await rows.RepairAsync(async (transaction, token) =>
                    $"{await TaskUndo.LockAsync(transaction, 1, token) is not null} {await TaskUndo.IsAsLeftAsync(transaction, 1, token)} {await TaskUndo.RestoreAsync(transaction, 1, token) is not null}",
                ($"left without {column}", $"update task set {column} = null; {image}", "True True True"));
        }
        foreach (var type in new[] { "SCAN_ALL", "SBOM" })
        {
            await rows.RepairAsync(async (transaction, token) =>
                    $"{await TaskUndo.LockAsync(transaction, 1, token) is not null} {await TaskUndo.IsAsLeftAsync(transaction, 1, token)} {await TaskUndo.RestoreAsync(transaction, 1, token) is not null}",
                (type, $"update task set vendor_type = '{type}'; {image}", "True True True"));
        }
        const string later = "insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, after) select 's', source, actor, action, state, verdict, evidence, task_id, after from harbor_scan.repair;";
        static string Second(string change) => later + $"update harbor_scan.repair set {change} where id = 2";
        await rows.RepairAsync(async (transaction, token) => await TaskUndo.LaterAsync(transaction, 1, token) ?? 0,
            ("none", "", 0L),
            ("a later repair", later, 2L),
            ("the latest of two", later + "insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, after) select 's', source, actor, action, state, verdict, evidence, task_id, after from harbor_scan.repair where id = 2", 3L),
            ("of another task", Second("task_id = 7"), 0L),
            ("failed", Second("state = 'failed'"), 0L),
            ("taken back", Second("state = 'undone'"), 0L),
            ("an undo", Second("action = 'undo'"), 0L),
            ("one that wrote no row", Second("after = '{\"task\": null}'"), 0L));
        await rows.RepairAsync(async (transaction, token) => await TaskUndo.LaterAsync(transaction, 2, token) ?? 0, ("an earlier one", later, 0L));
    }

    [Fact]
    public async Task An_execution_is_written_where_it_is_one_of_scans()
    {
        await using var harbor = await RepairedAsync();
        var rows = new DecidedRows(harbor, async () =>
        {
            await SeedAsync(harbor);
            await new Seed(harbor).ExecuteAsync("""
                insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, execution_id, before, after)
                select 'r', 'api', 'a', 'refresh_execution', 'done', '', '[]', id, json_build_object('execution', row_to_json(e)), json_build_object('execution', row_to_json(e)) from execution e
                """);
        });
        const string use = """
            concat_ws(' ', (select count(*) from harbor_scan.lock_execution(1)), harbor_scan.execution_is_left(1, (select after -> 'execution' from harbor_scan.repair)),
                harbor_scan.execution_is_before(1, (select before -> 'execution' from harbor_scan.repair)),
                (select count(*) from harbor_scan.write_execution(1, 'Error', null, null) w where w is not null),
                (select count(*) from harbor_scan.restore_execution(1, (select before -> 'execution' from harbor_scan.repair)) w where w is not null))
            """;
        const string image = "update harbor_scan.repair set before = json_build_object('execution', (select row_to_json(e) from execution e)), after = json_build_object('execution', (select row_to_json(e) from execution e))";
        await rows.RepairAsync((transaction, _) => ScalarAsync(transaction, $"select {use}"),
            ("as it was left", "", "1 t t 1 1"),
            ("of a scan-all", "update execution set vendor_type = 'SCAN_ALL'", "1 t t 1 1"),
            ("of an SBOM", "update execution set vendor_type = 'SBOM'", "1 t t 1 1"),
            ("of no scan", "update execution set vendor_type = 'REPLICATION'", "0 f f 0 0"),
            ("another", "delete from task; update execution set id = 7", "0 f f 0 0"),
            ("its revision", "update execution set revision = 78", "1 f t 1 1"),
            ("its status", "update execution set status = 'Error'", "1 f f 1 1"),
            ("its message", "update execution set status_message = 'another'", "1 f f 1 1"),
            ("its time", "update execution set update_time = '2026-09-21 12:00:01'", "1 f f 1 1"),
            ("its end", "update execution set end_time = '2026-09-21 12:00:01'", "1 f f 1 1"),
            ("without a revision", "update execution set revision = null; " + image, "1 t t 1 1"),
            ("without a status", "update execution set status = null; " + image, "1 t t 1 1"),
            ("without a message", "update execution set status_message = null; " + image, "1 t t 1 1"),
            ("without a time", "update execution set update_time = null; " + image, "1 t t 1 1"),
            ("without an end", "update execution set end_time = null; " + image, "1 t t 1 1"));
        // An empty one is closed while it is Running and empty.
        await rows.RepairAsync(async (transaction, token) => (await ExecutionWrite.CloseEmptyAsync(transaction, 1, "", token))?.After is not null,
            ("with a task", "", false), ("empty", "delete from task", true), ("empty and over", "delete from task; update execution set status = 'Error'", false));
        // The end of a final one is the newest usable end of its tasks.
        foreach (var (end, expected) in new[] { ("'2026-09-21 12:00:00'", "2026-09-21 12:00:00"), ("'1970-01-01'", "1970-01-01 00:00:00"), ("'0001-01-01'", ""), ("'infinity'", ""), ("null", "") })
        {
            await rows.RepairAsync(async (transaction, token) =>
            {
                await ExecutionWrite.RecomputeAsync(transaction, 1, token);
                return await ScalarAsync(transaction, "select concat(end_time) from execution where id = 1");
            }, ("open with " + end, $"update task set end_time = {end}", ""), (end, $"update task set status = 'Error', end_time = {end}; insert into execution (id, vendor_type, trigger) values (7, 'IMAGE_SCAN', 'MANUAL'); insert into task (execution_id, vendor_type, status, status_code, end_time) values (7, 'IMAGE_SCAN', 'Running', 2, '2027-01-01')", expected));
        }
    }

    private static async Task<TestHarbor> RepairedAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        return harbor;
    }

    private static async Task SeedAsync(TestHarbor harbor)
    {
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync();
        await seed.TaskAsync(execution, status: "Running", revision: "77", update: "'2026-09-21 12:00:00'", end: "'2026-09-21 12:00:00'");
        await seed.ExecuteAsync("update execution set revision = 77, status_message = '', update_time = '2026-09-21 12:00:00', end_time = '2026-09-21 12:00:00'");
    }

    private static async Task<string> ScalarAsync(RepairTransaction transaction, string sql)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction.Transaction);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
