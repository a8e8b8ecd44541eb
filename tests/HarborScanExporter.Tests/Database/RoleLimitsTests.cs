using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Database.Grants;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>What the README and the head of the SQL say that a role can do, and what they say that it cannot.</summary>
public sealed class RoleLimitsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_scraping_role_can_hold_up_no_repair()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, task) = await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        await using var reader = await OpenAsync(harbor.Harbor);
        await TryAsync(reader, "set default_transaction_read_only = off");
        foreach (var mode in new[] { "access share", "row share", "row exclusive", "share update exclusive", "share", "share row exclusive", "exclusive", "access exclusive" })
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await TryAsync(reader, $"begin; lock table harbor_scan.repair_lock in {mode} mode"));
        await TryAsync(reader, "rollback");
        // Every advisory lock that it can take is none of ours.
        Assert.Null(await TryAsync(reader, "select pg_advisory_lock(x'6873726570616972'::bigint)"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await TryAsync(reader, $"select 1 from task where id = {task} for key share"));

        var result = await harbor.RunAsync();

        Assert.Equal(1, result.Outcomes.Count(outcome => outcome.State == "done"));
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
    }

    [Fact]
    public async Task What_no_grant_takes_from_a_role_that_may_sign_in_is_what_the_SQL_says()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var reader = await OpenAsync(harbor);
        Assert.Equal("30s on", await ScalarAsync(reader, "select concat_ws(' ', current_setting('statement_timeout'), current_setting('transaction_read_only'))"));
        // Its limits are defaults.
        Assert.Null(await TryAsync(reader, "set statement_timeout = 0; set lock_timeout = 0; set default_transaction_read_only = off"));
        Assert.Equal("0 off", await ScalarAsync(reader, "select concat_ws(' ', current_setting('statement_timeout'), current_setting('transaction_read_only'))"));
        Assert.Null(await TryAsync(reader, "select lo_create(0)"));
        Assert.Null(await TryAsync(reader, "create temporary table mine as select 1"));
        // A migration of Harbor waits for an open transaction.
        Assert.Null(await TryAsync(reader, "begin; select id from task"));
        await using (var owner = await harbor.Database.OpenAsync())
            Assert.Equal(PostgresErrorCodes.LockNotAvailable, await TryAsync(owner, "set lock_timeout = 100; alter table task add column mine int"));
        await TryAsync(reader, "rollback");
        // None of Harbor's tables, and none in Harbor's schema.
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await TryAsync(reader, "create table public.mine (id int)"));
        foreach (var table in WantedGrants.All.Select(grant => grant.Table))
        {
            foreach (var statement in new[] { "insert into {0} default values", "delete from {0}", "truncate {0}" })
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await TryAsync(reader, string.Format(System.Globalization.CultureInfo.InvariantCulture, statement, table)));
        }
        var script = string.Join(' ', RoleScript.Text(RoleScript.ScrapingRole).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Replace(" -- ", " ", StringComparison.Ordinal);
        Assert.Contains("its limits (statement_timeout, lock_timeout, read-only transactions) are defaults that it can set anew; it can keep a transaction open, for which a migration of Harbor waits;"
            + " it can make large objects; and temporary tables and objects in Harbor's schema, where PUBLIC may", script, StringComparison.Ordinal);

        var owned = await harbor.Database.ScalarAsync<string>("select current_user::text");
        await harbor.Database.ExecuteAsync($"grant temporary on database {harbor.Database.Name} to {owned}; revoke temporary on database {harbor.Database.Name} from public");
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await TryAsync(reader, "create temporary table more as select 1"));
    }

    [Fact]
    public async Task Doctor_says_what_everybody_may_do_and_what_to_run_so_that_Harbor_keeps_it()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        Assert.Equal(("ok", "Not everybody may create in the schema public; everybody may make temporary tables, as PostgreSQL allows by default."), (await EverybodyAsync(harbor)).Said);
        var maker = $"{harbor.Role}_maker";
        await harbor.Database.ExecuteAsync($"""
            create role {maker};
            alter table task owner to {maker};
            grant create on schema public to public;
            revoke temporary on database {harbor.Database.Name} from public;
            """);
        try
        {
            var line = await EverybodyAsync(harbor);
            Assert.Equal(("warning", "Everybody who may sign in may create in the schema public, where Harbor's tables stand, also functions that others then call."), line.Said);
            var mend = line.Mend!.Split(": ", 2)[1];
            Assert.Equal($"grant create on schema public to {maker}; revoke create on schema public from public;", mend);
            await harbor.Database.ExecuteAsync(mend);
            Assert.Equal(("ok", "Not everybody may create in the schema public, nor make temporary tables."), (await EverybodyAsync(harbor)).Said);
            Assert.True(await harbor.Database.ScalarAsync<bool>($"select has_schema_privilege('{maker}', 'public', 'create')"));
        }
        finally
        {
            await harbor.Database.ExecuteAsync($"alter table task owner to current_user; drop owned by {maker}; drop role {maker}");
        }
    }

    [Fact]
    public async Task A_role_of_before_reads_the_columns_until_the_SQL_is_run_again_and_doctor_says_so()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: TimeSpan.FromHours(40));
        await seed.TaskAsync(execution, created: TimeSpan.FromHours(40), extraAttributes: """{"artifact_id":1,"report_uuids":["u"]}""");
        await seed.ReportAsync("u", "sha256:a", stored: false);
        await seed.ExecutionAsync("SCAN_ALL", "Success", TimeSpan.FromHours(5), extraAttributes: """{"summary":{"total_count":7}}""");
        var now = await ToldAsync(harbor);
        await harbor.Database.ExecuteAsync($"drop schema harbor_scan cascade; grant select (extra_attrs) on execution, task to {harbor.Role}");

        Assert.Equal(now, await ToldAsync(harbor));
        var line = await LineAsync(harbor, "grant on attributes");
        Assert.Equal(("warning", "The role reads the attributes of every job, and those of garbage collection hold the password of Redis."), line.Said);
        Assert.Equal("Run the SQL of 'harbor-scan-exporter sql' again, as the owner of Harbor's tables.", line.Mend);
        Assert.Equal("The role may do more than it needs: SELECT of execution.extra_attrs, SELECT of task.extra_attrs.", (await LineAsync(harbor, "least privilege")).Reason);

        await harbor.GrantAsync();
        Assert.Equal(now, await ToldAsync(harbor));
        Assert.Equal(("ok", "The role reads the attributes of scans, and of no other job."), (await LineAsync(harbor, "grant on attributes")).Said);
        Assert.Equal("ok", (await LineAsync(harbor, "least privilege")).Result);
        await harbor.Database.ExecuteAsync($"revoke execute on function harbor_scan.task_attributes(bigint[]) from {harbor.Role}");
        Assert.Equal(("failed", "The role may not call harbor_scan.task_attributes."), (await LineAsync(harbor, "grant on attributes", DoctorCommand.SomethingFailed)).Said);
    }

    [Fact]
    public async Task Harbors_own_user_reads_without_any_of_the_SQL()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: TimeSpan.FromHours(40)), created: TimeSpan.FromHours(40));
        var expected = await ToldAsync(harbor);
        await harbor.Database.ExecuteAsync("drop schema harbor_scan cascade");
        var owner = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        Assert.Equal(expected, await ToldAsync(harbor, ("HARBOR_DATABASE_USERNAME", owner.Username!), ("HARBOR_DATABASE_PASSWORD", owner.Password ?? "none")));
    }

    [Fact]
    public async Task An_upgrade_of_Harbors_that_changes_the_type_of_a_column_meets_nothing_of_ours()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.11.0", changes: ("HARBOR_SCAN_REMEDIATION_SWEEP", "on"));
        await harbor.Harbor.GrantReadOnlyViewAsync();
        var (_, task) = await harbor.LoseScanAsync();
        // As Harbor 2.15.3 does with the first of them.
        await harbor.Harbor.Database.ExecuteAsync("""
            alter table task alter column status_revision type bigint, alter column id type bigint, alter column vendor_type type varchar(80), alter column extra_attrs type json using extra_attrs;
            alter table execution alter column id type bigint, alter column revision type bigint, alter column vendor_type type varchar(80), alter column status_message type varchar(4000);
            alter table properties alter column v type varchar(4000);
            alter table scan_report alter column uuid type varchar(80);
            """);
        await harbor.SeeTwiceAsync();
        Assert.Equal("Clean 1", EndOf(await harbor.RunAsync()));
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));

        static string EndOf(RunResult result) => $"{result.End} {result.Outcomes.Count}";
    }

    [Theory]
    [InlineData("harbor_scan.task_attributes(array[{0}]::bigint[])")]
    [InlineData("harbor_scan.execution_attributes(array[{0}]::bigint[])")]
    [InlineData("harbor_scan.report_sharing((select array_agg('u' || i) from unnest(array[{0}]) i), array[{0}]::bigint[])")]
    public async Task The_functions_read_by_index_however_many_rows_there_are(string call)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("""
            insert into execution (vendor_type, vendor_id, status, trigger, extra_attrs, start_time, update_time, revision)
            select 'IMAGE_SCAN', g, 'Success', 'MANUAL', '{"artifact":{"id":1}}', now(), now(), 1 from generate_series(1, 100000) g;
            insert into task (execution_id, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, update_time, vendor_type)
            select g, md5(g::text), 'Success', 3, 1789992000, 1, ('{"report_uuids":["u' || g || '"]}')::json, now(), now(), 'IMAGE_SCAN' from generate_series(1, 100000) g;
            """);
        // What was just written into an index of arrays is searched row by row until then.
        await harbor.Database.ExecuteAsync("vacuum analyze task, execution");
        await using var reader = await OpenAsync(harbor);
        await TryAsync(reader, "set enable_seqscan = off");
        var ids = string.Join(',', Enumerable.Range(1, 50).Select(i => i * 1999));
        var sql = string.Format(System.Globalization.CultureInfo.InvariantCulture, call, ids);
        // The first call reads the catalogue too.
        await ScalarAsync(reader, $"select count(*)::text from {sql}");
        var plan = JsonNode.Parse(await ScalarAsync(reader, $"explain (analyze, buffers, format json) select * from {sql}"))![0]!["Plan"]!;
        var pages = (long)plan["Shared Hit Blocks"]! + (long)plan["Shared Read Blocks"]!;
        Assert.True(await harbor.Database.ScalarAsync<long>("select pg_relation_size('task') / 8192") > 1_500);
        // A descent of an index and a page of the table for each of the fifty.
        Assert.InRange(pages, 50, 400);
    }

    private static async Task<string[]> ToldAsync(TestHarbor harbor, params (string, string)[] changes)
    {
        await using var exporter = await RunningExporter.StartAsync(harbor, [("HARBOR_SCAN_COLLECTORS_ENABLED", "orphan_reports"), .. changes]);
        var scrape = await exporter.ScrapeAsync();
        Assert.True(scrape.Value("harbor_scan_up") == 1, string.Join(' ', exporter.Warnings));
        return
        [
            .. new[] { "harbor_scan_tasks", "harbor_scan_executions", "harbor_scan_stuck_tasks", "harbor_scan_live_tasks", "harbor_scan_inconsistencies", "harbor_scan_blocked_artifacts", "harbor_scan_all_artifacts" }
                .Where(scrape.Families.Contains).SelectMany(family => scrape.NonZero(family).Select(series => family + series)),
        ];
    }

    private static Task<Told> EverybodyAsync(TestHarbor harbor) => LineAsync(harbor, "rights of everybody");

    private static async Task<Told> LineAsync(TestHarbor harbor, string name, int expected = DoctorCommand.NothingFailed)
    {
        var run = await CommandRun.DoctorAsync(harbor.Environment(), DoctorOutput.Json);
        Assert.True(expected == run.Exit, run.All);
        var line = JsonNode.Parse(run.Output)!["checks"]!.AsArray().Single(line => (string?)line!["name"] == name)!;
        return new Told((string)line["result"]!, (string)line["reason"]!, (string?)line["mend"]);
    }

    private static async Task<NpgsqlConnection> OpenAsync(TestHarbor harbor)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString) { Username = harbor.Role, Password = TestHarbor.Password }.ConnectionString);
        await connection.OpenAsync(Token);
        return connection;
    }

    /// <summary>The state of its error; null when it was done.</summary>
    private static async Task<string?> TryAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            await command.ExecuteNonQueryAsync(Token);
            return null;
        }
        catch (PostgresException error)
        {
            if (sql.StartsWith("begin", StringComparison.Ordinal)) await TryAsync(connection, "rollback");
            return error.SqlState;
        }
    }

    private static async Task<string> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync(Token))!;
    }

    private sealed record Told(string Result, string Reason, string? Mend)
    {
        public (string Result, string Reason) Said => (Result, Reason);
    }
}
