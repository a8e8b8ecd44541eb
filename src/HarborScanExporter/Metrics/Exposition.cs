using HarborScanExporter.Observation;
using HarborScanExporter.Text;
using Prometheus;

namespace HarborScanExporter.Metrics;

/// <summary>What is told of one observation, as a document for Prometheus can be made of it.</summary>
/// <param name="IsUp">Whether everything of the database was read.</param>
/// <param name="Collected">What the collectors wrote, and what is told of them.</param>
internal sealed record Exposition(bool IsUp, Samples Collected)
{
    /// <summary>What the collectors tell of an observation.</summary>
    /// <param name="seen">The observation.</param>
    /// <param name="collectors">All of them; those of its topics write.</param>
    public static Exposition Of(HarborObservation seen, IReadOnlyList<Collectors.ICollector> collectors)
    {
        var samples = new Samples();
        foreach (var outcome in seen.Outcomes)
        {
            if (outcome.CanBeTold) collectors.First(collector => collector.Name == outcome.Topic.Name).Write(seen, samples);
            samples.AddIfKnown(ScrapeFamilies.CollectorDuration, outcome.Seconds, outcome.Topic.Name);
            samples.Add(ScrapeFamilies.CollectorSuccess, outcome.Failure is null ? 1 : 0, outcome.Topic.Name);
        }
        foreach (var work in seen.Work ?? [])
        {
            samples.Add(ReconciliationFamilies.RowsRead, work.Rows, work.Table);
            samples.Add(ReconciliationFamilies.WholeReads, work.WholeReads, work.Table);
        }
        return new Exposition(seen.Reason is null, samples);
    }

    private readonly Lock _lock = new();
    private readonly Dictionary<ExpositionFormat, Task<ReadOnlyMemory<byte>>> _documents = [];

    /// <summary>The document in a format, written once for everybody who shares the collection.</summary>
    /// <param name="format">Text or OpenMetrics.</param>
    /// <param name="write">Writes it; called for the first who asks.</param>
    public Task<ReadOnlyMemory<byte>> DocumentAsync(ExpositionFormat format, Func<Task<ReadOnlyMemory<byte>>> write)
    {
        lock (_lock)
        {
            // Off the lock: the others wait for the document and not for their turn.
            if (!_documents.TryGetValue(format, out var document)) _documents[format] = document = Task.Run(write);
            return document;
        }
    }

    /// <summary>
    /// A registry of its own for this document: nothing in it comes from an earlier scrape. Families without a sample are not made,
    /// since the library would write their headers.
    /// </summary>
    /// <param name="counted">What is told of the process beside the collection.</param>
    public CollectorRegistry ToRegistry(Samples counted) => ToRegistry(counted.All);

    /// <summary>The same without what is told of a process: one that looks once has nothing to count.</summary>
    public CollectorRegistry ToRegistry() => ToRegistry([]);

    private CollectorRegistry ToRegistry(IReadOnlyList<Sample> counted)
    {
        var registry = Prometheus.Metrics.NewCustomRegistry();
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        var ofProgram = new Samples();
        ofProgram.Add(ScrapeFamilies.Up, IsUp ? 1 : 0);
        ofProgram.Add(ScrapeFamilies.BuildInfo, 1, ProductVersion.Version, ProductVersion.Revision, ProductVersion.Runtime);
        // The library looks a collector up by its name and labels each time it is asked to make one.
        foreach (var family in ofProgram.All.Concat(counted).Concat(Collected.All).GroupBy<Sample, Family>(sample => sample.Family, ReferenceEqualityComparer.Instance))
            Write(factory, family.Key, family);
        return registry;
    }

    /// <summary>The document is read at terminals too, and shown in pages.</summary>
    private static string[] LabelsOf(Sample sample) => Array.ConvertAll(sample.Labels, VisibleText.Of);

    private static void Write(MetricFactory factory, Family family, IEnumerable<Sample> samples)
    {
        switch (family.Type)
        {
            case FamilyType.Counter:
                var counter = factory.CreateCounter(family.Name, family.Help, family.Labels);
                foreach (var sample in samples) counter.WithLabels(LabelsOf(sample)).IncTo(sample.Value);
                break;
            case FamilyType.Histogram:
                // The library makes a histogram only by observing, and would take the trace of this very scrape for an example of a scan.
                var configuration = new HistogramConfiguration { Buckets = family.Buckets, ExemplarBehavior = ExemplarBehavior.NoExemplars() };
                var histogram = factory.CreateHistogram(family.Name, family.Help, family.Labels, configuration);
                foreach (var sample in samples)
                {
                    var its = histogram.WithLabels(LabelsOf(sample));
                    foreach (var (seconds, count) in sample.Observed ?? []) its.Observe(seconds, count);
                }
                break;
            default:
                var gauge = factory.CreateGauge(family.Name, family.Help, family.Labels);
                foreach (var sample in samples) gauge.WithLabels(LabelsOf(sample)).Set(sample.Value);
                break;
        }
    }
}
