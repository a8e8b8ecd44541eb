using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Database.Grants;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>Harbor's tables need not stand in public.</summary>
public sealed class OtherSchemaTests
{
    [Theory]
    [InlineData("harbor", true)]
    [InlineData("harbor", false)]
    [InlineData("\"Harbor's own\"", false)]
    public async Task Tables_in_another_schema_are_found_granted_read_and_repaired_whatever_search_path_the_roles_have(string schema, bool isInPath)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (_, task) = await harbor.LoseScanAsync();
        await harbor.Seed.ExecuteAsync($"alter role {harbor.Harbor.Role} set search_path = elsewhere; alter role {harbor.Harbor.RepairRole} set search_path = elsewhere");
        await MoveAsync(harbor.Harbor, schema);
        // The tests' own statements name no schema.
        await harbor.Harbor.Database.ExecuteAsync(isInPath
            ? $"alter database {harbor.Harbor.Database.Name} set search_path = {schema}, public"
            : $"alter role current_user in database {harbor.Harbor.Database.Name} set search_path = {schema}, public");
        var moved = await DoctorAsync(harbor.Harbor, DoctorCommand.SomethingFailed);
        Assert.Equal($"The role may not use the schema {schema.Trim('"')}.", moved["grant on schema"].Reason);
        Assert.Equal($"The functions of harbor_scan are not those of the schema {schema.Trim('"')}.", moved["grant on attributes"].Reason);

        await harbor.Harbor.GrantAsync();
        await harbor.Harbor.GrantRemediationAsync(sweep: true);

        var lines = await DoctorAsync(harbor.Harbor, DoctorCommand.NothingFailed);
        Assert.Equal(("ok", $"Harbor's tables stand in the schema {schema.Trim('"')}."), (lines["tables"].Result, lines["tables"].Reason));
        Assert.Equal(("ok", "The role may read its 13 columns."), (lines["grant on task"].Result, lines["grant on task"].Reason));
        await using (var exporter = await RunningExporter.StartAsync(harbor.Harbor))
        {
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal((1, 1), (scrape.Value("harbor_scan_up"), scrape.Sum("harbor_scan_tasks", ("status", "Pending"))));
        }
        await harbor.SeeTwiceAsync();
        var result = await harbor.RunAsync();
        Assert.Equal((RunEnd.Clean, 1), (result.End, result.Outcomes.Count));
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        var undone = await new Undoing(new RepairDatabase(harbor.Settings.Database, harbor.Settings.Remediation), harbor.Settings, NullLogger<Undoing>.Instance)
            .UndoAsync(1, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken);
        Assert.True(undone.Done, undone.Problem);
        await harbor.Harbor.Database.ExecuteAsync($"alter role current_user in database {harbor.Harbor.Database.Name} reset search_path");
    }

    [Fact]
    public async Task Of_several_schemas_the_first_in_the_databases_search_path_is_Harbors_and_without_one_nothing_is_guessed()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await new Seed(harbor).TaskAsync(await new Seed(harbor).ExecutionAsync());
        // A copy beside public is not taken for it.
        await CopyAsync(harbor, "copy");
        Assert.Equal("public", (await TablesAsync(harbor)).Schema);
        await harbor.GrantAsync();

        await MoveAsync(harbor, "harbor");
        const string several = "Harbor's tables stand in several schemas of the database: copy, harbor. Say which are Harbor's: alter database … set search_path = <schema>, public.";
        Assert.Equal(several, (await Assert.ThrowsAsync<UnreadableSchemaException>(() => TablesAsync(harbor))).Message);
        await using (var exporter = await RunningExporter.StartAsync(harbor))
        {
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal((0, 1), (scrape.Value("harbor_scan_up"), scrape.Value("harbor_scan_collection_failures_total", ("reason", "schema"))));
        }
        Assert.Contains($"(schema): {several}", (await DoctorAsync(harbor, DoctorCommand.SomethingFailed))["database"].Reason, StringComparison.Ordinal);
        foreach (var script in RoleScript.Names)
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() => harbor.Database.ExecuteAsync(Filled(harbor, script)));
            Assert.Equal($"Harbor's tables stand in several schemas of the database {harbor.Database.Name}: copy, harbor.", error.MessageText);
            Assert.Equal($"Say which is Harbor's: alter database {harbor.Database.Name} set search_path = copy, public;", error.Hint);
        }

        await harbor.Database.ExecuteAsync($"alter database {harbor.Database.Name} set search_path = \"$user\", harbor, public");
        await harbor.GrantAsync();
        Assert.Equal(new HarborTables("harbor", true, true), await TablesAsync(harbor));
    }

    [Fact]
    public async Task A_database_without_Harbors_tables_is_told_and_nothing_is_granted()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("drop table task cascade");
        var lines = await DoctorAsync(harbor, DoctorCommand.SomethingFailed);
        Assert.Equal(("failed", "No schema of the database holds schema_migrations, execution and task."), (lines["tables"].Result, lines["tables"].Reason));
        var error = await Assert.ThrowsAsync<PostgresException>(() => harbor.Database.ExecuteAsync(Filled(harbor, RoleScript.ScrapingRole)));
        Assert.Equal("Connect to the database of Harbor, after its first start.", error.Hint);
    }

    [Fact]
    public async Task Temporary_tables_of_the_same_names_are_not_read()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var database = new HarborDatabase(HarborScanExporter.Settings.SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!.Database, TimeSpan.FromSeconds(10), connections: 1);
        var token = TestContext.Current.CancellationToken;
        await using (var first = await database.BeginAsync(TimeSpan.FromSeconds(10), token))
        {
            await first.Transaction.RollbackAsync(token);
            await using var hide = new NpgsqlCommand(
                "begin read write; create temporary table schema_migrations (version bigint, dirty boolean); create temporary table task (id bigint); create temporary table execution (id bigint); commit",
                first.Connection);
            await hide.ExecuteNonQueryAsync(token);
        }
        await using var second = await database.BeginAsync(TimeSpan.FromSeconds(10), token);
        Assert.Equal("public", second.Tables.Schema);
        Assert.Equal(140, (await SchemaProbe.ReadAsync(second, token)).SchemaVersion);
    }

    private static async Task<HarborTables> TablesAsync(TestHarbor harbor)
    {
        await using var database = new HarborDatabase(HarborScanExporter.Settings.SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!.Database, TimeSpan.FromSeconds(10));
        await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        return snapshot.Tables;
    }

    private static Task MoveAsync(TestHarbor harbor, string schema) => harbor.Database.ExecuteAsync($"""
        create schema {schema};
        do $do$
        declare name text;
        begin
            for name in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
                execute format('alter table public.%I set schema {schema.Replace("'", "''", StringComparison.Ordinal)}', name);
            end loop;
        end
        $do$;
        """);

    private static Task CopyAsync(TestHarbor harbor, string schema) => harbor.Database.ExecuteAsync($"""
        create schema {schema};
        create table {schema}.schema_migrations (like public.schema_migrations);
        create table {schema}.execution (like public.execution);
        create table {schema}.task (like public.task);
        """);

    private static async Task<Dictionary<string, (string Result, string Reason)>> DoctorAsync(TestHarbor harbor, int expected)
    {
        var run = await CommandRun.DoctorAsync(harbor.Environment(), DoctorOutput.Json);
        Assert.True(expected == run.Exit, run.All);
        return JsonNode.Parse(run.Output)!["checks"]!.AsArray().ToDictionary(line => (string)line!["name"]!, line => ((string)line!["result"]!, (string)line["reason"]!));
    }

    private static string Filled(TestHarbor harbor, string script) => RoleScript.Filled(script, new Dictionary<string, string>
    {
        ["role"] = harbor.Role, ["remediation_role"] = "somebody", ["password"] = "", ["remediation_password"] = "", ["database"] = harbor.Database.Name,
    });
}
