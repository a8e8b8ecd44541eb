namespace HarborScanExporter.Benchmarks;

/// <summary>Repeated measurements of one time. The median stands against a busy machine.</summary>
/// <param name="P99">The time within which 99 of 100 ended, by nearest rank: of fewer than 100 the most.</param>
/// <param name="Count">How many there were.</param>
internal sealed record Spread(TimeSpan Least, TimeSpan Median, TimeSpan P99, TimeSpan Most, int Count)
{
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Spread Of(IReadOnlyCollection<TimeSpan> times)
    {
        if (times.Count == 0) throw new ArgumentException("There is no measurement.", nameof(times));
        var sorted = times.Order().ToArray();
        return new Spread(sorted[0], sorted[sorted.Length / 2], sorted[(sorted.Length * 99 + 99) / 100 - 1], sorted[^1], sorted.Length);
    }

    public override string ToString() => FormattableString.Invariant(
        $"{Least.TotalMilliseconds:F0} / {Median.TotalMilliseconds:F0} / {Most.TotalMilliseconds:F0} ms ({Count}), p99 {P99.TotalMilliseconds:F0} ms");
}
