using System.Net;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Observation;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Database;

/// <summary>A connection that died while it was idle costs nobody an answer: not a scrape, not a probe, not a repair, not its plan.</summary>
public sealed class DeadConnectionTests
{
    [Fact]
    public async Task Scrapes_whose_sessions_were_ended_between_them_all_see_the_database()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
            await EndAsync(harbor, harbor.Role);
        }
        Assert.Empty(exporter.Warnings);
    }

    [Fact]
    public async Task All_idle_connections_of_the_pool_may_be_dead()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        for (var i = 0; i < 3; i++)
        {
            // A probe beside a scrape takes the second one.
            await using (await ObservationGateTests.LockAsync(harbor, "execution"))
            {
                var scrape = exporter.ScrapeAsync();
                Assert.Equal(HttpStatusCode.OK, await ReadyAsync(exporter));
                await scrape;
            }
            await EndAsync(harbor, harbor.Role);
            Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        }
    }

    [Fact]
    public async Task The_readiness_probe_does_not_fail_after_idle_sessions_were_ended()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await ReadyAsync(exporter));
            await EndAsync(harbor, harbor.Role);
        }
    }

    [Fact]
    public async Task A_server_that_ends_idle_sessions_itself_is_seen_in_every_scrape()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"alter role {harbor.Role} set idle_session_timeout = '100ms'");
        await using var exporter = await RunningExporter.StartAsync(harbor);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
            await GoneAsync(harbor, harbor.Role);
        }
        Assert.Empty(exporter.Warnings);
    }

    [Fact]
    public async Task The_first_scrape_after_a_restart_of_the_server_sees_it()
    {
        await using var cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries());
        await using var harbor = await TestHarbor.CreateAsync(database: await TestDatabase.CreateAsync(cluster.AdministratorConnectionString, "registry"));
        await using var exporter = await RunningExporter.StartAsync(harbor);
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        await cluster.StopServerAsync();
        await cluster.StartServerAsync();
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
    }

    [Fact]
    public async Task The_first_scrape_after_a_restart_of_PgBouncer_or_of_the_server_behind_it_sees_it()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var bouncer = await PgBouncer.StartAsync(harbor);
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.DatabasePort, $"{bouncer.Port}"));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
            await EndAsync(harbor, harbor.Role);
        }
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        await bouncer.DisposeAsync();
        await using var next = await PgBouncer.StartAsync(harbor, bouncer.Port);
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        Assert.Empty(exporter.Warnings);
    }

    [Fact]
    public async Task A_database_that_is_away_is_still_told_as_such()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        await harbor.Database.ExecuteAsync($"alter role {harbor.Role} nologin");
        await EndAsync(harbor, harbor.Role);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(0, scrape.Value("harbor_scan_up"));
        Assert.Equal(1, scrape.Value("harbor_scan_collection_failures_total", ("reason", "auth")));
        Assert.Single(exporter.Warnings);
    }

    [Fact]
    public async Task A_repair_and_its_plan_do_not_fail_after_idle_sessions_were_ended()
    {
        await using var repairing = await RepairingHarbor.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            var (_, task) = await repairing.LoseScanAsync();
            await repairing.SeeTwiceAsync();
            await EndAsync(repairing.Harbor, repairing.Harbor.RepairRole);
            await EndAsync(repairing.Harbor, repairing.Harbor.Role);
            Assert.Single((await repairing.PlanAsync()).Repairs);
            await EndAsync(repairing.Harbor, repairing.Harbor.RepairRole);
            await EndAsync(repairing.Harbor, repairing.Harbor.Role);
            await repairing.RunAsync();
            Assert.Equal("Error", await repairing.Harbor.Database.ScalarAsync<string>($"select status from task where id = {task}"));
        }
    }

    [Fact]
    public async Task A_look_at_Redis_does_not_fail_after_its_connections_were_ended()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_REDIS_URL", redis.Url));
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_jobservice_evidence", ("state", "usable")));
            await redis.AdministerAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        }
        Assert.Empty(exporter.Warnings);
    }

    private static async Task<HttpStatusCode> ReadyAsync(RunningExporter exporter)
    {
        using var answer = await exporter.Client.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    /// <summary>Ends every session of a role, and waits until the server has none.</summary>
    private static async Task EndAsync(TestHarbor harbor, string role)
    {
        await harbor.Database.ExecuteAsync($"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'");
        await GoneAsync(harbor, role);
    }

    private static Task GoneAsync(TestHarbor harbor, string role) => Eventually.HoldsAsync(
        async () => await harbor.Database.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename = '{role}'") == 0,
        TimeSpan.FromSeconds(20), () => $"A session of {role} does not end.");
}
