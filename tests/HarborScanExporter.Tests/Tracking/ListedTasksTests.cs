using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>A scan that is over for longer than any window lives again when a worker takes its job: as long as Redis lists the job, its row is looked at.</summary>
public sealed class ListedTasksTests
{
    private static readonly TimeSpan Ago = TimeSpan.FromDays(2);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_scan_that_ended_long_ago_and_whose_job_redis_lists_is_seen_and_counted_when_it_lives_again(bool isQueued)
    {
        await using var redis = await RedisServer.StartAsync();
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        if (isQueued) await jobs.QueueAsync(Ago, "77aa00000000000000000001");
        else await jobs.InProgressAsync("77aa00000000000000000001", Ago);
        await using var harbor = await StartAsync(redis);
        await harbor.Seed.ExecuteAsync("update task set status = 'Running', status_code = 2 where job_id = '77aa00000000000000000001'; update execution set status = 'Running'");
        var scrape = await harbor.ScrapeAsync();

        Assert.Equal((1, 100), (Tasks(scrape, "Running"), Tasks(scrape, "Error")));
        Assert.Equal(1, scrape.Value("harbor_scan_executions", ("type", "IMAGE_SCAN"), ("status", "Running")));
    }

    [Fact]
    public async Task One_whose_job_is_in_no_list_is_not_looked_at()
    {
        await using var redis = await RedisServer.StartAsync();
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        await jobs.QueueAsync(Ago, "77aa00000000000000000002");
        await using var harbor = await StartAsync(redis);

        Assert.Equal(0, (await harbor.ScrapeAsync()).Value("harbor_scan_watched_rows", ("table", "task"), ("row", "finished")));
        await harbor.Seed.ExecuteAsync("update task set job_id = '77aa00000000000000000002' where id = 3");
        await harbor.ScrapeAsync();
        Assert.Equal(1, (await harbor.ScrapeAsync()).Value("harbor_scan_watched_rows", ("table", "task"), ("row", "finished")));
    }

    /// <summary>A hundred and one scans that failed two days ago, the first of them with a job that may be listed.</summary>
    private static Task<RememberingHarbor> StartAsync(RedisServer redis) => RememberingHarbor.StartAsync(async seed =>
    {
        var execution = await seed.ExecutionAsync(status: "Error", started: Ago);
        await seed.TaskAsync(execution, status: "Error", created: Ago, jobId: "77aa00000000000000000001");
        await seed.TaskAsync(execution, status: "Error", created: Ago, copies: 100);
    }, changes: ("HARBOR_REDIS_URL", redis.Url));

    private static double Tasks(MetricsDocument scrape, string status) => scrape.Value("harbor_scan_tasks", ("type", "IMAGE_SCAN"), ("status", status));
}
