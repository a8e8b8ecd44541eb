using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Cli.Doctor;

/// <summary>What the command doctor says of repairs, over a real database and a real Redis.</summary>
public sealed class DoctorRepairsTests
{
    private const string SqlMend = "Run the SQL of 'harbor-scan-exporter sql' again with these settings, as the owner of Harbor's tables.";

    [Fact]
    public async Task While_repairs_are_off_nothing_of_them_is_tried()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var lines = await RunAsync(harbor.Environment(("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "nobody")), DoctorCommand.NothingFailed);
        Assert.Equal("skipped HARBOR_SCAN_REMEDIATION is off: nothing is repaired.", lines["repairs"]);
        Assert.DoesNotContain("repair role", lines.Keys);
    }

    [Theory]
    [InlineData("2.2.0", 39, 7)]
    [InlineData("2.11.0", 48, 9)]
    public async Task Everything_in_order_is_a_line_each_and_nothing_is_written(string release, int columns, int tables)
    {
        await using var site = await Site.StartAsync(release);
        var lines = await RunAsync(site.Environment(("HARBOR_SCAN_REMEDIATION", "dry-run")), DoctorCommand.NothingFailed);
        Assert.Equal(
            "ok HARBOR_SCAN_REMEDIATION is dry-run: repairs are tried and rolled back, asked for by the command repair alone, as HARBOR_SCAN_OPERATIONS_LISTEN is not set.",
            lines["repairs"]);
        Assert.StartsWith($"ok {site.Harbor.Database.Name} at ", lines["repair role"], StringComparison.Ordinal);
        Assert.Contains($" answers {site.Harbor.RepairRole} in ", lines["repair role"], StringComparison.Ordinal);
        Assert.Equal($"ok Both roles reach the database {site.Harbor.Database.Name} of the same server.", lines["repair database"]);
        Assert.Equal("ok The server is a primary, and the role may begin transactions that write.", lines["repair server"]);
        Assert.Equal($"ok The role may read {columns} columns of {tables} tables, and change rows of scans by 14 functions alone.", lines["repair grants"]);
        Assert.Equal("ok The role may write lines into harbor_scan.repair; none was written.", lines["audit"]);
        Assert.Equal("ok The role may read harbor_scan.read_only.", lines["repair read-only view"]);
        Assert.Equal("ok HARBOR_SCAN_REMEDIATION_SWEEP is off and the role can remove nothing.", lines["repair sweep"]);
        Assert.Equal("ok The role may write no table of Harbor's itself, and reads no secret.", lines["repair least privilege"]);
        Assert.Equal("ok The scraping role may read the audit.", lines["audit metrics"]);
        Assert.Equal("ok HARBOR_SCAN_REMEDIATION_PAUSE_FILE is not set: repairs cannot be paused by a file.", lines["repair pause"]);
        Assert.Equal("skipped HARBOR_API_USERNAME is not set: jobs are not stopped, and hung scans are left alone. > Name a user of Harbor's API that may stop jobs.", lines["repair api"]);
        Assert.Equal(0, await site.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
    }

    [Fact]
    public async Task A_role_that_is_not_there_is_a_failure_and_the_rest_is_still_tried()
    {
        await using var site = await Site.StartAsync();
        var lines = await RunAsync(site.Environment(("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "nobody")), DoctorCommand.SomethingFailed);
        Assert.Contains("cannot be used by nobody (auth): ", lines["repair role"], StringComparison.Ordinal);
        Assert.Contains("> Make the role with the SQL of 'harbor-scan-exporter sql', set its password with \\password", lines["repair role"], StringComparison.Ordinal);
        Assert.StartsWith("ok", lines["database"], StringComparison.Ordinal);
        Assert.StartsWith("ok", lines["repair pause"], StringComparison.Ordinal);
        Assert.DoesNotContain("repair grants", lines.Keys);
    }

    [Fact]
    public async Task A_missing_grant_is_named_with_its_column()
    {
        await using var site = await Site.StartAsync();
        await site.ExecuteAsync($"revoke execute on function {TestHarbor.WriteTask} from {site.Harbor.RepairRole}; revoke select (run_count) on task from {site.Harbor.RepairRole}");
        await site.ExecuteAsync($"revoke insert on harbor_scan.repair from {site.Harbor.RepairRole}; revoke select on harbor_scan.repair from {site.Harbor.Role}");
        await site.ExecuteAsync($"revoke select on harbor_scan.read_only from {site.Harbor.RepairRole}");
        var lines = await RunAsync(site.Environment(), DoctorCommand.SomethingFailed);
        Assert.Equal($"failed The role may not read run_count. > {SqlMend}", lines["repair grant on task"]);
        Assert.Equal($"failed The role may not call harbor_scan.write_task. > {SqlMend}", lines["repair functions"]);
        Assert.StartsWith("failed Of harbor_scan.repair the role may not write id, at, run, source, ", lines["audit"], StringComparison.Ordinal);
        Assert.Equal($"failed The scraping role may not read the audit: what was repaired is in no metric. > {SqlMend}", lines["audit metrics"]);
        Assert.Equal($"failed The role may not read harbor_scan.read_only, and nothing is repaired while Harbor's read-only mode is not known. > {SqlMend}", lines["repair read-only view"]);
    }

    [Fact]
    public async Task A_missing_audit_one_of_another_version_and_a_schema_without_usage_are_failures()
    {
        await using var site = await Site.StartAsync();
        await site.ExecuteAsync($"revoke usage on schema harbor_scan from {site.Harbor.RepairRole}");
        Assert.Equal($"failed The role may not use the schema harbor_scan. > {SqlMend}", (await RunAsync(site.Environment(), DoctorCommand.SomethingFailed))["audit"]);
        await site.ExecuteAsync("alter table harbor_scan.repair drop column note, drop column checks");
        Assert.StartsWith("failed The table harbor_scan.repair has no note, checks: it is of another version of this exporter. > ",
            (await RunAsync(site.Environment(), DoctorCommand.SomethingFailed))["audit"], StringComparison.Ordinal);
        await site.ExecuteAsync("drop table harbor_scan.repair");
        Assert.Equal($"failed There is no table harbor_scan.repair, and nothing is repaired without a line in it. > {SqlMend}",
            (await RunAsync(site.Environment(), DoctorCommand.SomethingFailed))["audit"]);
    }

    [Fact]
    public async Task The_sweep_and_its_grant_belong_together()
    {
        await using var site = await Site.StartAsync();
        var on = ("HARBOR_SCAN_REMEDIATION_SWEEP", "on");
        Assert.Equal(
            "failed HARBOR_SCAN_REMEDIATION_SWEEP is on and the role may not call harbor_scan.lock_old_tasks, harbor_scan.lock_old_execution, harbor_scan.remove_execution, harbor_scan.put_back."
            + " > Run deploy/sql/04-remediation-sweep.sql, which 'harbor-scan-exporter sql --remediation-sweep on' prints too, or switch the sweep off.",
            (await RunAsync(site.Environment(on), DoctorCommand.SomethingFailed))["repair sweep"]);
        await site.Harbor.GrantRemediationAsync(sweep: true);
        Assert.Equal("ok The role may remove executions and tasks, and put them back.", (await RunAsync(site.Environment(on), DoctorCommand.NothingFailed))["repair sweep"]);
        var off = await RunAsync(site.Environment(), DoctorCommand.NothingFailed);
        Assert.Equal(
            "warning HARBOR_SCAN_REMEDIATION_SWEEP is off and the role may call harbor_scan.lock_old_tasks, harbor_scan.lock_old_execution, harbor_scan.remove_execution, harbor_scan.put_back."
            + " > Revoke what the sweep alone needs, or switch it on.", off["repair sweep"]);
        Assert.StartsWith("ok", off["repair least privilege"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rights_too_many_are_a_warning_that_names_them()
    {
        await using var site = await Site.StartAsync();
        await site.ExecuteAsync($"grant update (job_id, status_revision), truncate on task to {site.Harbor.RepairRole}; grant delete on artifact, harbor_scan.repair to {site.Harbor.RepairRole}");
        await site.ExecuteAsync($"grant update (dirty) on schema_migrations to {site.Harbor.RepairRole}; grant select (secret) on robot to {site.Harbor.RepairRole}");
        var lines = await RunAsync(site.Environment(), DoctorCommand.NothingFailed);
        Assert.Equal(
            "warning The role may do more than it needs: DELETE on artifact, DELETE on harbor_scan.repair, SELECT of robot.secret, TRUNCATE on task, UPDATE on schema_migrations, UPDATE on task."
            + " > Run the SQL of 'harbor-scan-exporter sql' again, sign in as its role, or revoke these from the role.", lines["repair least privilege"]);
    }

    [Fact]
    public async Task A_role_whose_transactions_are_read_only_is_a_failure()
    {
        await using var site = await Site.StartAsync();
        await site.ExecuteAsync($"alter role {site.Harbor.RepairRole} set default_transaction_read_only = on");
        Assert.Equal(
            $"failed Transactions of {site.Harbor.RepairRole} are read-only by default. > In psql: alter role \"{site.Harbor.RepairRole}\" set default_transaction_read_only = off",
            (await RunAsync(site.Environment(), DoctorCommand.SomethingFailed))["repair server"]);
    }

    [Fact]
    public async Task A_pause_file_is_told_with_its_reason()
    {
        await using var site = await Site.StartAsync();
        var folder = Directory.CreateTempSubdirectory();
        var file = Path.Combine(folder.FullName, "pause");
        var pause = ("HARBOR_SCAN_REMEDIATION_PAUSE_FILE", file);
        Assert.Equal($"ok There is no {file}: repairs are not paused.", (await RunAsync(site.Environment(pause), DoctorCommand.NothingFailed))["repair pause"]);
        await File.WriteAllTextAsync(file, "upgrade of Harbor.\n", TestContext.Current.CancellationToken);
        Assert.Equal($"warning Repairs are paused by {file}: upgrade of Harbor. > Remove the file when what it is there for is over.",
            (await RunAsync(site.Environment(pause), DoctorCommand.NothingFailed))["repair pause"]);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task What_a_user_of_the_API_may_do_is_said_to_be_unproved()
    {
        await using var site = await Site.StartAsync();
        var lines = await RunAsync(site.Environment(
            ("HARBOR_SERVICE_HOST", "127.0.0.1"), ("HARBOR_SERVICE_PORT", $"{Tool.FreePort()}"), ("HARBOR_API_USERNAME", "mender"), ("HARBOR_API_PASSWORD", TestHarbor.Password),
            ("HARBOR_SCAN_REMEDIATION_ROBOTS", "on"), ("HARBOR_SCAN_REMEDIATION_RESCAN", "on")), DoctorCommand.SomethingFailed);
        Assert.Equal(
            "skipped Whether mender may stop jobs, scan, delete robot accounts cannot be proved without doing it; what it may see is told above."
            + " > Watch the first repairs: a refusal is a failure with the reason api_denied.", lines["repair api"]);
        Assert.Equal("ok HARBOR_SCAN_REMEDIATION is execute: repairs are written, asked for by the command repair alone, as HARBOR_SCAN_OPERATIONS_LISTEN is not set.", lines["repairs"]);
    }

    [Fact]
    public void Two_roles_that_reach_different_servers_are_a_failure()
    {
        var scraped = new ReachedDatabase("registry", 16384, 1_770_000_000.25);
        Assert.Equal(CheckupResult.Ok, RepairsCheckup.Compare(scraped, scraped with { }).Result);
        Assert.Equal(CheckupResult.Failed, RepairsCheckup.Compare(scraped, scraped with { Started = 1_770_000_000.5 }).Result);
        var other = RepairsCheckup.Compare(scraped, new ReachedDatabase("copy", 16385, 1_770_000_000.25));
        Assert.Equal((CheckupResult.Failed, "Let HARBOR_DATABASE_HOST name one server, the primary, and behind PgBouncer send both users to the same database."), (other.Result, other.Mend));
        Assert.Equal("The scraping role reaches registry of a server started 2026-02-02 02:40 UTC, the repairing role copy of one started 2026-02-02 02:40 UTC.", other.Reason);
        Assert.Equal(CheckupResult.Skipped, RepairsCheckup.Compare(null, scraped).Result);
    }

    /// <summary>Each line as result, reason and mend, by its name.</summary>
    private static async Task<IReadOnlyDictionary<string, string>> RunAsync(Dictionary<string, string> environment, int expected)
    {
        var run = await CommandRun.DoctorAsync(environment, DoctorOutput.Json);
        Assert.True(expected == run.Exit, run.All);
        Assert.DoesNotContain(TestHarbor.Password, run.All, StringComparison.Ordinal);
        return JsonNode.Parse(run.Output)!["checks"]!.AsArray().ToDictionary(
            line => (string)line!["name"]!, line => $"{line!["result"]} {line["reason"]}{((string?)line["mend"] is { } mend ? $" > {mend}" : "")}", StringComparer.Ordinal);
    }

    /// <summary>A Harbor that may be repaired, with its job service's Redis.</summary>
    private sealed record Site(TestHarbor Harbor, RedisServer Redis) : IAsyncDisposable
    {
        public static async Task<Site> StartAsync(string release = "2.11.0")
        {
            var site = new Site(await TestHarbor.CreateAsync(release), await RedisServer.StartAsync());
            await new JobServiceSeed(site.Redis).UpAsync(heartbeat: TimeSpan.FromSeconds(2));
            await site.Harbor.GrantRemediationAsync();
            return site;
        }

        public Dictionary<string, string> Environment(params (string, string)[] changes) => Harbor.RemediationEnvironment([("HARBOR_REDIS_URL", Redis.Url), .. changes]);

        public Task ExecuteAsync(string sql) => Harbor.Database.ExecuteAsync(sql);

        public async ValueTask DisposeAsync()
        {
            await Redis.DisposeAsync();
            await Harbor.DisposeAsync();
        }
    }
}
