using System.Globalization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>Compares what an exporter says with plain queries beside it, and with an exporter that reads the whole tables.</summary>
/// <param name="harbor">The database.</param>
/// <param name="connection">Where the plain queries run.</param>
/// <param name="withRedis">Whether the exporters ask Redis.</param>
internal sealed class FamilyComparison(TestHarbor harbor, NpgsqlConnection connection, bool withRedis)
{
    private static readonly string[] Open = ["Pending", "Scheduled", "Running"];

    /// <summary>Families of the process and of one scrape's own work, and one that is counted from the clock of Redis: no two exporters say the same.</summary>
    private static readonly string[] OwnMatters =
    [
        "harbor_scan_collector_", "harbor_scan_scrape", "harbor_scan_collections", "harbor_scan_collection_", "harbor_scan_exporter_", "harbor_scan_build_info", "harbor_scan_watched_",
        "harbor_scan_reconciliation", "harbor_scan_tasks_finished", "harbor_scan_task_duration", "harbor_scan_task_wait", "harbor_scan_task_run", "harbor_scan_task_starts", "harbor_scan_queue_oldest_age_seconds",
    ];

    /// <summary>The families that are exact at every scrape: those of open rows.</summary>
    public async Task<IReadOnlyList<string>> ExactAsync(MetricsDocument scrape, MetricsDocument whole, DateTime moment)
    {
        List<string> problems = [];
        if (scrape.Value("harbor_scan_up") != 1 || whole.Value("harbor_scan_up") != 1) return ["harbor_scan_up is 0"];
        var now = scrape.Value("harbor_scan_snapshot_timestamp_seconds");
        if (Math.Abs(now - Seconds(moment)) > 0.001 || whole.Value("harbor_scan_snapshot_timestamp_seconds") != now) return [$"The exporter's clock is {now}, not {Seconds(moment)}"];
        var naive = new NaiveCounts(harbor, now, connection);
        Compare("harbor_scan_tasks", OfOpen(await naive.TasksAsync()), OfOpen(scrape.NonZero("harbor_scan_tasks")));
        Compare("harbor_scan_executions", OfOpen(await naive.ExecutionsAsync()), OfOpen(scrape.NonZero("harbor_scan_executions")));
        Compare("harbor_scan_tasks_older_than", await naive.OlderThanAsync(), scrape.NonZero("harbor_scan_tasks_older_than"));
        Compare("harbor_scan_oldest_task_age_seconds", Ages(await naive.OldestTasksAsync(), 1), Ages(scrape.NonZero("harbor_scan_oldest_task_age_seconds"), 1000));
        Compare("harbor_scan_oldest_execution_age_seconds", Ages(await naive.OldestExecutionsAsync(), 1), Ages(scrape.NonZero("harbor_scan_oldest_execution_age_seconds"), 1000));
        Compare("stuck and live", await naive.OpenAsync(),
        [
            .. new[] { "IMAGE_SCAN", "SBOM", "SCAN_ALL" }
                .Select(type => (type, Tasks: scrape.Sum("harbor_scan_stuck_tasks", ("type", type)) + scrape.Sum("harbor_scan_live_tasks", ("type", type))))
                .Where(type => type.Tasks > 0).Select(type => $"{type.type} {type.Tasks}"),
        ]);
        CompareVerdicts();
        return problems;

        void Compare(string family, string[] expected, string[] actual)
        {
            if (!expected.SequenceEqual(actual)) problems.Add(Differs(family, "rows", expected, actual));
        }

        void CompareVerdicts()
        {
            var knowsMore = !withRedis && KnowsMoreHooks(scrape, whole);
            foreach (var family in new[] { "harbor_scan_stuck_tasks", "harbor_scan_live_tasks", "harbor_scan_oldest_stuck_task_age_seconds", "harbor_scan_blocked_artifacts", "harbor_scan_all_blocked" })
            {
                if (!whole.NonZero(family).SequenceEqual(scrape.NonZero(family)) && !knowsMore) problems.Add(Differs(family, "whole read", whole.NonZero(family), scrape.NonZero(family)));
            }
        }
    }

    /// <summary>The other families, right after a reconciliation: counts of final rows, contradictions, robots, what a sweep would remove; and whatever else two exporters say of one database.</summary>
    public async Task<IReadOnlyList<string>> AllAsync(MetricsDocument scrape, MetricsDocument whole)
    {
        List<string> problems = [];
        var naive = new NaiveCounts(harbor, scrape.Value("harbor_scan_snapshot_timestamp_seconds"), connection);
        Compare("harbor_scan_tasks", await naive.TasksAsync());
        Compare("harbor_scan_executions", await naive.ExecutionsAsync());
        Compare("harbor_scan_all_tasks", await naive.ScanAllTasksAsync());
        Compare("harbor_scan_leaked_robots", await naive.LeakedRobotsAsync());
        Compare("harbor_scan_inconsistencies", await naive.InconsistenciesAsync());
        Compare("harbor_scan_sweepable_executions", await naive.SweepableAsync());
        if (!withRedis && KnowsMoreHooks(scrape, whole)) return problems;
        foreach (var (series, value) in whole.Series)
        {
            if (!series.StartsWith("harbor_scan_", StringComparison.Ordinal) || OwnMatters.Any(family => series.StartsWith(family, StringComparison.Ordinal))) continue;
            if (!scrape.Series.TryGetValue(series, out var its)) problems.Add($"{series} is absent; the whole read says {value}");
            else if (its != value) problems.Add($"{series} is {its}; the whole read says {value}");
        }
        return problems;

        void Compare(string family, string[] expected)
        {
            if (!expected.SequenceEqual(scrape.NonZero(family))) problems.Add(Differs(family, "rows", expected, scrape.NonZero(family)));
        }
    }

    /// <summary>
    /// Without Redis a row is lost when hooks came without a break and none for it. Who remembers may know of hooks for rows that were deleted
    /// since, and so call a row lost that the other cannot judge yet; nothing else may differ for it.
    /// </summary>
    private static bool KnowsMoreHooks(MetricsDocument scrape, MetricsDocument whole)
    {
        if (whole.Sum("harbor_scan_stuck_tasks", ("verdict", Judgement.Lost.Word)) >= scrape.Sum("harbor_scan_stuck_tasks", ("verdict", Judgement.Lost.Word))) return false;
        return new[] { "IMAGE_SCAN", "SBOM", "SCAN_ALL" }.All(type => Doubtful(scrape, type) == Doubtful(whole, type))
            && Others(scrape).SequenceEqual(Others(whole));

        static double Doubtful(MetricsDocument document, string type) =>
            document.Sum("harbor_scan_stuck_tasks", ("type", type), ("verdict", Judgement.Lost.Word))
            + document.Sum("harbor_scan_live_tasks", ("type", type), ("state", Judgement.Unjudged.Word));

        static IEnumerable<string> Others(MetricsDocument document) => document.NonZero("harbor_scan_stuck_tasks").Concat(document.NonZero("harbor_scan_live_tasks"))
            .Where(series => !series.Contains($"\"{Judgement.Lost.Word}\"", StringComparison.Ordinal) && !series.Contains($"\"{Judgement.Unjudged.Word}\"", StringComparison.Ordinal));
    }

    /// <summary>The ends that were counted lie between those that had to be seen before this scrape and those that there were.</summary>
    public static IEnumerable<string> Counted(MetricsDocument scrape, IReadOnlyDictionary<string, long> least, IReadOnlyDictionary<string, long> most)
    {
        const string family = "harbor_scan_tasks_finished_total";
        if (!scrape.Families.Contains(family)) yield break;
        var counted = scrape.Series.Where(series => series.Key.StartsWith(family + "{", StringComparison.Ordinal)).ToDictionary(series => series.Key[family.Length..], series => series.Value);
        foreach (var series in counted.Keys.Union(least.Keys).Union(most.Keys))
        {
            var value = counted.GetValueOrDefault(series);
            if (value < least.GetValueOrDefault(series) || value > most.GetValueOrDefault(series))
                yield return $"{family}{series} is {value}: at least {least.GetValueOrDefault(series)} were to be seen, and there were {most.GetValueOrDefault(series)}";
        }
    }

    public static double Seconds(DateTime moment) => (moment.Ticks - moment.Ticks % TimeSpan.TicksPerMicrosecond - DateTime.UnixEpoch.Ticks) / (double)TimeSpan.TicksPerSecond;

    private static string[] OfOpen(string[] series) => [.. series.Where(line => Open.Any(status => line.Contains($"status=\"{status}\"", StringComparison.Ordinal)))];

    /// <summary>Ages in whole milliseconds; 0 where there is none.</summary>
    private static string[] Ages(string[] series, double factor) =>
    [
        .. from line in series
           let parts = line.Split("} ")
           let age = Math.Round(double.Parse(parts[1], CultureInfo.InvariantCulture) * factor)
           where age > 0
           select $"{parts[0]}}} {age.ToString(CultureInfo.InvariantCulture)}",
    ];

    private static string Differs(string family, string by, string[] expected, string[] actual) =>
        $"{family}: {by} [{string.Join("; ", expected.Except(actual))}], scrape [{string.Join("; ", actual.Except(expected))}]";
}
