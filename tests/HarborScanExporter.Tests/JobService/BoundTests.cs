using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>Of more open tasks than one collection asks Redis about, the oldest are judged and the rest are called nothing they may not be.</summary>
public sealed class BoundTests
{
    [Fact]
    public async Task Beyond_5000_tasks_nothing_is_lost()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var hour = TimeSpan.FromHours(1);
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 9 * hour, vendorId: 0);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", created: 9 * hour, copies: 5_000);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", created: 8 * hour, copies: 300);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", revision: RevisionAgo(7 * hour), created: 7 * hour, copies: 200);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Running", revision: RevisionAgo(6 * hour), created: 6 * hour, update: Ago(6 * hour), end: ZeroTime, copies: 20);
        await situation.Seed.TaskAsync(execution, "SCAN_ALL", "Running", revision: RevisionAgo(hour), created: 6 * hour, update: Ago(hour), end: ZeroTime, copies: 10);
        foreach (var status in new[] { "Pending", "Running" }) await situation.Seed.NumberJobsAsync(execution, status, status);
        await situation.FirstLookAsync();
        await situation.IsToldNowAsync(new Told { Stuck = ["SCAN_ALL lost 5000"], Live = ["SCAN_ALL unjudged 320", "SCAN_ALL queued 200", "SCAN_ALL running 10"] });
    }

    [Fact]
    public async Task In_the_middle_of_a_long_queue_nothing_is_not_queued()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var hour = TimeSpan.FromHours(1);
        string[] jobs = [.. Enumerable.Range(1, 1_200).Select(i => $"job{i}")];
        await situation.Jobs.BacklogAsync(4 * hour, jobs);
        await situation.Jobs.RecordAsync("elsewhere", "Pending", 4 * hour, acknowledged: "Pending");
        var execution = await situation.Seed.ExecutionAsync(started: 5 * hour);
        // The next, the middle and the last of the queue, and one that is in no queue.
        foreach (var job in new[] { "job1", "job600", "job1200", "elsewhere" })
        {
            await situation.Seed.TaskAsync(execution, revision: RevisionAgo(4 * hour), created: 4 * hour, jobId: job);
            await situation.Seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(3 * hour), created: 4 * hour, update: Ago(3 * hour), end: ZeroTime, jobId: job);
        }
        await situation.IsToldAsync(new Told { Live = ["IMAGE_SCAN queued 4", "IMAGE_SCAN requeued 2", "IMAGE_SCAN unjudged 2"] });
        // Read in whole, it proves the absence; a first look at it is needed again.
        await situation.Redis.Database.ListTrimAsync(JobServiceSeed.Prefix + "jobs:IMAGE_SCAN", 200, -1);
        await situation.IsToldAsync(new Told { Stuck = ["IMAGE_SCAN not_queued 4"], Live = ["IMAGE_SCAN queued 2", "IMAGE_SCAN requeued 2"] });
    }
}
