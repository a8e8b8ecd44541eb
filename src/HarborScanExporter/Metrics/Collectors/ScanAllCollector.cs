using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>The newest scan-all, by start and of any trigger.</summary>
internal sealed class ScanAllCollector : ICollector
{
    public static readonly Family Tasks = new("harbor_scan_all_tasks", "Tasks of the newest scan-all by status.", "status");

    public static readonly Family Artifacts = new("harbor_scan_all_artifacts",
        "Artifacts that the newest scan-all counted when it had submitted everything; absent until then. total contains the others: do not sum over result.", "result");

    public static readonly Family Start = new("harbor_scan_all_start_timestamp_seconds", "When the newest scan-all started; absent when there was none.");

    public string Name => CollectorNames.ScanAll;

    public string Cost => "nothing beyond what tasks and executions read";

    public IReadOnlyList<Family> Families { get; } = [Tasks, Artifacts, Start];

    public void Write(HarborObservation seen, Samples samples)
    {
        var newest = seen.Executions!.Value.NewestScanAll;
        var tasks = seen.Tasks!.Value.Scans.Where(group => group.OfNewestScanAll)
            .GroupBy(group => ScanStatus.Label(group.Status)).ToDictionary(group => group.Key, group => group.Sum(of => of.Tasks));
        foreach (var status in ScanStatus.Labels) samples.Add(Tasks, tasks.GetValueOrDefault(status), status);
        samples.AddIfKnown(Start, newest?.Started);
        if (newest?.Summary is not { } summary) return;
        samples.Add(Artifacts, summary.Total, "total");
        samples.Add(Artifacts, summary.Submitted, "submitted");
        samples.Add(Artifacts, summary.Conflict, "conflict");
        samples.Add(Artifacts, summary.Precondition, "precondition");
        samples.Add(Artifacts, summary.Unsupported, "unsupported");
        samples.Add(Artifacts, summary.Unknown, "unknown");
    }
}
