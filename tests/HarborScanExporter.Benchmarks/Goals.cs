using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>What a scrape must reach, beside what was measured. A goal that the run did not measure is neither met nor missed.</summary>
internal sealed class Goals
{
    private const double MostPages = 1_000;
    private const double MostGrowth = 1.2;
    private const int SizeOfRatio = 3_000_000;
    private const double LeastRatio = 100;
    private const int LargestSize = 10_000_000;
    private const double MostMegabytes = 45;

    /// <summary>The kernel counts resident memory in pages and per thread; below this it cannot be told from none.</summary>
    private const double GrowthMegabytes = 1;

    private static readonly TimeSpan MostAlone = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan MostTogether = TimeSpan.FromMilliseconds(300);

    /// <summary>The first scrape waits up to a second for the first reading of the whole tables.</summary>
    private static readonly TimeSpan MostFirstAnswer = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MostComplete = TimeSpan.FromSeconds(15);

    private readonly List<(string Goal, string Measured, bool? IsMet)> _rows = [];

    /// <param name="sizes">By size, the smallest first.</param>
    /// <param name="memory">Many scrapes with everything on.</param>
    /// <param name="queue">The long queue.</param>
    public Goals(IReadOnlyList<SizeFigures> sizes, MemoryFigures memory, JobServiceBenchmark queue)
    {
        Pages(sizes);
        Ratio(sizes.FirstOrDefault(size => size.Tasks == SizeOfRatio));
        Time($"p99 of a scrape with {Progress.Count(JobServiceBenchmark.Open)} open tasks, without Redis", queue.Alone?.P99, MostAlone);
        Time($"p99 of a scrape with {Progress.Count(JobServiceBenchmark.Open)} open tasks, with Redis", queue.Together?.P99, MostTogether);
        Memory(memory);
        var largest = sizes.FirstOrDefault(size => size.Tasks == LargestSize);
        Time($"Start to the first answer at {Progress.Count(LargestSize)} tasks", largest?.Warm.FirstAnswer, MostFirstAnswer);
        Time($"Start to the first complete scrape at {Progress.Count(LargestSize)} tasks", largest?.Warm.Complete, MostComplete);
        Add($"{MemoryBenchmark.Concurrent} scrapes at the same time: 1 collection, all answered", string.Create(CultureInfo.InvariantCulture, $"{memory.Collections} collection(s), {memory.Answered} answered"),
            memory.Collections is 1 && memory.Answered == MemoryBenchmark.Concurrent);
        Add($"Every size: {HarborRows.Open} open tasks are counted", string.Join(", ", sizes.Select(size => Progress.Count(size.OpenCounted)).Distinct()), sizes.All(size => size.OpenCounted is HarborRows.Open));
        var failed = sizes.Sum(size => size.Failed) + memory.Failed;
        Add("No scrape fails", Progress.Count(failed), failed == 0);
        Add("Nothing is spilled to disk", Progress.Count(sizes.Sum(size => size.Work.TemporaryBytes)) + " bytes", sizes.All(size => size.Work.TemporaryBytes is 0));
    }

    /// <summary>Goals that were measured and not reached.</summary>
    public IReadOnlyList<string> Missed => [.. _rows.Where(row => row.IsMet is false).Select(row => $"{row.Goal}: {row.Measured}")];

    public string ToMarkdown()
    {
        var text = new StringBuilder("""
            | Goal | Measured | Met |
            |---|---|---|

            """);
        foreach (var (goal, measured, isMet) in _rows) text.AppendLine(CultureInfo.InvariantCulture, $"| {goal} | {measured} | {(isMet is { } met ? met ? "yes" : "**no**" : "not measured")} |");
        return text.ToString();
    }

    private void Pages(IReadOnlyList<SizeFigures> sizes)
    {
        var most = sizes.Max(size => size.Work.Pages);
        Add($"Database pages of a scrape, {HarborRows.Open} open, at every size: at most {Progress.Count(MostPages)}", $"at most {Progress.Count(most)}", most <= MostPages);
        if (sizes.Count < 2) return;
        var growth = sizes[^1].Work.Pages / sizes[0].Work.Pages;
        Add(string.Create(CultureInfo.InvariantCulture, $"Growth of the pages from {Progress.Count(sizes[0].Tasks)} to {Progress.Count(sizes[^1].Tasks)} tasks: under {MostGrowth} times"),
            string.Create(CultureInfo.InvariantCulture, $"{growth:F2} times"), growth < MostGrowth);
    }

    private void Ratio(SizeFigures? size)
    {
        var ratio = size is null ? (double?)null : size.PostgresExporter.Round.Median / size.Scrape.Median;
        Add($"Scrape at {Progress.Count(SizeOfRatio)} tasks, p50: at least {Progress.Count(LeastRatio)} times faster than postgres_exporter with four plain queries",
            ratio is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{ratio:F0} times"), ratio is null ? null : ratio >= LeastRatio);
    }

    private void Memory(MemoryFigures memory)
    {
        var late = memory.Late / 1e6;
        var growth = (memory.Late - memory.Early) / 1e6;
        Add(string.Create(CultureInfo.InvariantCulture, $"Resident memory after all scrapes with everything on: at most {MostMegabytes} MB"),
            string.Create(CultureInfo.InvariantCulture, $"{late:F1} MB ({memory.Late / 1048576.0:F1} MiB)"), late <= MostMegabytes);
        Add(string.Create(CultureInfo.InvariantCulture, $"Growth of it since a tenth of the scrapes: none (less than {GrowthMegabytes} MB)"),
            string.Create(CultureInfo.InvariantCulture, $"{growth:F1} MB"), growth < GrowthMegabytes);
    }

    private void Time(string what, TimeSpan? measured, TimeSpan most) => Add(
        $"{what}: under {Text(most)}", measured is null ? "" : Text(measured.Value), measured is null ? null : measured < most);

    private void Add(string goal, string measured, bool? isMet) => _rows.Add((goal, measured, isMet));

    private static string Text(TimeSpan time) => time < TimeSpan.FromSeconds(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:F0} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");
}
