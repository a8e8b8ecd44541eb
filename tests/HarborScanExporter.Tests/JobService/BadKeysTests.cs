using HarborScanExporter.Tests.Support;
using StackExchange.Redis;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>No key of Redis fails a scrape, and none that cannot be read makes a healthy scan stuck.</summary>
public sealed class BadKeysTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Bytes that are no text in any encoding.</summary>
    private static readonly byte[] Garbage = [0xff, 0x00, 0xfe, 0x22, 0x7b, 0x0a, 0x80];

    [Fact]
    public async Task Debris_in_hashes_and_lists_is_passed_over()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var redis = situation.Redis.Database;
        await GoodAsync(situation);
        // Queue items that are no entry of the job service.
        foreach (RedisValue item in new RedisValue[] { "", "no json", "7", "null", "[]", """{"id":7}""", """{"id":null,"t":"x"}""", """{"t":1}""", """{"id":"x","t":1e999}""", """{"id":"\ud800"}""", Garbage })
        {
            await redis.ListLeftPushAsync(JobServiceSeed.Prefix + "jobs:IMAGE_SCAN", item);
            await redis.ListLeftPushAsync($"{JobServiceSeed.Prefix}jobs:IMAGE_SCAN:{JobServiceSeed.Pool}:inprogress", item);
            await redis.HashSetAsync(JobServiceSeed.Prefix + "job_track:inprogress", item, "2");
        }
        // Pools and workers that tell nothing of use.
        foreach (RedisValue pool in new RedisValue[] { "", "x", Garbage }) await redis.SetAddAsync(JobServiceSeed.Prefix + "worker_pools", pool);
        await redis.HashSetAsync(JobServiceSeed.Prefix + "worker_pools:x", [new("heartbeat_at", "soon"), new("started_at", Garbage), new("concurrency", "-5"), new("worker_ids", ",,,"), new("job_names", Garbage)]);
        await redis.HashSetAsync($"{JobServiceSeed.Prefix}worker:{JobServiceSeed.Worker(JobServiceSeed.Pool, 5)}", [new("job_id", Garbage), new("started_at", "yesterday")]);
        await redis.HashSetAsync(JobServiceSeed.Prefix + "job_track:inprogress", new string('x', 100_000), "-1");
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN queued 1", "IMAGE_SCAN running 1"] });
        Assert.Equal(1, (await situation.Exporter.ScrapeAsync()).Value("harbor_scan_collector_success", ("collector", "jobservice")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"status":"Success"}""")]
    [InlineData("""{"revision":"7","status":"Success"}""")]
    [InlineData("""{"revision":7,"status":7}""")]
    [InlineData("""{"revision":99999999999999999999,"status":"Success"}""")]
    [InlineData("""{"revision":7,"status":"\ud800"}""")]
    public async Task A_broken_acknowledgement_is_none(string ack)
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 9 * Hour), status: "Running", revision: RevisionAgo(9 * Hour), created: 9 * Hour, update: Ago(9 * Hour), jobId: "ended");
        await situation.Jobs.RecordAsync("ended", "Success", Hour, revision: 9 * Hour);
        await situation.Redis.Database.HashSetAsync(JobServiceSeed.Prefix + "job_stats:ended", "ack", ack);
        // Acknowledged it would be unreported after a quarter of an hour.
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN settling 1"] });
    }

    [Fact]
    public async Task A_record_without_id_or_of_another_type_is_none()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync(started: 9 * Hour);
        foreach (var job in new[] { "debris", "string", "list" }) await situation.Seed.TaskAsync(execution, created: 9 * Hour, jobId: job);
        await situation.Jobs.RecordAsync("debris", "Pending", 9 * Hour);
        await situation.Redis.Database.HashDeleteAsync(JobServiceSeed.Prefix + "job_stats:debris", "id");
        await situation.Redis.Database.StringSetAsync(JobServiceSeed.Prefix + "job_stats:string", Garbage);
        await situation.Redis.Database.ListLeftPushAsync(JobServiceSeed.Prefix + "job_stats:list", "x");
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN lost 3"] });
    }

    [Fact]
    public async Task A_record_of_nonsense_is_known_and_not_over()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 9 * Hour), created: 9 * Hour, jobId: "nonsense");
        await situation.Redis.Database.HashSetAsync(JobServiceSeed.Prefix + "job_stats:nonsense",
            [new("id", Garbage), new("status", Garbage), new("revision", "1e99"), new("update_time", "9999999999999999999999"), new("ack", Garbage)]);
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN not_queued 1"] });
    }

    [Fact]
    public async Task Tasks_without_a_job_id_and_two_with_the_same_are_judged_each()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var execution = await situation.Seed.ExecutionAsync(started: 9 * Hour);
        await situation.Seed.TaskAsync(execution, created: 9 * Hour, jobId: "", copies: 2);
        await situation.Seed.TaskAsync(execution, created: 9 * Hour, jobId: "twice", copies: 2);
        await situation.Seed.TaskAsync(execution, created: 9 * Hour, jobId: "waits", copies: 2);
        await situation.Jobs.RecordAsync("waits", "Pending", 9 * Hour);
        await situation.Jobs.QueueAsync(9 * Hour, "waits");
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN lost 4"], Live = ["IMAGE_SCAN queued 2"] });
    }

    [Theory]
    [InlineData("known_jobs")]
    [InlineData("worker_pools")]
    [InlineData("worker_pools:9f1c000000000000000000a1")]
    [InlineData("jobs:IMAGE_SCAN")]
    [InlineData("jobs:EXECUTION_SWEEP")]
    [InlineData("jobs:IMAGE_SCAN:lock_info")]
    [InlineData("jobs:IMAGE_SCAN:9f1c000000000000000000a1:inprogress")]
    [InlineData("job_track:inprogress")]
    [InlineData("worker:9f1c00000000000000000005")]
    public async Task A_key_of_another_type_leaves_the_scrape_whole_and_calls_nothing_stuck(string key)
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await GoodAsync(situation);
        await situation.Redis.Database.KeyDeleteAsync(JobServiceSeed.Prefix + key);
        await situation.Redis.Database.StringSetAsync(JobServiceSeed.Prefix + key, Garbage);
        await situation.FirstLookAsync();
        var scrape = await situation.Exporter.ScrapeAsync();
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.Equal(1, scrape.Value("harbor_scan_collector_success", ("collector", "diagnosis")));
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(2, scrape.Sum("harbor_scan_live_tasks"));
        // That it answers is not denied; what is wrong is named.
        Assert.All(situation.Exporter.Warnings, warning => Assert.DoesNotContain("does not answer", warning, StringComparison.Ordinal));
    }

    /// <summary>One scan that waits and one that runs.</summary>
    private static async Task GoodAsync(Situation situation)
    {
        var execution = await situation.Seed.ExecutionAsync(started: Hour);
        await situation.Seed.TaskAsync(execution, created: Hour, jobId: "waits");
        await situation.Jobs.RecordAsync("waits", "Pending", Hour, acknowledged: "Pending");
        await situation.Jobs.QueueAsync(Hour, "waits");
        await situation.Seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(Hour), created: Hour, update: Ago(Hour / 2), jobId: "runs");
        await situation.Jobs.RecordAsync("runs", "Running", Hour / 2, revision: Hour, acknowledged: "Running");
        await situation.Jobs.InProgressAsync("runs", Hour);
        await situation.Jobs.WorkerAsync("runs", Hour / 2);
    }
}
