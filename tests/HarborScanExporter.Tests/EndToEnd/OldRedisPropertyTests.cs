using System.Diagnostics;
using CsCheck;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Observation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// A Redis that stands still beside a database that goes on: a restored backup, a replica that is cut off, Sentinel's former master, a database
/// number that held a job service until yesterday. However old its keys are, no live scan is called stuck, at any look (design 3.3).
/// </summary>
public sealed class OldRedisPropertyTests(ITestOutputHelper output)
{
    /// <summary>Of a normal run.</summary>
    private const int Few = 12;

    /// <summary>Seconds for which a snapshot is old when it is not one of the middle of a history: in most of them the heartbeats are still fresh.</summary>
    private static readonly int[] Ages = [0, 1, 3, 6, 10, 15, 20, 24, 28, 31, 45, 90, 600];

    /// <summary>When the exporter looks, by its own clock.</summary>
    private static readonly (string Name, TimeSpan After)[] Looks =
        [("first look", TimeSpan.Zero), ("after 61 s", TimeSpan.FromSeconds(61)), ("after 20 min", TimeSpan.FromMinutes(19)), ("after 3 h", TimeSpan.FromMinutes(160))];

    /// <summary>So many problems of one history are told.</summary>
    private const int Told = 4;

    [Fact]
    public async Task Whatever_the_age_of_the_keys_no_live_scan_is_called_stuck()
    {
        var last = HistorySeeds.Last(Few);
        await using var redis = await RedisServer.StartAsync();
        var clock = Stopwatch.StartNew();
        var seen = new SortedDictionary<string, int>(StringComparer.Ordinal);
        List<string> problems = [];
        for (var seed = HistorySeeds.First; seed <= last; seed++)
        {
            var isYoung = seed % 2 == 0;
            var history = (seed % 4 == 1 ? History.Any : History.EndingInTrouble).Generate(new PCG(4, (ulong)seed), null, out _);
            problems.AddRange((await TryAsync(history, seed, isYoung, redis, seen)).Take(Told).Select(problem => $"Seed {seed}: {problem}{Environment.NewLine}  {history}"));
        }
        output.WriteLine($"{last - HistorySeeds.First + 1} histories, seeds {HistorySeeds.First} to {last}, in {clock.Elapsed.TotalSeconds:0.0} s. Open tasks seen, by age of the keys, evidence, truth and word:");
        foreach (var (what, number) in seen) output.WriteLine($"  {what} {number}");
        Assert.True(problems.Count == 0, $"{problems.Count} problems.{Environment.NewLine}{string.Join(Environment.NewLine, problems)}");
        // Rows that are younger than the keys, and alive, are what it is about.
        Assert.Contains(seen.Keys, what => what.Contains("younger", StringComparison.Ordinal) && what.Contains("alive", StringComparison.Ordinal));
    }

    private static async Task<IReadOnlyList<string>> TryAsync(History history, int seed, bool isYoung, RedisServer redis, SortedDictionary<string, int> seen)
    {
        await redis.Database.ExecuteAsync("FLUSHDB");
        await using var harbor = await TestHarbor.CreateAsync(history.Release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, history.Length, history.Settings);
        var simulation = simulated.Simulation;
        var copied = await CopyAsync();
        // The database goes on, and something is always scanned at the end.
        await simulation.AdvanceToAsync(copied + (await simulated.NowAsync() - copied) / 2);
        await simulated.ScanAsync(3, "newest");
        await simulated.CatchUpAsync();
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL", redis.Url));
        List<string> problems = [];
        foreach (var (look, after) in Looks)
        {
            time.Advance(after);
            await simulated.CatchUpAsync();
            await LookAsync(look);
        }
        return problems;

        async Task<DateTime> CopyAsync()
        {
            DateTime? at = null;
            await history.PlayAsync(simulation, isYoung ? null : async number =>
            {
                if (number != seed % history.Steps.Count) return;
                await simulation.CopyKeysAsync(redis.Database);
                at = simulation.Now;
            });
            if (at is { } early) return early;
            await simulated.CatchUpAsync(TimeSpan.FromSeconds(Ages[seed / 2 % Ages.Length]));
            await simulation.CopyKeysAsync(redis.Database);
            return simulation.Now;
        }

        async Task LookAsync(string look)
        {
            var observed = await exporter.Services.GetRequiredService<ObservationGate>().ObserveAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
            if (observed.Reason is not null || observed.Diagnosed is not { } diagnosed)
            {
                problems.Add($"{look}: {string.Join(' ', exporter.Warnings)}");
                return;
            }
            var truths = await simulation.TruthAsync();
            var age = simulation.Now - copied;
            problems.AddRange(new VerdictsAgainstTruth(diagnosed, truths, null, simulation.Now, history.HidesWhoseReportItIs, await ResultsWithinClockDifference.TasksAsync(harbor)).ProblemsOfTheOld()
                .Select(problem => $"{look}, keys {age.TotalSeconds:0} s old, Redis {diagnosed.JobService.State}: {problem}"));
            var known = truths.ToDictionary(truth => truth.TaskId);
            foreach (var task in diagnosed.Tasks)
            {
                var truth = known.GetValueOrDefault(task.Task.Id);
                var row = DateTime.UnixEpoch.AddSeconds(task.Task.Created ?? 0) > copied ? "younger" : "older";
                var what = $"{Old(age)}, {diagnosed.JobService.State}, {look}: {row} {(truth is null ? "over" : truth.IsAlive ? "alive" : truth.Fate.ToString())} {task.Judgement.Word}";
                seen[what] = seen.GetValueOrDefault(what) + 1;
            }
        }
    }

    private static string Old(TimeSpan age) => age.TotalSeconds switch
    {
        < 30 => "up to 30 s",
        < 3600 => "up to an hour",
        < 86400 => "up to a day",
        _ => "over a day",
    };
}
