using HarborScanExporter.Collectors;

namespace HarborScanExporter.Scraping;

/// <summary>What came of one collector.</summary>
/// <param name="Collector">It.</param>
/// <param name="Samples">What it wrote; nothing of one that failed before its end.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Failure">One of <see cref="FailureReason.All"/>; null when it succeeded.</param>
internal sealed record RanCollector(ICollector Collector, IReadOnlyList<Sample> Samples, double Seconds, string? Failure)
{
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
internal sealed class CollectorRun(FailureLog log, TimeProvider time)
{
    /// <summary>Runs one.</summary>
    public async Task<RanCollector> RunAsync(ICollector collector, Collection collection, CancellationToken cancellationToken)
    {
        var part = $"The collector {collector.Name}";
        var its = new Samples();
        var start = time.GetTimestamp();
        string? failure = null;
        IReadOnlyList<Sample> written = [];
        try
        {
            await collector.CollectAsync(collection, its, cancellationToken);
            written = its.All;
            if (its.Failure is { } told) failure = Failed(part, told);
            else log.Succeeded(part);
        }
        catch (Exception error)
        {
            failure = Failed(part, error);
        }
        return new RanCollector(collector, written, time.GetElapsedTime(start).TotalSeconds, failure);
    }

    private string Failed(string part, Exception error)
    {
        var reason = FailureReason.Of(error);
        log.Failed(part, reason, error);
        return reason;
    }
}
