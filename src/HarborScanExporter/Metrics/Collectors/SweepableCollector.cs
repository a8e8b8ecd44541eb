using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Executions that Harbor's next sweep would remove.</summary>
internal sealed class SweepableCollector : ICollector
{
    public static readonly Family Sweepable = new("harbor_scan_sweepable_executions",
        "Final scan executions beyond Harbor's default retention, which a sweep removes; as of the last reconciliation. Types that this Harbor does not sweep are 0.", "type");

    public string Name => CollectorNames.Sweepable;

    public string Cost => "nothing; each reconciliation reads execution once more for each type, sorted";

    public IReadOnlyList<Family> Families { get; } = [Sweepable];

    public void Write(HarborObservation seen, Samples samples)
    {
        foreach (var type in ScanType.All) samples.Add(Sweepable, seen.Whole.Sweepable!.Value[type], type);
    }
}
