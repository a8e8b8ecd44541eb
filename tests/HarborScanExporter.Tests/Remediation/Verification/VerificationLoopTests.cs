using HarborScanExporter.Hosting;
using HarborScanExporter.Remediation.Verification;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;

namespace HarborScanExporter.Tests.Remediation.Verification;

/// <summary>The loop sleeps until a look is due, by a clock that only the test moves.</summary>
public sealed class VerificationLoopTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_run_wakes_the_loop_and_it_looks_when_a_look_is_due_also_after_a_restart()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await using (await LoopAsync(harbor))
        {
            await SeedLostAsync(harbor);
            await harbor.RepairAsync();
            await harbor.AgeAsync(TimeSpan.FromMinutes(2));
            // It sleeps until the line is due by what it was told at the end of the run.
            await AdvanceUntilAsync(harbor, "finish_task done 1 held", TimeSpan.FromMinutes(2));
        }
        await harbor.AgeAsync(TimeSpan.FromMinutes(70));
        Assert.Equal("finish_task done 1 held", await harbor.SeenAsync());
        await using (await LoopAsync(harbor)) await AdvanceUntilAsync(harbor, "finish_task done 2 held", TimeSpan.Zero);
    }

    [Fact]
    public async Task While_nothing_is_due_it_asks_the_database_four_times_an_hour()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await using var loop = await LoopAsync(harbor);
        await harbor.Time.HasBegunAsync(VerificationLoop.LongestSleep, 1);
        var before = await TransactionsAsync(harbor);
        for (var i = 0; i < 14; i++)
        {
            harbor.Time.Advance(TimeSpan.FromMinutes(1));
            // It sleeps the same sleep still.
            await harbor.Time.IsWaitedForAsync(VerificationLoop.LongestSleep);
        }
        Assert.Equal(1, harbor.Time.Begun(VerificationLoop.LongestSleep));
        Assert.Equal(before, await TransactionsAsync(harbor));
        harbor.Time.Advance(TimeSpan.FromMinutes(2));
        await harbor.Time.HasBegunAsync(VerificationLoop.LongestSleep, 2);
        Assert.NotEqual(before, await TransactionsAsync(harbor));
    }

    [Fact]
    public async Task While_the_audit_cannot_be_read_it_says_so_once_and_goes_on()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await SeedLostAsync(harbor);
        await harbor.RepairAsync();
        await harbor.AgeAsync(TimeSpan.FromMinutes(2));
        await harbor.Seed.ExecuteAsync($"revoke select on harbor_scan.repair from {harbor.Harbor.RepairRole}");
        await using var loop = await LoopAsync(harbor);
        for (var failed = 1; failed <= 3; failed++)
        {
            await harbor.Time.HasBegunAsync(RepairVerification.Again, failed);
            harbor.Time.Advance(TimeSpan.FromMinutes(1.1));
        }
        await harbor.Time.HasBegunAsync(RepairVerification.Again, 4);
        var told = Assert.Single(harbor.Pieces.GetRequiredService<FakeLogCollector>().GetSnapshot(), line => line.Level == LogLevel.Warning);
        Assert.Contains("(permission)", told.Message, StringComparison.Ordinal);
        await harbor.Seed.ExecuteAsync($"grant select on harbor_scan.repair to {harbor.Harbor.RepairRole}");
        await AdvanceUntilAsync(harbor, "finish_task done 1 held", TimeSpan.FromMinutes(2));
    }

    private static async Task<StartedLoop> LoopAsync(RepairingHarbor harbor)
    {
        var rounds = ActivatorUtilities.CreateInstance<VerificationLoop>(harbor.Pieces);
        var loop = new RepeatingService("The look at whether repairs held", rounds.RoundAsync, harbor.Time, NullLogger<RepeatingService>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);
        return new StartedLoop(loop);
    }

    /// <summary>Moves the clock in small steps, at most so far, until the audit reads as expected.</summary>
    private static async Task AdvanceUntilAsync(RepairingHarbor harbor, string expected, TimeSpan most)
    {
        for (var moved = TimeSpan.Zero; moved < most && await harbor.SeenAsync() != expected; moved += TimeSpan.FromSeconds(10))
        {
            // Not while it looks: it goes to sleep for a time that counts from then.
            await harbor.Time.IsWaitedForAsync(RepairVerification.WhenBusy);
            harbor.Time.Advance(TimeSpan.FromSeconds(10));
        }
        for (var i = 0; i < 100 && await harbor.SeenAsync() != expected; i++) await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal(expected, await harbor.SeenAsync());
    }

    /// <summary>Statements of the repairing role's connections: the start of its newest transaction.</summary>
    private static Task<string> TransactionsAsync(RepairingHarbor harbor) => harbor.Harbor.Database.ScalarAsync<string>(
        $"select coalesce(max(query_start)::text, '') from pg_stat_activity where usename = '{harbor.Harbor.RepairRole}'");

    private static async Task SeedLostAsync(RepairingHarbor harbor)
    {
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, created: 5 * Hour);
    }

    private sealed class StartedLoop(RepeatingService loop) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await loop.StopAsync(CancellationToken.None);
            loop.Dispose();
        }
    }
}
