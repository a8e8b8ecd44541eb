using HarborScanExporter.Database.Session;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>Whatever a role, a database or a server was set up with: a session's answers are the same.</summary>
public sealed class SessionSettingsTests
{
    private static readonly (string Name, string Ruined, string Pinned)[] Settings =
    [
        ("search_path", "nowhere", "pg_catalog, public, pg_temp"),
        ("timezone", "'Asia/Kolkata'", "UTC"),
        ("datestyle", "'SQL, DMY'", "ISO, MDY"),
        ("intervalstyle", "iso_8601", "postgres"),
        ("extra_float_digits", "-6", "1"),
        ("standard_conforming_strings", "off", "on"),
        ("bytea_output", "escape", "hex"),
        ("client_encoding", "'SQL_ASCII'", "UTF8"),
        ("transform_null_equals", "on", "off"),
        ("array_nulls", "off", "on"),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_transaction_of_both_roles_has_the_settings_of_its_own(bool bouncer)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        await RuinAsync(harbor);
        await using var between = bouncer ? await PgBouncer.StartAsync(harbor) : null;
        var settings = SettingsOf(harbor, between);
        await using var reading = new HarborDatabase(settings.Database, TimeSpan.FromSeconds(10));
        await using var snapshot = await reading.BeginAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken, Access.ByKey);
        Assert.Equal(new HarborTables("public", true, true), snapshot.Tables);
        Assert.Equal(Pinned(), await CurrentAsync(snapshot.Connection, snapshot.Transaction));
        await using var repairing = new RepairDatabase(settings.Database, settings.Remediation);
        await using var transaction = await repairing.BeginAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Pinned(), await CurrentAsync(transaction.Connection, transaction.Transaction));
        Assert.True(await transaction.TryLockRunAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false, "0")]
    [InlineData(false, "1h")]
    [InlineData(true, "0")]
    [InlineData(true, "1h")]
    public async Task A_scrape_by_a_ruined_role_says_the_same(bool bouncer, string interval)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        var seed = new Seed(harbor);
        for (var i = 1; i <= 4; i++)
        {
            var execution = await seed.ExecutionAsync(started: TimeSpan.FromHours(30 + i));
            await seed.TaskAsync(execution, created: TimeSpan.FromHours(30 + i), jobId: $"{i:x24}");
        }
        await seed.ExecutionAsync("SCAN_ALL", "Success", TimeSpan.FromHours(5), extraAttributes: """{"summary":{"total_count":7,"submit_count":5,"conflict_count":2}}""");
        await seed.TaskAsync(await seed.ExecutionAsync("GARBAGE_COLLECTION"), "GARBAGE_COLLECTION", "Running", jobId: "1");
        var before = await CountsAsync(harbor, null, interval);
        Assert.Contains("harbor_scan_stuck_tasks{status=\"Pending\",type=\"IMAGE_SCAN\",verdict=\"lost\"} 4", before);
        Assert.Contains("harbor_scan_all_artifacts{result=\"submitted\"} 5", before);

        await RuinAsync(harbor);
        await using var between = bouncer ? await PgBouncer.StartAsync(harbor) : null;

        Assert.Equal(before, await CountsAsync(harbor, between, interval));
    }

    [Fact]
    public async Task A_ruined_role_repairs_and_takes_back_to_the_byte()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await RuinAsync(harbor.Harbor);
        var (execution, task) = await harbor.LoseScanAsync();
        await harbor.Seed.ExecuteAsync($"update task set start_time = '0001-01-01', update_time = update_time + interval '0.123456 seconds' where id = {task}");
        await harbor.SeeTwiceAsync();
        var (taskRow, executionRow) = await RowsAsync();

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Clean, 1), (result.End, result.Outcomes.Count));
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        var undone = await new Undoing(new RepairDatabase(harbor.Settings.Database, harbor.Settings.Remediation), harbor.Settings, NullLogger<Undoing>.Instance)
            .UndoAsync(1, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken);
        Assert.True(undone.Done, undone.Problem);
        Assert.Equal((taskRow, executionRow), await RowsAsync());

        async Task<(string, string)> RowsAsync() => (
            await harbor.Harbor.Database.ScalarAsync<string>($"select t::text from task t where id = {task}"),
            await harbor.Harbor.Database.ScalarAsync<string>($"select (to_jsonb(e) - 'revision')::text from execution e where id = {execution}"));
    }

    private static string Pinned() => string.Join('\n', Settings.Select(setting => $"{setting.Name} {setting.Pinned}"));

    private static async Task<string> CurrentAsync(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        await using var command = new NpgsqlCommand(
            $"select concat_ws(E'\n', {string.Join(", ", Settings.Select(setting => $"'{setting.Name} ' || current_setting('{setting.Name}')"))})", connection, transaction);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private static Task RuinAsync(TestHarbor harbor) => harbor.Database.ExecuteAsync(string.Concat(
        from role in new[] { harbor.Role, harbor.RepairRole } from setting in Settings select $"alter role {role} set {setting.Name} = {setting.Ruined};"));

    private static ExporterSettings SettingsOf(TestHarbor harbor, PgBouncer? between)
    {
        (string, string)[] way = between is null ? [] : [(Setting.Names.DatabasePort, $"{between.Port}")];
        return SettingsReader.Read(harbor.RemediationEnvironment([("HARBOR_REDIS_URL", "redis://127.0.0.1:1/1"), .. way]), new Dictionary<string, string>()).Settings!;
    }

    /// <summary>What a scrape counts, without ages and times, which go on between two.</summary>
    private static async Task<string[]> CountsAsync(TestHarbor harbor, PgBouncer? between, string interval)
    {
        (string, string)[] way = between is null ? [] : [(Setting.Names.DatabasePort, $"{between.Port}")];
        await using var exporter = await RunningExporter.StartAsync(harbor, [(Setting.Names.ReconciliationInterval, interval), .. way]);
        MetricsDocument scrape = null!;
        await Eventually.HoldsAsync(async () =>
        {
            scrape = await exporter.ScrapeAsync();
            return scrape.Value("harbor_scan_up") == 1;
        }, TimeSpan.FromSeconds(30), () => $"The scrape failed: {string.Join(' ', exporter.Warnings)}");
        return
        [
            .. scrape.Families
                .Where(family => family is "harbor_scan_tasks" or "harbor_scan_executions" or "harbor_scan_stuck_tasks" or "harbor_scan_live_tasks" or "harbor_scan_inconsistencies"
                    or "harbor_scan_blocked_artifacts" or "harbor_scan_all_artifacts" or "harbor_scan_all_tasks" or "harbor_scan_tasks_older_than" or "harbor_scan_database_info")
                .SelectMany(family => scrape.NonZero(family).Select(series => family + series)).Order(StringComparer.Ordinal),
        ];
    }
}
