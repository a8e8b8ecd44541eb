using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Harbor's own sweep of old executions.</summary>
internal sealed class SweepCollector : ICollector
{
    public static readonly Family LastSuccess = new("harbor_scan_sweep_last_success_timestamp_seconds",
        "When Harbor's newest successful sweep of executions ended; absent when none has, and before Harbor 2.8.");

    public string Name => CollectorNames.Sweep;

    public string Cost => "nothing beyond what executions reads";

    public IReadOnlyList<Family> Families { get; } = [LastSuccess];

    public void Write(HarborObservation seen, Samples samples)
    {
        samples.AddIfKnown(LastSuccess, seen.Executions!.Value.NewestSuccessfulSweep is { } newest ? newest.Ended ?? newest.Updated : null);
    }
}
