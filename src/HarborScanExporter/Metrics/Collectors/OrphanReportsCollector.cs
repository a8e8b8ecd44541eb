using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Reports that no task names, which Harbor shows as an error though the report may be good.</summary>
internal sealed class OrphanReportsCollector : ICollector
{
    public string Name => CollectorNames.OrphanReports;

    public string Cost => "nothing; each reconciliation reads scan_report and sbom_report, and task with its attributes once more for each";

    public IReadOnlyList<Family> Families { get; } = [DiagnosisCollector.Inconsistencies];

    public void Write(HarborObservation seen, Samples samples)
    {
        var counts = seen.Whole.OrphanReports!.Value;
        // A report knows its kind, not the scan that made it: a vulnerability report counts as IMAGE_SCAN also when a scan-all made it.
        samples.Add(DiagnosisCollector.Inconsistencies, counts.Scans, ScanType.ImageScan, Inconsistency.OrphanReport);
        samples.Add(DiagnosisCollector.Inconsistencies, 0, ScanType.ScanAll, Inconsistency.OrphanReport);
        samples.Add(DiagnosisCollector.Inconsistencies, counts.Sboms, ScanType.Sbom, Inconsistency.OrphanReport);
    }
}
