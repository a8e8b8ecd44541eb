using System.Globalization;

namespace HarborScanExporter.Benchmarks;

/// <summary>
/// Whether anything grew: the median of the last quarter of the looks against that of the second quarter. The first quarter is left out, in
/// which pools fill and the garbage collector settles; a median does not mind the look that fell on a reconciliation or on a broken connection.
/// </summary>
internal static class SoakJudge
{
    /// <summary>Fewer looks make no quarters.</summary>
    public const int LeastSamples = 8;

    private const double MemoryTolerance = 0.05;
    private const double HandleTolerance = 4;
    private const double ThreadTolerance = 4;
    private const double ConnectionTolerance = 1;

    /// <summary>One line for each of memory, handles, threads and connections: what it was, what it became, how much more would still be none.</summary>
    public static IReadOnlyList<(string Line, bool Holds)> Judge(IReadOnlyList<SoakSample> samples)
    {
        var quarter = samples.Count / 4;
        SoakSample[] second = [.. samples.Skip(quarter).Take(quarter)], last = [.. samples.TakeLast(quarter)];
        var memory = Compare(second, last, sample => sample.Use.Resident / 1048576.0);
        return
        [
            Line("resident memory", "MiB", memory, memory.Second * MemoryTolerance, "5 %"),
            Line("handles", "", Compare(second, last, sample => sample.Use.Handles), HandleTolerance),
            Line("threads", "", Compare(second, last, sample => sample.Use.Threads), ThreadTolerance),
            Line("database connections", "", Compare(second, last, sample => sample.Connections), ConnectionTolerance),
        ];
    }

    private static (double Second, double Last) Compare(SoakSample[] second, SoakSample[] last, Func<SoakSample, double> value) => (Median(second.Select(value)), Median(last.Select(value)));

    private static (string Line, bool Holds) Line(string what, string unit, (double Second, double Last) medians, double tolerance, string? said = null)
    {
        var holds = medians.Last - medians.Second <= tolerance;
        return (string.Create(CultureInfo.InvariantCulture,
            $"{(holds ? "flat " : "GROWS")} {what}: median of the second quarter {medians.Second:0.#} {unit}, of the last {medians.Last:0.#} {unit}, tolerance {said ?? tolerance.ToString(CultureInfo.InvariantCulture)}"), holds);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
