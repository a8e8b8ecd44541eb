using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Text;
using Prometheus;

namespace HarborScanExporter.Metrics;

/// <summary>The outcome of one collection, as a document for Prometheus can be made of it.</summary>
/// <param name="Failure">The first reason for which it failed, in whole or in part; null when every collector succeeded.</param>
/// <param name="Collected">What the collectors wrote, and what is told of them.</param>
internal sealed record Exposition(string? Failure, Samples Collected)
{
    /// <summary>What <see cref="FailureReason.Told"/> says of the failure; null when there is none, or nothing more is known of it.</summary>
    public string? Trouble { get; init; }

    /// <summary>What the samples of the diagnosis rest on; null when it was not made.</summary>
    public Diagnosed? Diagnosed { get; init; }

    /// <summary>What stands at the other end; null when the database was not reached.</summary>
    public DatabaseFacts? Facts { get; init; }

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
        ofProgram.Add(ScrapeFamilies.Up, Failure is null ? 1 : 0);
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
