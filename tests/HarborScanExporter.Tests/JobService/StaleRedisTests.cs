using System.Globalization;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>A Redis that stands still beside a Harbor that goes on: nothing that lives is called stuck, and one state says why.</summary>
public sealed class StaleRedisTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_database_that_held_a_job_service_until_yesterday_proves_nothing()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync(heartbeat: 24 * Hour, started: 48 * Hour);
        await jobs.RecordAsync("of then", "Success", 25 * Hour, acknowledged: "Success");
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: 26 * Hour, status: "Success");
        await seed.TaskAsync(execution, status: "Success", created: 26 * Hour, jobId: "of then");
        await seed.TaskAsync(await seed.ExecutionAsync(started: 2 * Hour), created: 2 * Hour, jobId: "waits");
        await seed.TaskAsync(await seed.ExecutionAsync(started: Hour), status: "Running", revision: RevisionAgo(Hour), created: Hour, update: Ago(Hour / 2), jobId: "runs");
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL", redis.Url));
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromMinutes(20));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="stale"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{state="unjudged",type="IMAGE_SCAN"} 2"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(0, scrape.Value("harbor_scan_jobservice_up"));
        Assert.Contains("stands still: its newest sign of life is of ", Assert.Single(exporter.Warnings), StringComparison.Ordinal);

        // The job service comes back to it: what it does not know is lost.
        await jobs.UpAsync();
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromSeconds(61));
        var fresh = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="usable"} 1"""], fresh.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(
            ["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1""", """{status="Running",type="IMAGE_SCAN",verdict="lost"} 1"""], fresh.NonZero("harbor_scan_stuck_tasks"));
    }

    [Fact]
    public async Task A_scan_that_succeeded_since_shows_that_Redis_stands_still_where_no_scan_is_open()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync(heartbeat: 2 * Hour);
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: Hour, status: "Success"), status: "Success", created: Hour, update: Ago(Hour / 2), end: Ago(Hour / 2), revision: RevisionAgo(Hour));
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_REDIS_URL", redis.Url));
        Assert.Equal(["""{state="stale"} 1"""], (await exporter.ScrapeAsync()).NonZero("harbor_scan_jobservice_evidence"));
    }

    [Fact]
    public async Task A_job_service_that_is_down_beside_rows_that_stand_still_too_is_no_stale_Redis()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync(heartbeat: Hour);
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: Hour), created: Hour, jobId: "waits");
        await jobs.RecordAsync("waits", "Pending", Hour, acknowledged: "Pending");
        await jobs.QueueAsync(Hour, "waits");
        await seed.TaskAsync(await seed.ExecutionAsync(started: 2 * Hour), created: 2 * Hour, jobId: "lost");
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL", redis.Url));
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromSeconds(61));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="usable"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1"""], scrape.NonZero("harbor_scan_stuck_tasks"));
    }

    [Fact]
    public async Task A_replica_says_itself_that_it_has_lost_its_master()
    {
        await using var situation = await JobServiceSituation.StartAsync("--repl-diskless-sync-delay", "0");
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", situation.Redis.Port.ToString(CultureInfo.InvariantCulture));
        await Eventually.HoldsAsync(
            async () => (await replica.InfoLinesAsync("replication")).Contains("master_link_status:up"), TimeSpan.FromSeconds(20), () => "The replica did not come up.");
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", replica.Url));
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        await situation.Redis.KillAsync();
        await Eventually.HoldsAsync(
            async () => (await replica.InfoLinesAsync("replication")).Contains("master_link_status:down"), TimeSpan.FromSeconds(20), () => "The replica did not notice.");
        JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "stale");
        Assert.Contains("is a replica without its master", exporter.Warnings[^1], StringComparison.Ordinal);
    }
}
