using System.Diagnostics;
using CsCheck;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// After any history of a simulated Harbor on a real Redis and a real PostgreSQL, nothing alive is called stuck, and everything dead is
/// called so as soon as the evidence allows.
/// </summary>
public sealed class EvidencePropertyTests(ITestOutputHelper output)
{
    /// <summary>Of a normal run.</summary>
    private const int Few = 12;

    /// <summary>A history depends on the time of day, and rare words are not in every few: seeds go on until each was seen, up to this many.</summary>
    private const int MostHistories = 400;

    /// <summary>A database number without a job service.</summary>
    private const int Elsewhere = 9;

    /// <summary>So many problems of one history are told.</summary>
    private const int Told = 4;

    [Fact]
    public async Task After_any_history_exactly_what_is_dead_is_called_stuck()
    {
        var last = HistorySeeds.Last(Few);
        await using var redis = await RedisServer.StartAsync();
        var clock = Stopwatch.StartNew();
        var seen = new SortedDictionary<string, int>(StringComparer.Ordinal);
        List<string> problems = [];
        var tried = 0;
        for (var seed = HistorySeeds.First; seed <= last || (seed <= MostHistories && problems.Count == 0 && Unseen(seen).Any()); seed++)
        {
            tried++;
            var history = (seed % 4 == 0 ? History.Any : History.EndingInTrouble).Generate(new PCG(2, (ulong)seed), null, out _);
            problems.AddRange((await TryAsync(history, redis, seen)).Take(Told).Select(problem => $"Seed {seed}: {problem}{Environment.NewLine}  {history}"));
        }
        output.WriteLine($"{tried} histories from seed {HistorySeeds.First} on, in {clock.Elapsed.TotalSeconds:0.0} s. Open tasks seen, by evidence, truth and word:");
        foreach (var (what, number) in seen) output.WriteLine($"  {what} {number}");
        Assert.True(problems.Count == 0, string.Join(Environment.NewLine, problems));
        Assert.Empty(Unseen(seen));
    }

    private static IEnumerable<string> Unseen(SortedDictionary<string, int> seen) => Judgement.Verdicts.Concat(Judgement.States).Select(judgement => judgement.Word)
        .Where(word => !seen.Keys.Any(key => key.EndsWith($" {word}", StringComparison.Ordinal)));

    private static async Task<IReadOnlyList<string>> TryAsync(History history, RedisServer redis, SortedDictionary<string, int> seen)
    {
        await redis.Database.ExecuteAsync("FLUSHDB");
        await using var harbor = await TestHarbor.CreateAsync(history.Release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, history.Length, history.Settings);
        await history.PlayAsync(simulated.Simulation);
        // What is done to it happens in memory for speed; from here on Redis is the truth.
        await simulated.Simulation.MoveToRedisAsync(redis.Database);
        var earlier = new Dictionary<int, IReadOnlyList<ScanTruth>>();
        foreach (var minutes in VerdictsAgainstTruth.Minutes.Where(minutes => minutes <= history.Rest))
        {
            await simulated.CatchUpAsync(TimeSpan.FromMinutes(minutes));
            earlier[minutes] = await simulated.Simulation.TruthAsync();
        }
        var url = Path.GetTempFileName();
        await File.WriteAllTextAsync(url, redis.Url);
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL_FILE", url));

        // Two looks a minute apart by the exporter's clock. Harbor lives only seconds meanwhile: a heartbeat of a minute ago is a dead pool's.
        await simulated.CatchUpAsync(TimeSpan.FromSeconds(12));
        List<string> problems = [];
        await LookAsync("first look");
        time.Advance(TimeSpan.FromSeconds(61));
        await simulated.CatchUpAsync();
        await LookAsync("second look");
        // Redis cannot be used any more: what is called stuck now is called so by its row alone.
        await File.WriteAllTextAsync(url, redis.UrlOf(Elsewhere));
        await LookAsync("blind");
        File.Delete(url);
        return problems;

        async Task LookAsync(string look)
        {
            var observed = await exporter.Services.GetRequiredService<ObservationGate>().ObserveAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
            if (observed.Reason is not null || observed.Diagnosed is not { } diagnosed)
            {
                problems.Add($"{look}: {string.Join(' ', exporter.Warnings)}");
                return;
            }
            var truths = await simulated.Simulation.TruthAsync();
            var verdicts = new VerdictsAgainstTruth(diagnosed, truths, look == "second look" ? earlier : null, simulated.Simulation.Now, history.HidesWhoseReportItIs,
                await ResultsWithinClockDifference.TasksAsync(harbor));
            var expected = look == "blind" ? EvidenceState.Empty : EvidenceState.Usable;
            if (diagnosed.JobService.State != expected) problems.Add($"{look}: Redis is {diagnosed.JobService.State}, {diagnosed.JobService.Problem}");
            problems.AddRange((look == "blind" ? verdicts.ProblemsOfTheBlind() : verdicts.Problems()).Select(problem => $"{look}: {problem}"));
            var known = truths.ToDictionary(truth => truth.TaskId);
            foreach (var task in diagnosed.Tasks)
            {
                var what = $"{look}: {(known.GetValueOrDefault(task.Task.Id) is { } truth ? $"{truth.Fate}{(truth.IsStored ? " with report" : "")}" : "over")} {task.Judgement.Word}";
                seen[what] = seen.GetValueOrDefault(what) + 1;
            }
        }
    }
}
