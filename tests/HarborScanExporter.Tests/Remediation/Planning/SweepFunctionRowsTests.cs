using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Verification;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>What a search for old executions reads, and what the functions that remove one and put it back touch: each row is decided by one clause alone.</summary>
public sealed class SweepFunctionRowsTests
{
    private const double Started = 1_789_992_000;

    [Fact]
    public async Task What_is_locked_and_removed_is_the_execution_as_it_was_found_and_its_own_tasks()
    {
        await using var harbor = await SweptAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        (string, string)[] types = [("a scan-all", "SCAN_ALL"), ("an SBOM", "SBOM"), ("a scan", "IMAGE_SCAN")];
        const string lockTasks = "select coalesce(string_agg(id::text, ' '), '') from harbor_scan.lock_old_tasks(1, 10)";
        await rows.RepairAsync((transaction, _) => ScalarAsync(transaction, lockTasks),
        [
            ("both", "", "1 2"), ("one of another execution", "update task set execution_id = 2 where id = 2", "1"), ("no scan", "update task set vendor_type = 'REPLICATION' where id = 2", "1"),
            .. types.Select(type => (type.Item1, $"update task set vendor_type = '{type.Item2}'", "1 2")),
        ]);
        await rows.RepairAsync((transaction, _) => ScalarAsync(transaction, lockTasks.Replace("10", "1", StringComparison.Ordinal)), ("the oldest", "", "1"));

        const string lockExecution = "select (harbor_scan.lock_old_execution(1, '{0}', 'Success', 5, 1789992000) is not null)::text";
        await rows.RepairAsync((transaction, _) => ScalarAsync(transaction, lockExecution.Replace("{0}", "IMAGE_SCAN", StringComparison.Ordinal)),
            ("as found", "", "true"),
            ("another", "delete from task; delete from execution where id = 1", "false"),
            ("its type", Change("vendor_type = 'SBOM'"), "false"),
            ("its status", Change("status = 'Error'"), "false"),
            ("its revision", Change("revision = 6"), "false"),
            ("its start", Change("start_time = start_time + interval '1 second'"), "false"));
        foreach (var (name, type) in types.Append(("no scan", "REPLICATION")))
        {
            await rows.RepairAsync((transaction, _) => ScalarAsync(transaction, lockExecution.Replace("{0}", type, StringComparison.Ordinal)),
                (name, Change($"vendor_type = '{type}'"), type == "REPLICATION" ? "false" : "true"));
        }
        await rows.RepairAsync((transaction, _) => ScalarAsync(transaction, "select (harbor_scan.lock_old_execution(1, 'IMAGE_SCAN', 'Success', 0, 1789992000) is not null)::text"),
            ("without a revision", Change("revision = null"), "true"));

        await rows.RepairAsync(async (transaction, _) =>
        {
            await ScalarAsync(transaction, "select coalesce(harbor_scan.remove_execution(1), 0)::text");
            return await ScalarAsync(transaction, "select concat_ws(' ', (select string_agg(id::text, ',' order by id) from execution), '|', (select string_agg(id::text, ',' order by id) from task))");
        },
        [
            ("it and its tasks", "", "2 | 3"),
            ("of no scan", "update execution set vendor_type = 'REPLICATION'; update task set vendor_type = 'REPLICATION'", "1,2 | 1,2,3"),
            .. types.Select(type => (type.Item1, $"update execution set vendor_type = '{type.Item2}'; update task set vendor_type = '{type.Item2}'", "2 | 3")),
        ]);
    }

    [Fact]
    public async Task What_is_put_back_is_an_execution_of_scans_and_its_own_tasks()
    {
        await using var harbor = await SweptAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        static string Image(string execution, string task, int of = 7) => $$"""
            {"execution": {"id": 7, "vendor_type": "{{execution}}", "trigger": "MANUAL"}, "tasks": [{"id": 9, "execution_id": {{of}}, "vendor_type": "{{task}}", "status": "Success", "status_code": 3}]}
            """;
        foreach (var (name, image, expected) in new[]
        {
            ("a scan", Image("IMAGE_SCAN", "IMAGE_SCAN"), "1,2,7 | 1,2,3,9"), ("a scan-all", Image("SCAN_ALL", "SCAN_ALL"), "1,2,7 | 1,2,3,9"), ("an SBOM", Image("SBOM", "SBOM"), "1,2,7 | 1,2,3,9"),
            ("no scan", Image("REPLICATION", "REPLICATION"), "1,2 | 1,2,3"), ("a task of no scan", Image("IMAGE_SCAN", "REPLICATION"), "1,2,7 | 1,2,3"),
            ("a task of another execution", Image("IMAGE_SCAN", "IMAGE_SCAN", of: 2), "1,2,7 | 1,2,3"),
        })
        {
            await rows.RepairAsync(async (transaction, _) =>
            {
                await ScalarAsync(transaction, $"select harbor_scan.put_back('{image}')::text");
                return await ScalarAsync(transaction, "select concat_ws(' ', (select string_agg(id::text, ',' order by id) from execution), '|', (select string_agg(id::text, ',' order by id) from task))");
            }, (name, "", expected));
        }
    }

    [Fact]
    public async Task A_removal_needs_the_newer_execution_still_to_be_one()
    {
        await using var harbor = await SweptAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        var candidate = new SweepCandidate(1, "IMAGE_SCAN", "Success", Started, 5, 2, 1, 2);
        await rows.RepairAsync(async (transaction, token) => (await SweepWriting.RemoveAsync(transaction, candidate, token)).Failure ?? "removed",
            ("as found", "", "removed"),
            ("the newer gone", "delete from task where id = 3; delete from execution where id = 2", "lost_race"),
            ("the newer of another type", "update execution set vendor_type = 'SBOM' where id = 2", "lost_race"),
            ("the newer no newer", "update execution set start_time = (select start_time from execution where id = 1) where id = 2", "lost_race"),
            ("gone", "delete from task where execution_id = 1; delete from execution where id = 1", "lost_race"),
            ("its type", Change("vendor_type = 'SBOM'"), "lost_race"),
            ("its status", Change("status = 'Error'"), "lost_race"),
            ("its start", Change("start_time = start_time - interval '1 second'"), "lost_race"),
            ("its revision", Change("revision = 6"), "lost_race"),
            ("a task that joined it", "insert into task (execution_id, vendor_type, status, status_code, extra_attrs) values (1, 'IMAGE_SCAN', 'Running', 2, '{}')", "lost_race"),
            ("a task of no scan in it", "update task set vendor_type = 'REPLICATION' where id = 2", "locked"));
    }

    [Fact]
    public async Task Pages_of_executions_and_what_their_tasks_say()
    {
        await using var harbor = await SweptAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        foreach (var guarded in new[] { true, false })
        {
            // Without the functions, as for Harbor's own user, the columns themselves are read.
            if (!guarded) await harbor.Database.ExecuteAsync($"revoke execute on all functions in schema harbor_scan from {harbor.Role}; grant select on task, execution to {harbor.Role}");
            await rows.ReadAsync(async (snapshot, token) => Page(await SweepLookup.PageAsync(snapshot, 3, ["IMAGE_SCAN", "SBOM"], 10, token)),
                ("the newest first", "", "2:{\"n\":2} 1:{\"n\":1}"),
                ("an SBOM", Change("vendor_type = 'SBOM'"), "2:{\"n\":2} 1:{\"n\":1}"),
                ("of another type", Change("vendor_type = 'SCAN_ALL'"), "2:{\"n\":2}"),
                ("of no scan", Change("vendor_type = 'REPLICATION'"), "2:{\"n\":2}"));
            await rows.ReadAsync(async (snapshot, token) => Page(await SweepLookup.PageAsync(snapshot, 2, ["IMAGE_SCAN"], 10, token)), ("below an id", "", "1:{\"n\":1}"));
            await rows.ReadAsync(async (snapshot, token) => Page(await SweepLookup.PageAsync(snapshot, 3, ["IMAGE_SCAN"], 1, token)), ("so many", "", "2:{\"n\":2}"));
            await rows.ReadAsync(async (snapshot, token) => Page(await SweepLookup.PageAsync(snapshot, 3, ["SCAN_ALL"], 10, token)), ("a scan-all names no artifact", Change("vendor_type = 'SCAN_ALL'"), "1:"));
        }
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await SweepLookup.ByIdAsync(snapshot, [1], token)).Values.Select(one => $"{one.Id}:{one.Changed - Started}")),
            ("changed at its end", Change("end_time = start_time + interval '9 seconds', update_time = start_time + interval '5 seconds'"), "1:9"),
            ("changed since", Change("end_time = start_time + interval '5 seconds', update_time = start_time + interval '9 seconds'"), "1:9"),
            ("started since", Change("end_time = start_time - interval '9 seconds', update_time = start_time - interval '5 seconds'"), "1:0"));
        static string Second(string change) => $"update task set {change} where id = 2";
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await SweepLookup.TasksAsync(snapshot, [1], token)).Values.Select(one => $"{one.ExecutionId}:{one.Tasks}:{one.OverTasks}:{one.Changed - Started}")),
            ("both over", "", "1:2:2:0"),
            ("Error", Second("status = 'Error'"), "1:2:2:0"),
            ("Stopped", Second("status = 'Stopped'"), "1:2:2:0"),
            ("another word", Second("status = 'Strange'"), "1:2:1:0"),
            ("Running by its word alone", Second("status = 'Running'"), "1:2:1:0"),
            ("a low code", Second("status_code = 2"), "1:2:1:0"),
            ("a code beyond", Second("status_code = 4"), "1:2:1:0"),
            ("one made since", Second("creation_time = creation_time + interval '9 seconds'"), "1:2:2:9"),
            ("one changed since", Second("update_time = creation_time + interval '9 seconds'"), "1:2:2:9"),
            ("one ended since", Second("end_time = creation_time + interval '9 seconds'"), "1:2:2:9"),
            ("of another execution", Second("execution_id = 2"), "1:1:1:0"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await SweepLookup.AttributesAsync(snapshot, [1], token))[1].Select(one => one.Task).Order()), ("their attributes", "", "1 2"));
        const string sweeps = "update execution set vendor_type = 'EXECUTION_SWEEP', status = case id when 2 then 'Error' else 'Success' end;";
        await rows.ReadAsync((snapshot, token) => SweepLookup.NewestSweepFailedAsync(snapshot, token),
            ("the newest failed", sweeps, true),
            ("the older failed", sweeps + "update execution set status = case id when 1 then 'Error' else 'Success' end", false),
            ("another job failed", sweeps + "update execution set vendor_type = 'REPLICATION' where id = 2", false),
            ("none", "", false));

        static string Page(IEnumerable<SweepLookup.PageRow> rows) => string.Join(' ', rows.Select(one => $"{one.Id}:{one.ExtraAttributes}"));
    }

    [Fact]
    public async Task Rows_and_reports_that_a_repair_asks_for_again()
    {
        await using var harbor = await SweptAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            await SeedAsync(harbor);
            foreach (var uuid in new[] { "u", "v" }) await seed.ReportAsync(uuid, $"sha256:{uuid}", stored: true);
            await seed.ExecuteAsync("truncate sbom_report; insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type, report) values ('s', 1, 'r', 'm', 'm', '{}'), ('t', 2, 'r', 'm', 'm', '{}')");
            await seed.RobotAsync(TimeSpan.FromHours(1));
        });
        await rows.RepairAsync(async (transaction, token) => string.Join(' ', (await RowsNow.TasksAsync(transaction, [1, 3, 7], token)).Values.OrderBy(one => one.Id).Select(one => $"{one.Id}:{one.ExtraAttributes}")), ("tasks", "", "1:{\"n\":1,\"report_uuids\":[\"gone\"]} 3:{\"n\":3,\"report_uuids\":[\"gone\"]}"));
        await rows.RepairAsync(async (transaction, token) => string.Join(' ', (await RowsNow.ExecutionsAsync(transaction, [1], token)).Select(one => $"{one.Key}:{one.Value.Status}:{one.Value.Tasks}")),
            ("an execution", "", "1:Success:Success"), ("a task of it open", "update task set status = 'Running' where id = 2", "1:Success:Running"), ("a task of another open", "update task set status = 'Running' where id = 3", "1:Success:Success"),
            ("without a status", Change("status = null"), "1::Success"));
        await rows.RepairAsync((transaction, token) => TaskRow.RobotExistsAsync(transaction, 1, token), ("a robot", "", true), ("another", "update robot set id = 7", false));
        await rows.RepairAsync(async (transaction, token) => string.Join(' ', (await ReportRows.ExistingAsync(transaction, ["u", "s", "w"], token)).Order()), ("reports", "", "s u"));
        await rows.RepairAsync(async (transaction, token) => string.Join(' ', (await ReportRows.StoredAsync(transaction, ["u", "s", "w"], token)).Keys.Order()),
            ("stored", "", "s u"), ("a vulnerability report without a result", "update scan_report set report = null", "s"), ("an SBOM without a result", "update sbom_report set report = null", "u"));
    }

    private static string Change(string change) => $"update execution set {change} where id = 1";

    /// <summary>An old execution with two tasks, and a newer one with one.</summary>
    private static async Task SeedAsync(TestHarbor harbor)
    {
        var seed = new Seed(harbor);
        foreach (var id in new[] { 1, 2 }) await seed.ExecutionAsync(status: "Success", extraAttributes: $"{{\"n\":{id}}}");
        foreach (var execution in new[] { 1, 1, 2 }) await seed.TaskAsync(execution, status: "Success");
        await seed.ExecuteAsync("""
            update execution set revision = 5, update_time = null, start_time = case id when 1 then '2026-09-21 12:00:00' else '2026-09-21 12:00:01' end::timestamp;
            update task set creation_time = '2026-09-21 12:00:00', update_time = null, extra_attrs = format('{"n":%s,"report_uuids":["gone"]}', id)::json;
            """);
    }

    private static async Task<TestHarbor> SweptAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync(sweep: true);
        return harbor;
    }

    private static async Task<string> ScalarAsync(RepairTransaction transaction, string sql)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction.Transaction);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
