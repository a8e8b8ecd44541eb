using System.Diagnostics;
using CsCheck;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Remediation.Verification;
using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// After any history that ends in trouble, repairs write Success into nothing but scans whose result is stored, and nothing at all into what
/// is alive: neither at once nor when they look again at what they wrote. On a Harbor that makes reports anew and on one that keeps them.
/// </summary>
public sealed class RepairPropertyTests(ITestOutputHelper output)
{
    /// <summary>Of a normal run.</summary>
    private const int Few = 8;

    /// <summary>A history depends on the time of day: seeds go on until each of <see cref="Wanted"/> was seen, up to this many.</summary>
    private const int MostHistories = 400;

    private static readonly string[] Wanted = ["Kept, Lost over an old report → Error", "Kept, Unreported with report → Success", "MadeAnew, Unreported with report → Success"];

    private static readonly TimeSpan TwoMinutes = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan SeventyMinutes = TimeSpan.FromMinutes(70);

    /// <summary>So many problems of one history are told.</summary>
    private const int Told = 4;

    [Fact]
    public async Task After_any_history_only_what_finished_is_written_Success()
    {
        var last = HistorySeeds.Last(Few);
        await using var redis = await RedisServer.StartAsync();
        var clock = Stopwatch.StartNew();
        var seen = new SortedDictionary<string, int>(StringComparer.Ordinal);
        List<string> problems = [];
        var tried = 0;
        for (var seed = HistorySeeds.First; seed <= last || (seed <= MostHistories && problems.Count == 0 && Wanted.Except(seen.Keys).Any()); seed++)
        {
            tried++;
            var history = History.EndingInTrouble.Generate(new PCG(5, (ulong)seed), null, out _);
            problems.AddRange((await TryAsync(history, redis, seen)).Take(Told).Select(problem => $"Seed {seed}: {problem}{Environment.NewLine}  {history}"));
        }
        output.WriteLine($"{tried} histories from seed {HistorySeeds.First} on, in {clock.Elapsed.TotalSeconds:0.0} s. Runs, and open tasks by kind of report, truth and what was written:");
        foreach (var (what, number) in seen) output.WriteLine($"  {what} {number}");
        Assert.True(problems.Count == 0, $"{problems.Count} problems.{Environment.NewLine}{string.Join(Environment.NewLine, problems)}");
        Assert.Empty(Wanted.Except(seen.Keys));
    }

    private static async Task<IReadOnlyList<string>> TryAsync(History history, RedisServer redis, SortedDictionary<string, int> seen)
    {
        await redis.Database.ExecuteAsync("FLUSHDB");
        await using var harbor = await TestHarbor.CreateAsync(history.Release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, history.Length, history.Settings);
        await history.PlayAsync(simulated.Simulation);
        await simulated.Simulation.MoveToRedisAsync(redis.Database);
        await simulated.CatchUpAsync();
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor, redis: redis,
            limits: limits => limits with { MaxPerRun = 1000, MaxPerHour = 10_000, MaxPerDay = 10_000 });
        await repairing.SeeTwiceAsync();
        await simulated.CatchUpAsync();
        // From here on Harbor stands still: what is true now is true of all that is written.
        var truths = await simulated.Simulation.TruthAsync();
        var stored = await StoredAsync(harbor);
        var within = await ResultsWithinClockDifference.TasksAsync(harbor);
        var result = await repairing.RunAsync(overrideShare: true);
        Count($"Runs: {result.End}");
        List<string> problems = [];
        await CompareAsync("At once");
        await repairing.AgeAsync(TwoMinutes);
        await repairing.VerifyAsync();
        await repairing.AgeAsync(SeventyMinutes);
        await repairing.VerifyAsync();
        await CompareAsync("Looked at again");
        foreach (var (truth, status) in await WrittenAsync())
        {
            var old = !truth.IsStored && stored.Contains(truth.TaskId) ? " over an old report" : "";
            Count($"{history.Reports}, {truth.Fate}{(truth.IsStored ? " with report" : "")}{old} → {(ScanStatus.IsFinal(status) ? status : "left")}");
        }
        return problems;

        void Count(string what) => seen[what] = seen.GetValueOrDefault(what) + 1;

        async Task CompareAsync(string when)
        {
            foreach (var (truth, status) in await WrittenAsync())
            {
                if (!ScanStatus.IsFinal(status)) continue;
                if (truth.IsAlive) problems.Add($"{when}, alive and written {status}: {truth}");
                else if (status == ScanStatus.Success && !truth.IsStored && !within.Contains(truth.TaskId)) problems.Add($"{when}, not finished and written Success: {truth}");
                else if (status != ScanStatus.Success && truth.IsStored && !history.HidesWhoseReportItIs) problems.Add($"{when}, finished and written {status}: {truth}");
            }
        }

        async Task<List<(ScanTruth Truth, string Status)>> WrittenAsync()
        {
            List<(ScanTruth, string)> written = [];
            foreach (var truth in truths) written.Add((truth, await harbor.Database.ScalarAsync<string>($"select status from task where id = {truth.TaskId}")));
            return written;
        }
    }

    /// <summary>The open tasks whose report says something, whoever made it.</summary>
    private static async Task<IReadOnlyCollection<long>> StoredAsync(TestHarbor harbor) =>
        [.. await harbor.Database.ScalarAsync<long[]>("""
            select coalesce(array_agg(t.id::bigint), '{}') from task t
            where t.status in ('Pending', 'Scheduled', 'Running') and exists (
                select 1 from scan_report r where r.report is not null and t.extra_attrs::jsonb -> 'report_uuids' ? r.uuid)
            """)];
}
