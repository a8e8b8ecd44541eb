using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>A healthy Harbor with one scan that waits, one that runs and one that nothing knows; what goes wrong with Redis happens to it.</summary>
internal sealed class JobServiceSituation : IAsyncDisposable
{
    /// <summary>Every letter of it that a URL must escape is escaped in <see cref="EscapedPassword"/>.</summary>
    public const string Password = "p@ss/w?rd:#1";

    public const string EscapedPassword = "p%40ss%2Fw%3Frd%3A%231";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private JobServiceSituation(TestHarbor harbor, RedisServer redis) => (Harbor, Redis, Jobs) = (harbor, redis, new JobServiceSeed(redis));

    public TestHarbor Harbor { get; }

    public RedisServer Redis { get; }

    public JobServiceSeed Jobs { get; }

    /// <summary>Writes rows and keys; arguments are those of redis-server.</summary>
    public static async Task<JobServiceSituation> StartAsync(params string[] settings)
    {
        var harbor = await TestHarbor.CreateAsync();
        var situation = new JobServiceSituation(harbor, await RedisServer.StartAsync(settings));
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: 2 * Hour);
        await seed.TaskAsync(execution, created: 2 * Hour, jobId: "queued");
        await seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(Hour / 2), created: Hour, update: Ago(Hour / 2), jobId: "running");
        await situation.FillAsync();
        return situation;
    }

    /// <summary>A third task, whose job nothing in Redis names.</summary>
    public async Task LoseOneAsync()
    {
        var seed = new Seed(Harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, jobId: "lost");
    }

    /// <summary>Writes the keys that a healthy job service has.</summary>
    public async Task FillAsync()
    {
        await Jobs.UpAsync();
        await Jobs.RecordAsync("queued", "Pending", 2 * Hour, acknowledged: "Pending");
        await Jobs.QueueAsync(2 * Hour, "queued");
        await Jobs.RecordAsync("running", "Running", Hour / 2, acknowledged: "Running");
        await Jobs.InProgressAsync("running", Hour);
        await Jobs.WorkerAsync("running", Hour / 2);
    }

    /// <summary>Redis is read, and the two scans are what they are.</summary>
    public static void AssertSeen(MetricsDocument scrape)
    {
        Assert.Equal(["""{state="usable"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(1, scrape.Value("harbor_scan_jobservice_up"));
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1""", """{state="running",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        AssertDatabaseUnharmed(scrape);
    }

    /// <summary>Redis is not read: nothing is called stuck, the database part is whole, and the state says why.</summary>
    public static void AssertBlind(MetricsDocument scrape, string state)
    {
        Assert.Equal([$$"""{state="{{state}}"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(0, scrape.Value("harbor_scan_jobservice_up"));
        Assert.Equal(["""{state="unjudged",type="IMAGE_SCAN"} 2"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        AssertDatabaseUnharmed(scrape);
        if (state == "empty") return;
        foreach (var family in new[] { "harbor_scan_jobservice_pools", "harbor_scan_jobservice_workers", "harbor_scan_queue_length", "harbor_scan_ghost_workers", "harbor_scan_orphan_hooks" })
            Assert.DoesNotContain(family, scrape.Families);
        Assert.Equal(0, scrape.Value("harbor_scan_collector_success", ("collector", "jobservice")));
    }

    public async ValueTask DisposeAsync()
    {
        await Redis.DisposeAsync();
        await Harbor.DisposeAsync();
    }

    private static void AssertDatabaseUnharmed(MetricsDocument scrape)
    {
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN"} 1""", """{status="Running",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_tasks"));
        foreach (var collector in new[] { "executions", "tasks", "scan_all", "robots", "sweep", "diagnosis", "database" })
            Assert.Equal(1, scrape.Value("harbor_scan_collector_success", ("collector", collector)));
        Assert.Contains("harbor_scan_inconsistencies", scrape.Families);
    }
}
