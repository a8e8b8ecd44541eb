using System.Diagnostics;
using CsCheck;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// However rows come, go and change between two scrapes, an exporter that remembers ids says of open rows what plain queries beside it say, at
/// every scrape, and of all others what they say, at every reconciliation.
/// </summary>
public sealed class ActiveSetPropertyTests(ITestOutputHelper output)
{
    /// <summary>Of a normal run.</summary>
    private const int Few = 6;

    /// <summary>Seeds go on until each of <see cref="Wanted"/> was seen, up to this many.</summary>
    private const int MostHistories = 12;

    private static readonly string[] Wanted = ["late commits after more than ten minutes", "rows that came to life again", "restored", "failed over", "exporters restarted", "reconciliations compared"];

    private static readonly TimeSpan[] Intervals = [TimeSpan.FromMinutes(20), TimeSpan.FromHours(1), TimeSpan.FromHours(3)];

    [Fact]
    public async Task At_every_scrape_of_any_history_open_rows_are_told_as_plain_queries_tell_them()
    {
        var first = HistorySeeds.First;
        var count = HistorySeeds.Last(Few) - first + 1;
        // Whoever asks for a few looks for something else.
        var goesOn = !HistorySeeds.AreAsked || count >= MostHistories;
        await using var redis = await RedisServer.StartAsync();
        var clock = Stopwatch.StartNew();
        var seen = new SortedDictionary<string, long>(StringComparer.Ordinal);
        List<string> problems = [];
        var (steps, scrapes, tried) = (0, 0, 0);
        for (var seed = first; tried < count || (goesOn && tried < MostHistories && problems.Count == 0 && Unseen(seen).Any()); seed++, tried++)
        {
            var ofHarbor = seed % 2 == 0;
            var withRedis = seed / 2 % 2 == 0;
            var history = (ofHarbor ? WatchedHistory.OfHarbor : WatchedHistory.WithHands).Generate(new PCG(3, (ulong)seed), null, out _);
            await redis.Database.ExecuteAsync("FLUSHDB");
            await using var harbor = await TestHarbor.CreateAsync(history.Release);
            await using var run = await WatchedRun.StartAsync(harbor, history, ofHarbor, Intervals[seed / 4 % Intervals.Length], withRedis ? redis : null, seen);
            problems.AddRange((await run.PlayAsync()).Select(problem => $"Seed {seed}{(withRedis ? "" : " without Redis")}: {problem}{Environment.NewLine}  {history}"));
            steps += run.Steps;
            scrapes += run.Scrapes;
        }
        output.WriteLine($"{tried} histories, {steps} steps, {scrapes} scrapes compared, seeds {first} to {first + tried - 1}, in {clock.Elapsed.TotalSeconds:0.0} s. "
            + (WatchedExporters.Remembers ? "One exporter remembers." : "Both exporters read the whole tables."));
        foreach (var (what, number) in seen) output.WriteLine($"  {what} {number}");
        Assert.True(problems.Count == 0, string.Join(Environment.NewLine, problems));
        // Histories in which nothing of this happens would prove nothing.
        if (goesOn) Assert.Empty(Unseen(seen));
    }

    private static IEnumerable<string> Unseen(SortedDictionary<string, long> seen) => Wanted.Where(what => seen.GetValueOrDefault(what) <= 0);
}
