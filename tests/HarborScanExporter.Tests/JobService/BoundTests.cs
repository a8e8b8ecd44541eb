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
}
