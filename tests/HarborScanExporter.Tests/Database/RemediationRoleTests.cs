using HarborScanExporter.Database.Grants;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>What the role of deploy/sql/03-remediation-role.sql can do and what it cannot, tried as that role.</summary>
public sealed class RemediationRoleTests
{
    public static TheoryData<string> Releases => [.. HarborRelease.Supported.Select(release => release.Name)];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task The_role_can_do_what_a_repair_does_and_nothing_else_under_every_release(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await harbor.GrantRemediationAsync();
        await using var repairer = await OpenAsync(harbor, harbor.RepairRole);
        foreach (var grant in WantedGrants.Repairing)
        {
            var columns = await ColumnsAsync(harbor, "public", grant.Table);
            if (columns.Length == 0) continue;
            var readable = grant.Readable.Intersect(columns).ToArray();
            await DoAsync(repairer, $"select {string.Join(", ", readable)} from {grant.Table}");
            foreach (var column in columns.Except(readable)) await IsDeniedAsync(repairer, $"select {column} from {grant.Table}");
            // Nor can it lock a row: that takes UPDATE of a column.
            await IsDeniedAsync(repairer, $"select 1 from {grant.Table} for update");
            foreach (var column in columns) await IsDeniedAsync(repairer, $"update {grant.Table} set {column} = null where {readable[0]} is null");
            await IsDeniedAsync(repairer, $"delete from {grant.Table}");
            await IsDeniedAsync(repairer, $"insert into {grant.Table} default values");
            await IsDeniedAsync(repairer, $"truncate {grant.Table}");
        }
        foreach (var name in WantedGrants.RepairingFunctions) Assert.True(await MayCallAsync(repairer, name), name);
        foreach (var name in WantedGrants.SweepingFunctions) Assert.False(await MayCallAsync(repairer, name), name);
        await IsDeniedAsync(repairer, "select v from properties");
        await IsDeniedAsync(repairer, "create table harbor_scan.mine (id int)");
    }

    [Fact]
    public async Task The_role_writes_lines_of_the_audit_and_can_neither_remove_one_nor_change_who_did_what()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        await using var repairer = await OpenAsync(harbor, harbor.RepairRole);
        await DoAsync(repairer, "select read_only from harbor_scan.read_only");
        const string line = "insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, undo_of) values ('run', 'api', 'somebody', 'finish_task', 'done', 'lost', '[]', 7, ";
        await DoAsync(repairer, $"{line}null)");
        // What an undo refers to is looked up with the owner's rights.
        await DoAsync(repairer, $"{line}1)");
        await DoAsync(repairer, "update harbor_scan.repair set state = 'undone', verification = 'held', checks = 2 where id = 1");
        var fixedColumns = (await ColumnsAsync(harbor, "harbor_scan", "repair")).Except(WantedGrants.Audit.Writable).ToArray();
        Assert.Contains("actor", fixedColumns);
        foreach (var column in fixedColumns) await IsDeniedAsync(repairer, $"update harbor_scan.repair set {column} = {(column == "id" ? "default" : "null")}");
        await IsDeniedAsync(repairer, "delete from harbor_scan.repair");
        await IsDeniedAsync(repairer, "truncate harbor_scan.repair");
        Assert.Equal("undone 1", await harbor.Database.ScalarAsync<string>(
            "select concat_ws(' ', (select state from harbor_scan.repair where id = 1), (select undo_of from harbor_scan.repair where id = 2))"));
    }

    [Fact]
    public async Task The_columns_of_the_audit_that_the_script_names_are_those_of_the_table()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        var columns = await ColumnsAsync(harbor, "harbor_scan", "repair");
        Assert.Equal(columns, WantedGrants.Audit.Readable);
        Assert.Empty(WantedGrants.Audit.Writable.Except(columns));
        Assert.Contains("verification", WantedGrants.Audit.Writable);
    }

    [Fact]
    public async Task The_scraping_role_reads_the_audit_and_still_writes_nothing()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync(sweep: true);
        await using var scraper = await OpenAsync(harbor, harbor.Role);
        // Its sessions are read-only by default, which it could undo: the grants are what holds.
        await DoAsync(scraper, "set default_transaction_read_only = off");
        await DoAsync(scraper, $"select {string.Join(", ", WantedGrants.Audit.Readable)} from harbor_scan.repair");
        await DoAsync(scraper, "select read_only from harbor_scan.read_only");
        foreach (var statement in new[]
        {
            "insert into harbor_scan.repair (run) values ('x')", "update harbor_scan.repair set state = 'done'", "delete from harbor_scan.repair",
            "update task set status = 'Error'", "update execution set status = 'Error'", "delete from task", "delete from execution",
            "update schema_migrations set dirty = true", "create table harbor_scan.mine (id int)",
        })
        {
            await IsDeniedAsync(scraper, statement);
        }
    }

    [Fact]
    public async Task The_scripts_can_be_run_again_and_keep_the_audit_the_grants_and_the_password()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync(sweep: true);
        await using (var repairer = await OpenAsync(harbor, harbor.RepairRole))
            await DoAsync(repairer, "insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence) values ('run', 'api', 'somebody', 'sweep', 'done', 'lost', '[]')");
        foreach (var script in RoleScript.Names)
        {
            await harbor.Database.ExecuteAsync(RoleScript.Filled(script, new Dictionary<string, string>
            {
                ["role"] = harbor.Role, ["password"] = "", ["remediation_role"] = harbor.RepairRole, ["remediation_password"] = "", ["database"] = harbor.Database.Name,
            }));
        }
        Assert.Equal(1, await harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
        await using var again = await OpenAsync(harbor, harbor.RepairRole);
        await DoAsync(again, "update harbor_scan.repair set state = 'undone'");
        Assert.True(await harbor.Database.ScalarAsync<bool>(
            $"select rolpassword is not null from pg_authid where rolname = '{harbor.RepairRole}'"));
    }

    [Theory]
    [InlineData("2.2.0")]
    [InlineData("2.16.0")]
    public async Task The_sweep_has_a_grant_of_its_own_which_also_lets_it_put_rows_back(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await harbor.GrantRemediationAsync(sweep: true);
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync();
        var task = await seed.TaskAsync(execution);
        // All columns, as the rows are put back as they were.
        var (executionRow, taskRow) = await RowsAsync();
        await using var repairer = await OpenAsync(harbor, harbor.RepairRole);
        await IsDeniedAsync(repairer, $"delete from task where id = {task}");
        await DoAsync(repairer, $"select harbor_scan.remove_execution({execution})");
        Assert.Equal(0, await harbor.Database.ScalarAsync<long>("select (select count(*) from task) + (select count(*) from execution)"));
        await IsDeniedAsync(repairer, $"insert into execution select * from json_populate_record(null::execution, {Literal(executionRow)})");
        await DoAsync(repairer, $$"""select harbor_scan.put_back({{Literal($$"""{"tasks": [{{TextOfAttributes(taskRow)}}], "execution": {{TextOfAttributes(executionRow)}}}""")}})""");
        Assert.Equal((executionRow, taskRow), await RowsAsync());
        await IsDeniedAsync(repairer, "delete from artifact");
        await IsDeniedAsync(repairer, "truncate task");
        await IsDeniedAsync(repairer, "delete from harbor_scan.repair");

        async Task<(string Execution, string Task)> RowsAsync() => (
            await harbor.Database.ScalarAsync<string>("select row_to_json(e)::text from execution e"),
            await harbor.Database.ScalarAsync<string>("select row_to_json(t)::text from task t"));

        // An image holds the attributes as a text.
        static string TextOfAttributes(string row)
        {
            var image = System.Text.Json.Nodes.JsonNode.Parse(row)!;
            image["extra_attrs"] = image["extra_attrs"]!.ToJsonString();
            return image.ToJsonString();
        }

        static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    [Fact]
    public async Task A_repairing_role_signs_in_and_its_sessions_are_bounded()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        await using var repairer = await OpenAsync(harbor, harbor.RepairRole);
        await using var command = new NpgsqlCommand(
            "select concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_read_only'))", repairer);
        Assert.Equal("30s 500ms 1min off", await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.Equal("7 false false false false", await harbor.Database.ScalarAsync<string>(
            $"select concat_ws(' ', rolconnlimit, rolsuper::text, rolcreatedb::text, rolcreaterole::text, rolinherit::text) from pg_roles where rolname = '{harbor.RepairRole}'"));
    }

    private static async Task<NpgsqlConnection> OpenAsync(TestHarbor harbor, string role)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString) { Username = role, Password = TestHarbor.Password }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task DoAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            await command.ExecuteNonQueryAsync();
        }
        catch (PostgresException error)
        {
            Assert.Fail($"{sql}: {error.MessageText}");
        }
    }

    private static async Task IsDeniedAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        var error = await Record.ExceptionAsync(() => command.ExecuteNonQueryAsync());
        Assert.True(error is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege }, $"{sql}: {error?.Message ?? "was done"}");
    }

    private static async Task<bool> MayCallAsync(NpgsqlConnection connection, string name)
    {
        await using var command = new NpgsqlCommand(
            $"select coalesce(bool_and(has_function_privilege(oid, 'execute')), false) from pg_proc where proname = '{name}' and pronamespace = 'harbor_scan'::regnamespace", connection);
        return await command.ExecuteScalarAsync() is true;
    }

    private static async Task<string[]> ColumnsAsync(TestHarbor harbor, string schema, string table) => await harbor.Database.ScalarAsync<string[]>($"""
        select coalesce(array_agg(attname::text order by attnum), array[]::text[])
        from pg_attribute
        where attrelid = to_regclass('{schema}.{table}') and attnum > 0 and not attisdropped
        """);
}
