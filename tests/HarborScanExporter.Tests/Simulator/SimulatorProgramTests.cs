using HarborScanExporter.HarborApi;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>harbor-simulator as a program.</summary>
public sealed class SimulatorProgramTests
{
    /// <summary>The program in its own output folder: beside the tests it would lack what their framework brings along.</summary>
    private static readonly string Program = Repository.PathOf("tests", "HarborSimulator", "bin",
        Path.GetRelativePath(Repository.PathOf("tests", "HarborScanExporter.Tests", "bin"), AppContext.BaseDirectory), "harbor-simulator");

    [Fact]
    public async Task Schema_creates_the_tables_once_and_refuses_another_version()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        var first = await RunAsync("schema", "--database", database.PooledConnectionString, "--release", "2.9.5");
        Assert.Equal((0, "created the tables of Harbor 2.9.5 (schema 120)"), (first.ExitCode, first.Output.Trim()));
        var second = await RunAsync("schema", "--database", database.PooledConnectionString, "--release", "2.9.0");
        Assert.Equal((0, "the tables of schema 120 are there already"), (second.ExitCode, second.Output.Trim()));
        var other = await RunAsync("schema", "--database", database.PooledConnectionString, "--release", "2.10.0");
        Assert.Equal((1, true), (other.ExitCode, other.Error.Contains("the database holds schema 120, not 130", StringComparison.Ordinal)));
        Assert.NotEqual(0, (await RunAsync("schema", "--database", database.PooledConnectionString, "--release", "1.10")).ExitCode);
    }

    [Fact]
    public async Task Run_refuses_a_database_with_rows_that_it_did_not_write()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        await RunAsync("schema", "--database", database.PooledConnectionString);
        await Rows.RunAsync(database.ConnectionString, "insert into execution (vendor_type, status, trigger) values ('IMAGE_SCAN', 'Running', 'MANUAL')");
        var run = await RunAsync("run", "--database", database.PooledConnectionString, "--for", "1s");
        Assert.Equal((1, true), (run.ExitCode, run.Error.Contains("not simulated", StringComparison.Ordinal)));
        Assert.Equal("1", await Rows.OneAsync(database.ConnectionString, "select count(*) from execution"));
    }

    [Fact]
    public async Task Run_leaves_every_kind_of_trouble_in_the_rows_and_starts_afresh_the_second_time()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        var run = await RunAsync("run", "--database", database.PooledConnectionString, "--rate", "10", "--for", "1s");
        Assert.True(run.ExitCode == 0, run.All);
        Assert.EndsWith("stopped", run.Output.TrimEnd(), StringComparison.Ordinal);

        const string now = "now() at time zone 'UTC'";
        Dictionary<string, string> troubles = new(StringComparer.Ordinal)
        {
            ["lost Pending"] = $"""
                select count(*) >= 4 from task t where vendor_type = 'IMAGE_SCAN' and status = 'Pending' and status_revision = 0 and run_count = 0
                and creation_time < {now} - interval '2 hours 10 minutes'
                and exists (select 1 from task o where o.run_count > 0 and o.update_time > t.creation_time + interval '125 minutes')
                """,
            ["unreported Running"] = $"""
                select count(*) = 3 from task t join scan_report r on t.extra_attrs::jsonb -> 'report_uuids' ? r.uuid
                where t.status = 'Running' and t.status_code = 2 and r.report is not null and t.update_time < {now} - interval '2 hours'
                """,
            ["dropped Pending"] = $"select count(*) >= 1 from task where vendor_type = 'IMAGE_SCAN' and status = 'Pending' and status_revision > 0 and creation_time < {now} - interval '3 hours'",
            ["scan-all blocked"] = $"""
                select status = 'Running' and start_time < {now} - interval '15 minutes' and extra_attrs -> 'summary' is not null
                and (select count(*) > 100 and min(status_code) = 3 and max(end_time) < {now} - interval '15 minutes' from task where execution_id = e.id)
                from execution e where vendor_type = 'SCAN_ALL' and trigger = 'MANUAL' order by start_time desc limit 1
                """,
            ["empty scan-all"] = "select count(*) = 1 from execution e where vendor_type = 'SCAN_ALL' and status = 'Running' and not exists (select 1 from task where execution_id = e.id)",
            ["final over open"] = "select count(*) = 1 from execution e join task t on t.execution_id = e.id where e.status = 'Success' and t.status = 'Pending' and e.end_time is null and e.vendor_type = 'IMAGE_SCAN'",
            ["final with code 0"] = "select count(*) = 5 from task where status = 'Stopped' and status_code = 0",
            ["sweep blocked"] = "select status = 'Error' from task where vendor_type = 'EXECUTION_SWEEP' order by id desc limit 1",
            ["beyond retention"] = "select count(*) = 5 from execution e join task t on t.execution_id = e.id where t.status_code = 0 and t.status = 'Stopped' and exists (select 1 from execution n where n.vendor_type = e.vendor_type and n.vendor_id = e.vendor_id and n.start_time > e.start_time)",
            ["leaked robots"] = $"""
                select count(*) >= 5 from robot r where not visible and description = 'for scan' and creation_time < {now} - interval '1 day'
                and not exists (select 1 from task t where t.status in ('Pending', 'Scheduled', 'Running') and t.extra_attrs ->> 'robot_id' = r.id::text)
                """,
            ["over 26 hours"] = $"select count(*) = 1 from task where vendor_type = 'IMAGE_SCAN' and status = 'Running' and update_time < {now} - interval '26 hours'",
            ["nothing from the future"] = $"select max(creation_time) < {now} + interval '1 second' and max(update_time) > {now} - interval '1 hour' from task",
        };
        foreach (var (trouble, sql) in troubles) Assert.Equal($"{trouble} t", $"{trouble} {await Rows.OneAsync(database.ConnectionString, sql)}");

        var again = await RunAsync("run", "--database", database.PooledConnectionString, "--rate", "10", "--faults", "none", "--for", "1s");
        Assert.True(again.ExitCode == 0, again.All);
        Assert.Equal("0|0", await Rows.OneAsync(database.ConnectionString, """
            select (select count(*) from task where status_code < 3 and vendor_type in ('IMAGE_SCAN', 'SBOM', 'SCAN_ALL') and creation_time < now() at time zone 'UTC' - interval '1 hour'),
                   (select count(*) from task where vendor_type = 'EXECUTION_SWEEP' and status = 'Error')
            """));
    }

    [Theory]
    [InlineData("2.2.0")]
    [InlineData("2.7.0")]
    [InlineData("2.16.0")]
    public async Task Run_plays_its_faults_under_old_and_new_releases(string release)
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        var run = await RunAsync("run", "--database", database.PooledConnectionString, "--release", release, "--rate", "3", "--for", "1s");
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal("1", await Rows.OneAsync(database.ConnectionString, "select count(*) from execution e join task t on t.execution_id = e.id where e.status = 'Success' and t.status = 'Pending' and e.vendor_type = 'IMAGE_SCAN'"));
    }

    [Fact]
    public async Task Run_ends_cleanly_when_it_is_told_to()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        await using var tool = await RunningTool.StartAsync(Program, ["run", "--database", database.PooledConnectionString, "--rate", "5", "--faults", "none"],
            () => Task.FromResult(true));
        await Eventually.HoldsAsync(() => Task.FromResult(tool.Log.Contains("real time from here", StringComparison.Ordinal)), TimeSpan.FromMinutes(2), () => tool.Log);
        await Tool.RunAsync("/bin/kill", ["-TERM", tool.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await Eventually.HoldsAsync(() => Task.FromResult(tool.HasExited), TimeSpan.FromSeconds(20), () => tool.Log);
        await Eventually.HoldsAsync(() => Task.FromResult(tool.Log.Contains("stopped", StringComparison.Ordinal)), TimeSpan.FromSeconds(5), () => tool.Log);
    }

    [Fact]
    public async Task Run_serves_the_API_over_its_rows_while_time_goes_on()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        await using var tool = await RunningTool.StartAsync(Program,
            ["run", "--database", database.PooledConnectionString, "--history", "1h", "--rate", "5", "--faults", "none", "--api", "http://127.0.0.1:0"], () => Task.FromResult(true));
        await Eventually.HoldsAsync(() => Task.FromResult(tool.Log.Contains("Harbor's API v2.0 at http://127.0.0.1:", StringComparison.Ordinal)), TimeSpan.FromMinutes(2), () => tool.Log);
        var address = new Uri(tool.Log.Split('\n').Single(line => line.StartsWith("Harbor's API", StringComparison.Ordinal)).Split(' ')[^1].Trim());
        using var client = new HarborApiClient(ServedHarbor.SettingsFor(address, HarborApiUser.Administrator), TimeProvider.System);
        var (repository, digest) = (await Rows.OneAsync(database.ConnectionString, "select repository_name, digest from artifact where id = 1")).Split('|') switch { var parts => (parts[0], parts[1]) };
        Assert.Equal(202, (await client.ScanAsync(repository, digest, "vulnerability", TestContext.Current.CancellationToken)).Status);
        var job = await Rows.OneAsync(database.ConnectionString, "select job_id from task where vendor_type = 'IMAGE_SCAN' order by id desc limit 1");
        Assert.Equal(200, (await client.StopJobAsync(job, TestContext.Current.CancellationToken)).Status);
        Assert.Equal("Stopped|3", await Rows.OneAsync(database.ConnectionString, $"select status, status_code from task where job_id = '{job}'"));
        Assert.Equal(202, (await client.ScanAsync(repository, digest, "vulnerability", TestContext.Current.CancellationToken)).Status);
        await Eventually.HoldsAsync(
            async () => await Rows.OneAsync(database.ConnectionString, "select status from task where vendor_type = 'IMAGE_SCAN' order by id desc limit 1") == "Running",
            TimeSpan.FromSeconds(20), () => tool.Log);
        var refused = await RunAsync("run", "--database", database.PooledConnectionString, "--api", "https://somewhere");
        Assert.Contains("--api: https://somewhere is no http URL of an IP address", refused.Error, StringComparison.Ordinal);
    }

    private static Task<ToolResult> RunAsync(params string[] arguments) => Tool.RunAsync(Program, arguments, limit: TimeSpan.FromMinutes(3));
}
