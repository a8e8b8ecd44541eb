using System.Diagnostics;
using System.Net;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Metrics;
using HarborScanExporter.Tests.Observation;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Scraping;

/// <summary>What goes wrong around a scrape: a clear message once, no stale family, recovery without restart.</summary>
public sealed class FaultTests
{
    [Fact]
    public async Task A_wrong_password_is_told_once_and_a_right_one_is_picked_up_from_its_file()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "wrong\n", TestContext.Current.CancellationToken);
        var environment = harbor.Environment((Setting.Names.DatabasePasswordFile, file));
        environment.Remove(Setting.Names.DatabasePassword);
        await using var exporter = await RunningExporter.StartAsync(environment);
        await DownAsync(exporter, "auth");
        Assert.Contains("Check HARBOR_DATABASE_USERNAME and its password", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
        Assert.DoesNotContain(exporter.Logs.GetSnapshot(), record => record.Message.Contains("wrong", StringComparison.Ordinal));
        await File.WriteAllTextAsync(file, TestHarbor.Password + "\n", TestContext.Current.CancellationToken);
        await UpAsync(exporter);
        Assert.Contains(exporter.Logs.GetSnapshot(), record => record.Message == "The collection works again.");
        File.Delete(file);
    }

    [Fact]
    public async Task An_unknown_database_is_told()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.DatabaseName, "registri"));
        await DownAsync(exporter, "connect");
        var warning = Assert.Single(exporter.Warnings);
        Assert.Contains("registri", warning, StringComparison.Ordinal);
        Assert.Contains("Check HARBOR_DATABASE_DBNAME", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_not_Harbors_is_told()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("drop table schema_migrations");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await DownAsync(exporter, "schema");
        Assert.Contains("HARBOR_DATABASE_DBNAME is Harbor's database", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_grant_fails_the_collectors_that_need_it_and_no_other()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"revoke select on robot from {harbor.Role}; revoke select (start_time) on execution from {harbor.Role}; revoke select (id, description) on robot from {harbor.Role}");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        await exporter.ScrapeAsync();
        Assert.Equal(0, scrape.Value("harbor_scan_up"));
        Assert.Equal(
            ["""{collector="database"} 1""", """{collector="tasks"} 1"""],
            scrape.NonZero("harbor_scan_collector_success"));
        Assert.Contains("harbor_scan_tasks", scrape.Families);
        Assert.DoesNotContain("harbor_scan_executions", scrape.Families);
        Assert.DoesNotContain("harbor_scan_leaked_robots", scrape.Families);
        Assert.DoesNotContain("harbor_scan_stuck_tasks", scrape.Families);
        Assert.Equal(1, scrape.Value("harbor_scan_collection_failures_total", ("reason", "permission")));
        Assert.Equal(5, exporter.Warnings.Count);
        Assert.All(exporter.Warnings, warning => Assert.Contains("harbor-scan-exporter sql", warning, StringComparison.Ordinal));
        await harbor.GrantAsync();
        await UpAsync(exporter);
    }

    [Fact]
    public async Task A_missing_table_fails_the_collectors_that_need_it()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("drop table task");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(0, scrape.Value("harbor_scan_up"));
        Assert.Equal(
            ["""{collector="database"} 1""", """{collector="executions"} 1""", """{collector="sweep"} 1"""],
            scrape.NonZero("harbor_scan_collector_success"));
        Assert.Equal(1, scrape.Value("harbor_scan_collection_failures_total", ("reason", "schema")));
    }

    [Fact]
    public async Task Optional_tables_without_a_grant_leave_their_part_out_and_fail_nothing()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await harbor.Database.ExecuteAsync($"""
            revoke all on sbom_report, job_queue_status from {harbor.Role};
            revoke select (uuid, artifact_id, registration_uuid, mime_type, media_type, report) on sbom_report from {harbor.Role};
            revoke select (job_type, paused, update_time) on job_queue_status from {harbor.Role};
            """);
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        await exporter.ScrapeAsync();
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.DoesNotContain("harbor_scan_queue_paused", scrape.Families);
        Assert.Equal(2, exporter.Warnings.Count);
        Assert.Contains("sbom_report", exporter.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("job_queue_status", exporter.Warnings[1], StringComparison.Ordinal);
        await harbor.GrantAsync();
        Assert.Contains("harbor_scan_queue_paused", (await exporter.ScrapeAsync()).Families);
    }

    [Fact]
    public async Task A_half_migrated_schema_is_not_trusted()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("update schema_migrations set dirty = true");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await DownAsync(exporter, "schema");
        Assert.Contains("the migration to 140 failed half way (dirty)", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
        await harbor.Database.ExecuteAsync("update schema_migrations set dirty = false");
        await UpAsync(exporter);
    }

    [Fact]
    public async Task A_schema_before_2_2_is_refused()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("update schema_migrations set version = 41");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await DownAsync(exporter, "schema");
        Assert.Contains("Harbor's schema version is 41; scans can be read from 50 (Harbor 2.2.0) on", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_newer_than_the_newest_known_runs_with_a_warning()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.16.0");
        await harbor.Database.ExecuteAsync("update schema_migrations set version = 200");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await UpAsync(exporter);
        Assert.Contains("""schema_version="200",harbor_version="newer than 2.16.0",""", scrape.Text, StringComparison.Ordinal);
        Assert.Contains("Harbor's schema version is 200", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_schema_table_is_told()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("delete from schema_migrations");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await DownAsync(exporter, "schema");
        Assert.Contains("schema_migrations is empty", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Locked_tables_cost_half_a_second_and_are_told_once()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await using (await ObservationGateTests.LockAsync(harbor, "task, execution, robot"))
        {
            for (var i = 0; i < 3; i++)
            {
                var clock = Stopwatch.StartNew();
                var scrape = await exporter.ScrapeAsync();
                Assert.InRange(clock.Elapsed.TotalSeconds, 0.5, 3);
                Assert.Equal(["""{collector="database"} 1"""], scrape.NonZero("harbor_scan_collector_success"));
                Assert.DoesNotContain("harbor_scan_tasks", scrape.Families);
                Assert.Equal(i + 1, scrape.Value("harbor_scan_collection_failures_total", ("reason", "lock_timeout")));
            }
        }
        Assert.Equal(6, exporter.Warnings.Count);
        await UpAsync(exporter);
        Assert.Equal(6, exporter.Warnings.Count);
    }

    [Fact]
    public async Task A_backend_that_is_killed_in_mid_query_fails_one_scrape()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await UpAsync(exporter);
        await using (await ObservationGateTests.LockAsync(harbor, "execution"))
        {
            var scrape = exporter.ScrapeAsync();
            await Eventually.HoldsAsync(
                async () => await harbor.Database.ScalarAsync<long>($"select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = '{harbor.Role}' and wait_event_type = 'Lock'") == 1,
                TimeSpan.FromSeconds(5), () => "The scrape never waited for the lock.");
            Assert.Equal(0, (await scrape).Value("harbor_scan_up"));
        }
        Assert.NotEmpty(exporter.Warnings);
        Assert.All(exporter.Warnings, warning => Assert.Contains("(connect)", warning, StringComparison.Ordinal));
        await UpAsync(exporter);
    }

    [Fact]
    public async Task A_server_that_restarts_is_found_again()
    {
        await using var cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries());
        await using var harbor = await TestHarbor.CreateAsync(database: await TestDatabase.CreateAsync(cluster.AdministratorConnectionString, "registry"));
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await UpAsync(exporter);
        await cluster.StopServerAsync();
        await DownAsync(exporter, "connect");
        Assert.Single(exporter.Warnings);
        using (var ready = await exporter.Client.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        using (var health = await exporter.Client.GetAsync(new Uri("/healthz", UriKind.Relative), TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        await cluster.StartServerAsync();
        await UpAsync(exporter);
    }

    [Fact]
    public async Task Exhausted_connections_are_told_and_survived()
    {
        await using var cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries(), "max_connections = 8", "superuser_reserved_connections = 3");
        await using var harbor = await TestHarbor.CreateAsync(database: await TestDatabase.CreateAsync(cluster.AdministratorConnectionString, "registry"));
        await using var exporter = await RunningExporter.StartAsync(harbor);
        List<NpgsqlConnection> others = [];
        for (var i = 0; i < 6; i++) others.Add(await harbor.Database.OpenAsync());
        await DownAsync(exporter, "connect");
        foreach (var other in others) await other.DisposeAsync();
        await Eventually.HoldsAsync(async () => (await exporter.ScrapeAsync()).Value("harbor_scan_up") == 1, TimeSpan.FromSeconds(10), () => "It did not recover.");
    }

    [Fact]
    public async Task A_standby_is_read_with_the_time_of_its_last_replayed_transaction()
    {
        await using var cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries());
        await using var harbor = await TestHarbor.CreateAsync(database: await TestDatabase.CreateAsync(cluster.AdministratorConnectionString, "registry"));
        await using var standby = await PostgresCluster.StartStandbyAsync(cluster);
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: TimeSpan.FromHours(30)), created: TimeSpan.FromHours(30));
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.DatabasePort, $"{standby.Port}"));
        await Eventually.HoldsAsync(async () => (await exporter.ScrapeAsync()).Sum("harbor_scan_stuck_tasks") == 1, TimeSpan.FromSeconds(10), () => "The row did not arrive.");
        var first = await exporter.ScrapeAsync();
        await Task.Delay(1100, TestContext.Current.CancellationToken);
        var second = await exporter.ScrapeAsync();
        Assert.Equal(1, second.Value("harbor_scan_up"));
        Assert.Equal(first.Value("harbor_scan_snapshot_timestamp_seconds"), second.Value("harbor_scan_snapshot_timestamp_seconds"));
        await seed.ExecutionAsync();
        await Eventually.HoldsAsync(
            async () => (await exporter.ScrapeAsync()).Value("harbor_scan_snapshot_timestamp_seconds") > second.Value("harbor_scan_snapshot_timestamp_seconds"),
            TimeSpan.FromSeconds(10), () => "The timestamp stands still though the standby replays.");
    }

    [Fact]
    public async Task Behind_PgBouncer_in_transaction_mode_everything_holds()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var bouncer = await PgBouncer.StartAsync(harbor);
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: TimeSpan.FromHours(30)), created: TimeSpan.FromHours(30));
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.DatabasePort, $"{bouncer.Port}"));
        for (var i = 0; i < 20; i++)
        {
            var scrapes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => exporter.ScrapeAsync()));
            Assert.All(scrapes, scrape => Assert.Equal(1, scrape.Value("harbor_scan_up")));
            Assert.All(scrapes, scrape => Assert.Equal(1, scrape.Sum("harbor_scan_stuck_tasks")));
        }
        await using (await ObservationGateTests.LockAsync(harbor, "execution"))
            Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_collection_failures_total", ("reason", "lock_timeout")));
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        Assert.All(exporter.Warnings, warning => Assert.Contains("(lock_timeout)", warning, StringComparison.Ordinal));
        Assert.InRange(await harbor.Database.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename = '{harbor.Role}'"), 1, 2);
    }

    [Fact]
    public async Task Headers_of_100_kB_and_a_foreign_host_change_nothing()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        using (var large = new HttpRequestMessage(HttpMethod.Get, "/metrics"))
        {
            large.Headers.Add("X-Large", new string('x', 100_000));
            using var refused = await exporter.Client.SendAsync(large, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, refused.StatusCode);
        }
        foreach (var (path, status) in new[] { ("/metrics", HttpStatusCode.OK), ("/api/v1/findings", HttpStatusCode.NotFound), ("/debug", HttpStatusCode.NotFound) })
        {
            using var foreign = new HttpRequestMessage(HttpMethod.Get, path);
            foreign.Headers.Host = "operations.example:9999";
            using var answer = await exporter.Client.SendAsync(foreign, TestContext.Current.CancellationToken);
            Assert.Equal(status, answer.StatusCode);
        }
        await UpAsync(exporter);
    }

    [Fact]
    public async Task The_session_cannot_write_and_is_bounded()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        // Even where the role could write.
        await harbor.Database.ExecuteAsync($"grant insert on schema_migrations to {harbor.Role}; alter role {harbor.Role} reset default_transaction_read_only");
        var settings = SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!;
        await using var database = new HarborDatabase(settings.Database, TimeSpan.FromSeconds(10));
        await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken);
        async Task<string> ShowAsync(string name)
        {
            await using var show = new NpgsqlCommand($"show {name}", snapshot.Connection, snapshot.Transaction);
            return (string)(await show.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }
        Assert.Equal("on", await ShowAsync("transaction_read_only"));
        Assert.Equal("repeatable read", await ShowAsync("transaction_isolation"));
        Assert.Equal("3800ms", await ShowAsync("statement_timeout"));
        Assert.Equal("500ms", await ShowAsync("lock_timeout"));
        Assert.Equal("off", await ShowAsync("jit"));
        Assert.Equal("0", await ShowAsync("max_parallel_workers_per_gather"));
        Assert.Equal("harbor-scan-exporter", await ShowAsync("application_name"));
        await using var write = new NpgsqlCommand("insert into schema_migrations values (1, false)", snapshot.Connection, snapshot.Transaction);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => write.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, refused.SqlState);
    }

    [Fact]
    public async Task The_scraping_role_reads_no_secret_and_writes_nothing()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.16.0");
        var owner = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString) { Username = harbor.Role, Password = TestHarbor.Password };
        await using var source = NpgsqlDataSource.Create(owner);
        foreach (var statement in new[]
        {
            "select secret from robot", "select salt from robot", "select access_cred from scanner_registration", "select v from properties",
            "set transaction read write; update task set status = 'Error'", "set transaction read write; delete from execution",
            "set transaction read write; create table public.mine (id int)",
        })
        {
            await using var command = source.CreateCommand(statement);
            var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    /// <summary>Three scrapes that answer 200, say that nothing was read and why, and carry no family of rows.</summary>
    private static async Task DownAsync(RunningExporter exporter, string reason)
    {
        var before = (await exporter.ScrapeAsync()).Value("harbor_scan_collection_failures_total", ("reason", reason));
        await exporter.ScrapeAsync();
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(before + 2, scrape.Value("harbor_scan_collection_failures_total", ("reason", reason)));
        Assert.Equal(0, scrape.Value("harbor_scan_up"));
        Assert.Empty(scrape.NonZero("harbor_scan_collector_success"));
        Assert.Equal(
            [
                "harbor_scan_build_info", "harbor_scan_collection_failures_total", "harbor_scan_collections_total", "harbor_scan_collector_success",
                "harbor_scan_remediation_armed", "harbor_scan_scrapes_coalesced_total", "harbor_scan_scrapes_cut_short_total", "harbor_scan_up",
            ],
            scrape.Families.Where(family => family.StartsWith("harbor_", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private static async Task<MetricsDocument> UpAsync(RunningExporter exporter)
    {
        var scrape = await exporter.ScrapeAsync();
        Assert.True(scrape.Value("harbor_scan_up") == 1, string.Join(Environment.NewLine, exporter.Warnings));
        return scrape;
    }
}
