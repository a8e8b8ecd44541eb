using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>Verdicts from a real Redis beside a real database, as /metrics tells them.</summary>
public sealed class EvidenceVerdictTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task What_nobody_holds_is_settling_at_the_first_look_and_lost_or_not_queued_a_minute_later()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        var execution = await seed.ExecutionAsync(started: 2 * Hour);
        await seed.TaskAsync(execution, created: 2 * Hour, jobId: "lost");
        await seed.TaskAsync(execution, created: 2 * Hour, jobId: "unlisted");
        await jobs.RecordAsync("unlisted", "Pending", 2 * Hour, acknowledged: "Pending");
        await seed.TaskAsync(execution, created: 2 * Hour, jobId: "queued");
        await jobs.RecordAsync("queued", "Pending", 2 * Hour, acknowledged: "Pending");
        await jobs.QueueAsync(2 * Hour, "queued");
        await seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(2.5 * Hour), created: 3 * Hour, update: Ago(2.5 * Hour), jobId: "hung");
        await jobs.RecordAsync("hung", "Running", 2.5 * Hour, acknowledged: "Running");
        await jobs.InProgressAsync("hung", 3 * Hour);
        await jobs.WorkerAsync("hung", 2.5 * Hour);
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL", redis.Url));
        var first = await exporter.ScrapeAsync();
        Assert.Equal(["""{status="Running",type="IMAGE_SCAN",verdict="hung"} 1"""], first.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1""", """{state="settling",type="IMAGE_SCAN"} 2"""], first.NonZero("harbor_scan_live_tasks"));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(2, (await exporter.ScrapeAsync()).Value("harbor_scan_live_tasks", ("type", "IMAGE_SCAN"), ("state", "settling")));
        time.Advance(TimeSpan.FromSeconds(1));
        var second = await exporter.ScrapeAsync();
        Assert.Equal(
            ["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1""", """{status="Pending",type="IMAGE_SCAN",verdict="not_queued"} 1""", """{status="Running",type="IMAGE_SCAN",verdict="hung"} 1"""],
            second.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(1, second.Value("harbor_scan_jobservice_up"));
        Assert.Equal(["""{state="usable"} 1"""], second.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(["""{state="busy"} 1""", """{state="idle"} 9"""], second.NonZero("harbor_scan_jobservice_workers"));
        Assert.Equal(1, second.Value("harbor_scan_queue_length", ("queue", "IMAGE_SCAN")));
        Assert.InRange(second.Value("harbor_scan_queue_oldest_age_seconds", ("queue", "IMAGE_SCAN")), 7195, 7260);
        Assert.Empty(exporter.Warnings);
    }

    [Fact]
    public async Task The_Redis_of_another_Harbor_proves_nothing_until_it_shows_a_job_of_ours()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        await jobs.RecordAsync("theirs", "Pending", 2 * Hour, acknowledged: "Pending");
        var execution = await seed.ExecutionAsync(started: 2 * Hour);
        await seed.TaskAsync(execution, created: 2 * Hour, jobId: "ours");
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL", redis.Url));
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromMinutes(5));
        var foreign = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="foreign"} 1"""], foreign.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(["""{state="unjudged",type="IMAGE_SCAN"} 1"""], foreign.NonZero("harbor_scan_live_tasks"));
        Assert.Empty(foreign.NonZero("harbor_scan_stuck_tasks"));
        Assert.DoesNotContain("harbor_scan_queue_length", foreign.Families);
        Assert.Equal((1, 0, 0), (foreign.Value("harbor_scan_up"), foreign.Value("harbor_scan_jobservice_up"), foreign.Value("harbor_scan_collector_success", ("collector", "jobservice"))));
        Assert.Contains("belongs to another Harbor", Assert.Single(exporter.Warnings), StringComparison.Ordinal);

        // A finished scan of ours is enough to know it as ours.
        var finished = await seed.ExecutionAsync(status: "Success", started: Hour);
        await seed.TaskAsync(finished, status: "Success", created: Hour, jobId: "finished");
        await jobs.RecordAsync("finished", "Success", Hour);
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        var own = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="usable"} 1"""], own.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1"""], own.NonZero("harbor_scan_stuck_tasks"));
    }
}
