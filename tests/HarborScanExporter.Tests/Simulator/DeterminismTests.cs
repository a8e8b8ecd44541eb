using HarborSimulator;

namespace HarborScanExporter.Tests.Simulator;

public sealed class DeterminismTests
{
    private static readonly string[] Tables = ["execution", "task", "scan_report", "sbom_report", "artifact", "robot", "role_permission", "schedule", "scanner_registration"];

    [Fact]
    public async Task The_same_seed_writes_the_same_rows_and_another_seed_others()
    {
        var first = await HistoryAsync(1);
        Assert.True(first.Count > 500, $"{first.Count} rows");
        Assert.Equal(first, await HistoryAsync(1));
        Assert.NotEqual(first, await HistoryAsync(2));
    }

    private static async Task<List<string>> HistoryAsync(int seed)
    {
        await using var simulated = await Simulated.StartAsync("2.11.0",
            new SimulationSettings { Seed = seed, PushesPerHour = 20, ScanAllAt = new TimeOnly(2, 0), BackgroundJobs = true });
        await simulated.AdvanceAsync(TimeSpan.FromHours(3));
        await simulated.Harbor.LoseRedisAsync(TestContext.Current.CancellationToken);
        simulated.Harbor.KillJobService();
        await simulated.Harbor.StartJobServiceAsync(TestContext.Current.CancellationToken);
        await simulated.AdvanceAsync(TimeSpan.FromHours(3));
        List<string> rows = [];
        foreach (var table in Tables) rows.AddRange(await simulated.RowsAsync($"select '{table}', t::text from {table} t order by id"));
        return rows;
    }
}
