using HarborScanExporter.Metrics;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>What a process that scrapes again and again has beyond one that looks once.</summary>
/// <param name="Rows">What is remembered of Harbor's rows.</param>
/// <param name="Reconciliation">What begins and corrects it.</param>
/// <param name="Scans">What the scrapes see happen to scans.</param>
internal sealed record Remembering(ActiveRows Rows, Reconciliation Reconciliation, ScanCounters Scans)
{
    /// <summary>Writes what is told of it.</summary>
    public void Write(Samples samples)
    {
        Reconciliation.Write(samples);
        Scans.Write(samples);
    }
}
