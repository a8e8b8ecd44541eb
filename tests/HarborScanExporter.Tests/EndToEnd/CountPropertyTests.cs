using System.Diagnostics;
using System.Text;
using CsCheck;
using HarborScanExporter.Tests.Simulator;
using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// After any history of a simulated Harbor the exporter counts what plain SQL counts, gives every open task one verdict or one state, and
/// calls nothing stuck that the simulator knows to be alive.
/// </summary>
public sealed class CountPropertyTests(ITestOutputHelper output)
{
    /// <summary>Of a normal run.</summary>
    private const int Few = 12;

    /// <summary>A history depends on the time of day: seeds go on until each of <see cref="Wanted"/> was seen, up to this many.</summary>
    private const int MostHistories = 400;

    private static readonly string[] Wanted =
        ["lost", "unreported", "overdue", "queued", "running", "paused", "unjudged", "execution_not_refreshed", "execution_without_tasks", "final_status_wrong_code"];

    private static readonly TimeSpan Soon = TimeSpan.FromHours(2);

    [Fact]
    public async Task After_any_history_counts_are_those_of_the_rows_and_nothing_alive_is_called_stuck()
    {
        var last = HistorySeeds.Last(Few);
        var clock = Stopwatch.StartNew();
        var seen = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var problems = new List<string>();
        var tried = 0;
        for (var seed = HistorySeeds.First; seed <= last || (seed <= MostHistories && problems.Count == 0 && Unseen(seen).Any()); seed++)
        {
            tried++;
            var history = History.Any.Generate(new PCG(1, (ulong)seed), null, out _);
            problems.AddRange((await TryAsync(history, seen)).Select(problem => $"Seed {seed}: {problem}{Environment.NewLine}  {history}"));
        }
        output.WriteLine($"{tried} histories from seed {HistorySeeds.First} on, in {clock.Elapsed.TotalSeconds:0.0} s. Open tasks and rows seen:");
        foreach (var (what, number) in seen) output.WriteLine($"  {what} {number}");
        Assert.True(problems.Count == 0, string.Join(Environment.NewLine, problems));
        Assert.Empty(Unseen(seen));
    }

    private static IEnumerable<string> Unseen(SortedDictionary<string, double> seen) => Wanted.Where(word => seen.GetValueOrDefault(word) <= 0);

    private static async Task<IReadOnlyList<string>> TryAsync(History history, SortedDictionary<string, double> seen)
    {
        await using var harbor = await TestHarbor.CreateAsync(history.Release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, history.Length, history.Settings);
        await history.PlayAsync(simulated.Simulation);
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_ENABLED", "orphan_reports"));
        await simulated.CatchUpAsync();
        var scrape = await exporter.ScrapeAsync(60);
        var truths = await simulated.Simulation.TruthAsync();
        Count(scrape, seen);
        List<string> problems = [];
        if (scrape.Value("harbor_scan_up") != 1) problems.Add(string.Join(' ', exporter.Warnings));
        await CompareAsync(harbor, scrape, problems);
        await JudgeAsync(harbor, exporter, truths, simulated.Simulation.Now, problems);
        return problems;
    }

    private static async Task CompareAsync(TestHarbor harbor, MetricsDocument scrape, List<string> problems)
    {
        var naive = new NaiveCounts(harbor, scrape.Value("harbor_scan_snapshot_timestamp_seconds"));
        Compare("harbor_scan_tasks", await naive.TasksAsync());
        Compare("harbor_scan_executions", await naive.ExecutionsAsync());
        Compare("harbor_scan_tasks_older_than", await naive.OlderThanAsync());
        Compare("harbor_scan_all_tasks", await naive.ScanAllTasksAsync());
        Compare("harbor_scan_leaked_robots", await naive.LeakedRobotsAsync());
        Compare("harbor_scan_inconsistencies", await naive.InconsistenciesAsync());
        string[] judged =
        [
            .. new[] { "IMAGE_SCAN", "SBOM", "SCAN_ALL" }
                .Select(type => (type, Tasks: scrape.Sum("harbor_scan_stuck_tasks", ("type", type)) + scrape.Sum("harbor_scan_live_tasks", ("type", type))))
                .Where(type => type.Tasks > 0).Select(type => $"{type.type} {type.Tasks}"),
        ];
        Compare("stuck and live", await naive.OpenAsync(), judged);

        void Compare(string family, string[] expected, string[]? actual = null)
        {
            actual ??= scrape.NonZero(family);
            if (!expected.SequenceEqual(actual)) problems.Add($"{family}: rows [{string.Join("; ", expected)}], scrape [{string.Join("; ", actual)}]");
        }
    }

    /// <summary>
    /// Judgement does not look at the type, so each task is given a type that says what is true of it, and the exporter is asked again:
    /// SBOM is alive, SCAN_ALL is ended by Harbor soon, IMAGE_SCAN is neither.
    /// </summary>
    private static async Task JudgeAsync(TestHarbor harbor, RunningExporter exporter, IReadOnlyList<ScanTruth> truths, DateTime now, List<string> problems)
    {
        await harbor.Database.ExecuteAsync("update task set vendor_type = 'IMAGE_SCAN' where vendor_type in ('SCAN_ALL', 'SBOM')");
        // Rows alone rightly say unreported where the report is stored, though Harbor will tell or run it again.
        var open = truths.Where(truth => !truth.IsStored).ToList();
        var alive = open.Where(truth => truth.IsAlive).ToList();
        var soon = open.Except(alive).Where(truth => truth.WillEndByItself && truth.HealsAt <= now + Soon).ToList();
        await MarkAsync(alive, "SBOM");
        await MarkAsync(soon, "SCAN_ALL");
        var scrape = await exporter.ScrapeAsync(60);
        foreach (var called in scrape.NonZero("harbor_scan_stuck_tasks"))
        {
            if (called.Contains("type=\"SBOM\"", StringComparison.Ordinal)) problems.Add($"Alive and called stuck: {called}{await RowsAsync(alive)}");
            if (called.Contains("type=\"SCAN_ALL\"", StringComparison.Ordinal) && !called.Contains("overdue", StringComparison.Ordinal))
                problems.Add($"Ended by Harbor within two hours and called stuck: {called}{await RowsAsync(soon)}");
        }

        Task MarkAsync(List<ScanTruth> tasks, string type) => tasks.Count == 0 ? Task.CompletedTask : harbor.Database.ExecuteAsync(
            $"update task set vendor_type = '{type}' where id in ({string.Join(',', tasks.Select(task => task.TaskId))})");

        async Task<string> RowsAsync(List<ScanTruth> tasks)
        {
            var text = new StringBuilder();
            foreach (var task in tasks.Take(6))
            {
                text.AppendLine().Append("    ").Append(task).Append(' ').Append(await Rows.OneAsync(harbor.Database.ConnectionString, $"""
                    select 'revision ' || coalesce(status_revision, -1), 'runs ' || run_count, 'created ' || (now() at time zone 'utc' - creation_time),
                           'updated ' || (now() at time zone 'utc' - update_time)
                    from task where id = {task.TaskId}
                    """));
            }
            return text.ToString();
        }
    }

    /// <summary>Adds up the verdicts, states and kinds of all types.</summary>
    private static void Count(MetricsDocument scrape, SortedDictionary<string, double> seen)
    {
        foreach (var (series, value) in scrape.Series)
        {
            if (value == 0) continue;
            var label = series.Split('{')[0] switch
            {
                "harbor_scan_stuck_tasks" => "verdict",
                "harbor_scan_live_tasks" => "state",
                "harbor_scan_inconsistencies" => "kind",
                _ => null,
            };
            if (label is null) continue;
            var word = series[(series.IndexOf($"{label}=\"", StringComparison.Ordinal) + label.Length + 2)..].Split('"')[0];
            seen[word] = seen.GetValueOrDefault(word) + value;
        }
        var robots = scrape.Value("harbor_scan_leaked_robots");
        if (robots > 0) seen["leaked robots"] = seen.GetValueOrDefault("leaked robots") + robots;
    }
}
