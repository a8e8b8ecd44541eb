using HarborScanExporter.Failures;
using HarborScanExporter.Metrics.Collectors;
using HarborScanExporter.Observation;

namespace HarborScanExporter.Metrics;

/// <summary>What came of one collector.</summary>
/// <param name="Collector">It.</param>
/// <param name="Samples">What it wrote; nothing of one that failed before its end.</param>
/// <param name="Seconds">How long it and the reads it needed took.</param>
/// <param name="Failure">One of <see cref="FailureReason.All"/>; null when it succeeded.</param>
internal sealed record RanCollector(ICollector Collector, IReadOnlyList<Sample> Samples, double Seconds, string? Failure)
{
    /// <summary>What is told of the failure; null without one.</summary>
    public string? Trouble { get; init; }

    /// <summary>One that reads whole tables, which no reconciliation has come to yet.</summary>
    public static RanCollector NotYet(ICollector collector) => new(collector, [], 0, FailureReason.Reconciling);

    /// <summary>Writes it with what is told of it.</summary>
    public void Write(Samples samples)
    {
        foreach (var sample in Samples) samples.Add(sample.Family, sample.Value, sample.Labels);
        samples.Add(ScrapeFamilies.CollectorDuration, Seconds, Collector.Name);
        samples.Add(ScrapeFamilies.CollectorSuccess, Failure is null ? 1 : 0, Collector.Name);
    }
}

/// <summary>Runs collectors; the failure of one is told once and hides no other.</summary>
internal sealed class CollectorRun(FailureLog log)
{
    /// <summary>Runs one.</summary>
    public async Task<RanCollector> RunAsync(ICollector collector, Collection collection, CancellationToken cancellationToken)
    {
        var part = $"The collector {collector.Name}";
        var its = new Samples();
        Exception? failure = null;
        var isWhole = false;
        var seconds = await collection.Times.AskAsync(part, async () =>
        {
            try
            {
                await collector.CollectAsync(collection, its, cancellationToken);
                (failure, isWhole) = (its.Failure, true);
            }
            catch (Exception error)
            {
                failure = error;
            }
        });
        var reason = failure is null ? null : FailureReason.Of(failure);
        if (failure is null) log.Succeeded(part);
        else log.Failed(part, reason!, failure);
        return new RanCollector(collector, isWhole ? its.All : [], seconds, reason) { Trouble = failure is null ? null : FailureReason.Told(failure) };
    }
}
