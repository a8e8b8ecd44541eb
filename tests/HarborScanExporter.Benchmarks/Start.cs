namespace HarborScanExporter.Benchmarks;

/// <summary>A start of the exporter.</summary>
/// <param name="FirstAnswer">From the start of the process until /metrics has answered 200.</param>
/// <param name="Complete">From the start of the process until an answer had every family.</param>
internal sealed record Start(TimeSpan FirstAnswer, TimeSpan Complete)
{
    /// <summary>The median of each, which may come from two starts.</summary>
    public static Start MedianOf(IReadOnlyCollection<Start> starts) =>
        new(Spread.Of([.. starts.Select(start => start.FirstAnswer)]).Median, Spread.Of([.. starts.Select(start => start.Complete)]).Median);
}
