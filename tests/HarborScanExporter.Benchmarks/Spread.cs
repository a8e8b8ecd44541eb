namespace HarborScanExporter.Benchmarks;

/// <summary>Least, middle and largest of repeated measurements. The median stands against a busy machine.</summary>
internal sealed record Spread(TimeSpan Least, TimeSpan Median, TimeSpan Most, int Count)
{
    public static Spread Of(IReadOnlyCollection<TimeSpan> times)
    {
        var sorted = times.Order().ToArray();
        return new Spread(sorted[0], sorted[sorted.Length / 2], sorted[^1], sorted.Length);
    }

    public override string ToString() => FormattableString.Invariant(
        $"{Least.TotalMilliseconds:F0} / {Median.TotalMilliseconds:F0} / {Most.TotalMilliseconds:F0} ms ({Count})");
}
