using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>For some hours core heard no hook of the job service; now it does again, and Harbor is about to heal every row by itself.</summary>
public sealed class AfterABlackoutTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Scans_that_wait_since_before_core_was_down_are_not_lost() =>
        Assert.DoesNotContain(await StuckAfterAsync(simulation =>
        {
            simulation.StopCore();
            return Task.CompletedTask;
        }, simulation =>
        {
            simulation.StartCore();
            return Task.CompletedTask;
        }, rest: 10 * Minute), IsWaiting);

    [Fact]
    public async Task Scans_that_wait_since_before_Harbor_was_read_only_are_not_lost() =>
        Assert.DoesNotContain(await StuckAfterAsync(simulation => simulation.SetReadOnlyAsync(true), simulation => simulation.SetReadOnlyAsync(false), rest: 10 * Minute), IsWaiting);

    [Fact]
    public async Task Scans_that_wait_since_before_the_job_service_was_down_are_not_lost() =>
        Assert.DoesNotContain(await StuckAfterAsync(simulation =>
        {
            simulation.KillJobService();
            return Task.CompletedTask;
        }, simulation => simulation.StartJobServiceAsync(), rest: 2 * Minute), IsWaiting);

    /// <summary>
    /// A scan whose end core did not hear is rightly called unreported, and one that is being requeued overdue, until Harbor mends it; a
    /// waiting one is alive.
    /// </summary>
    private static bool IsWaiting(string series) => series.Contains("status=\"Pending\"", StringComparison.Ordinal);

    /// <summary>Forty scans for two workers, 150 minutes without hooks, a rest, and what is called stuck.</summary>
    private static async Task<string[]> StuckAfterAsync(Func<HarborSimulation, Task> begin, Func<HarborSimulation, Task> end, TimeSpan rest)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, 4 * 60 * Minute,
            new SimulationSettings { ErrorShare = 0, Sweeps = false, WorkersPerPool = 2, MeanScan = 20 * Minute });
        // Just after the reaper's round, which comes 5 minutes after the start and then hourly.
        await simulated.CatchUpAsync(150 * Minute + rest + Minute);
        await simulated.ScanAsync(40, "waiting");
        await simulated.CatchUpAsync(150 * Minute + rest);
        await begin(simulated.Simulation);
        await simulated.CatchUpAsync(rest);
        await end(simulated.Simulation);
        await simulated.CatchUpAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var stuck = (await exporter.ScrapeAsync(60)).NonZero("harbor_scan_stuck_tasks");
        var truths = await simulated.Simulation.TruthAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(Environment.NewLine, truths));
        Assert.All(truths, truth => Assert.True(truth.WillEndByItself, truth.ToString()));
        // They end: two workers need some hours for forty scans, and the reaper tells what was not told within its hour.
        await simulated.Simulation.AdvanceAsync(12 * 60 * Minute);
        Assert.Empty(await simulated.Simulation.TruthAsync());
        return stuck;
    }
}
