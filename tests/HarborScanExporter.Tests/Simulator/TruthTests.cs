using HarborSimulator;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>The truth that the simulation tells about its scans is what then happens.</summary>
public sealed class TruthTests
{
    [Theory]
    [InlineData(1, "2.7.2")]
    [InlineData(2, "2.8.4")]
    [InlineData(3, "2.9.5")]
    [InlineData(4, "2.11.0")]
    [InlineData(5, "2.13.0")]
    [InlineData(6, "2.16.0")]
    [InlineData(7, "2.11.0")]
    [InlineData(8, "2.15.0")]
    public async Task After_any_history_exactly_the_scans_end_that_are_said_to_end(int seed, string release)
    {
        await using var simulated = await Simulated.StartAsync(release,
            new SimulationSettings { Seed = seed, Pools = seed % 2 + 1, KeepsReports = seed % 4 > 1, WorkersPerPool = 3, MeanScan = TimeSpan.FromMinutes(12), Sweeps = false });
        var random = new Random(seed);
        var token = TestContext.Current.CancellationToken;
        var harbor = simulated.Harbor;
        HashSet<ScanFate> seen = [];
        for (var step = 0; step < 25; step++)
        {
            for (var push = random.Next(2, 6); push > 0; push--) await harbor.PushAndScanAsync(tag: $"{step}.{push}", children: random.Next(8) == 0 ? 2 : 0, cancellationToken: token);
            await simulated.AdvanceAsync(TimeSpan.FromMinutes(random.Next(2, 25)));
            var open = await harbor.TruthAsync(token);
            foreach (var truth in open) seen.Add(truth.Fate);
            if (open.Count == 0) continue;
            var victim = open[random.Next(open.Count)].TaskId;
            switch (random.Next(17))
            {
                case 0: await harbor.LoseRedisAsync(token); break;
                case 1: await harbor.LoseJobAsync(victim, token); break;
                case 2: await harbor.LoseRecordAsync(victim, token); break;
                case 3:
                    harbor.KillJobService();
                    await simulated.AdvanceAsync(TimeSpan.FromMinutes(random.Next(1, 60)));
                    await harbor.StartJobServiceAsync(token);
                    break;
                case 4: harbor.LoseFinalHook(victim); break;
                case 5 when harbor.IsRunning(victim): await harbor.FinishWithoutTellingAsync(victim, random.Next(2) == 0, token); break;
                case 6 when harbor.IsRunning(victim): harbor.Hang(victim); break;
                case 7: harbor.PickNextBeforeSaved(1); break;
                case 8: await harbor.StopTaskAsync(victim, token); break;
                case 9:
                    harbor.StopCore();
                    await simulated.AdvanceAsync(TimeSpan.FromMinutes(random.Next(1, 90)));
                    harbor.StartCore();
                    break;
                case 10: await harbor.StopQueueAsync(cancellationToken: token); break;
                case 11: await harbor.ScanAllAsync(manual: false, token); break;
                case 12: await simulated.RunAsync($"update task set status_revision = null where id = {victim}"); break;
                case 13: await harbor.LoseRedisAsync(token); harbor.KillJobService(); await harbor.StartJobServiceAsync(token); break;
                case 14:
                    await harbor.StopJobServiceAsync(token);
                    await simulated.AdvanceAsync(TimeSpan.FromMinutes(random.Next(0, 30)));
                    await harbor.StartJobServiceAsync(token);
                    break;
                case 15 when harbor.IsRunning(victim): await harbor.StoreAndKillAsync(victim, token); await harbor.StartJobServiceAsync(token); break;
                case 16:
                    harbor.KillJobService();
                    await harbor.LoseRedisAsync(token);
                    await simulated.AdvanceAsync(TimeSpan.FromMinutes(random.Next(0, 30)));
                    await harbor.StartJobServiceAsync(token);
                    break;
            }
        }
        var truths = await harbor.TruthAsync(token);
        Assert.True(truths.Count > 3 && seen.Count > 2, $"{truths.Count} open, {string.Join(',', seen)}");
        await simulated.AdvanceAsync(TimeSpan.FromHours(60));
        var ended = (await simulated.RowsAsync("select id from task where status not in ('Pending', 'Scheduled', 'Running')")).Select(long.Parse).ToHashSet();
        foreach (var truth in truths) Assert.True(ended.Contains(truth.TaskId) == truth.WillEndByItself, truth.ToString());
    }
}
