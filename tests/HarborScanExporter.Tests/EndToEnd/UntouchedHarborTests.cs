using HarborScanExporter.Diagnosis;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// A Harbor after a day of trouble, and a day of alerts that wake repairs: as long as repairs are off, dry, or without grants, no row of any
/// of Harbor's tables changes. The same Harbor is repaired once they may.
/// </summary>
public sealed class UntouchedHarborTests
{
    /// <summary>Every quarter of an hour.</summary>
    private const int Wakes = 96;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_day_of_alerts_changes_no_row_unless_repairs_may_and_can_be_written()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.8.0");
        await using var redis = await RedisServer.StartAsync();
        await PlayAsync(harbor, redis);
        // Three exporters; the role is made for two.
        await harbor.Database.ExecuteAsync($"alter role {harbor.Role} connection limit 12");
        await using var off = await RepairingHarbor.StartAsync(harbor: harbor, redis: redis, limits: limits => limits with { Mode = RemediationMode.Off });
        await using var dry = await RepairingHarbor.StartAsync(harbor: harbor, redis: redis, limits: limits => limits with { Mode = RemediationMode.DryRun });
        await using var armed = await RepairingHarbor.StartAsync(harbor: harbor, redis: redis);
        var before = await off.ChecksumAsync();

        var ofOff = await DayAsync(off);
        Assert.Equal(before, await off.ChecksumAsync());
        Assert.All(ofOff, result => Assert.Equal((RunEnd.Blocked, 0), (result.End, result.Outcomes.Count)));

        var ofDry = await DayAsync(dry);
        Assert.Equal(before, await off.ChecksumAsync());
        Assert.Equal("", await dry.AuditAsync());
        // The statements ran: each of these rows was changed and changed back.
        Assert.True(ofDry[^1].Outcomes.Count(outcome => outcome.State == RepairState.Done) >= 10, $"{ofDry[^1].End} {ofDry[^1].Problem}");

        await harbor.Database.ExecuteAsync($"revoke execute on function {TestHarbor.WriteTask} from {harbor.RepairRole}");
        await harbor.Database.ExecuteAsync($"revoke execute on function harbor_scan.write_execution(bigint, text, text, timestamp) from {harbor.RepairRole}");
        var without = await DayAsync(armed);
        Assert.Equal(before, await off.ChecksumAsync());
        Assert.DoesNotContain(without.SelectMany(result => result.Outcomes), outcome => outcome.State != RepairState.Failed);
        Assert.Contains(without.SelectMany(result => result.Outcomes), outcome => outcome.Failure == RepairFailure.Permission);

        await harbor.GrantRemediationAsync();
        await harbor.Database.ExecuteAsync("delete from harbor_scan.repair");
        var repaired = await armed.RunAsync(overrideShare: true);
        Assert.NotEqual(before, await off.ChecksumAsync());
        Assert.True(repaired.Outcomes.Count(outcome => outcome.State == RepairState.Done) >= 10, $"{repaired.End} {repaired.Problem}");
    }

    /// <summary>Scans, a stopped queue, an emptied Redis and lost refreshes; then a job service that lives.</summary>
    private static async Task PlayAsync(TestHarbor harbor, RedisServer redis)
    {
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(30), new SimulationSettings { Seed = 4, Sweeps = false, WorkersPerPool = 2, MeanScan = 10 * Minute });
        var simulation = simulated.Simulation;
        await simulated.ScanAsync(30, "first");
        await simulation.AdvanceAsync(20 * Minute);
        await simulation.StopQueueAsync();
        await simulated.ScanAsync(30, "second");
        await simulation.AdvanceAsync(20 * Minute);
        await simulation.LoseRedisAsync();
        await simulation.AdvanceAsync(60 * Minute);
        simulation.LoseRefreshes(true);
        await simulated.ScanAsync(5, "third");
        await simulation.AdvanceAsync(120 * Minute);
        await simulated.CatchUpAsync();
        await simulation.MoveToRedisAsync(redis.Database);
        await new JobServiceSeed(redis).UpAsync(started: TimeSpan.FromHours(2));
    }

    /// <summary>Each wake of an alert is a look and a run, a quarter of an hour after the one before.</summary>
    private static async Task<List<RunResult>> DayAsync(RepairingHarbor exporter)
    {
        List<RunResult> results = [];
        await exporter.SeeTwiceAsync();
        for (var i = 0; i < Wakes; i++)
        {
            exporter.Time.Advance(15 * Minute);
            results.Add(await exporter.Run.RunAsync(
                new RunRequest { Asker = new Asker(RunSource.Alert, "HarborScanLost"), OverrideShare = true, WaitsForSecondLook = false }, TestContext.Current.CancellationToken));
        }
        return results;
    }
}
