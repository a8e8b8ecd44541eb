using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Scan executions by status and age.</summary>
internal sealed class ExecutionsCollector : ICollector
{
    public static readonly Family Executions = new("harbor_scan_executions", "Scan executions by vendor type and status. Those Running are exact at every scrape; of finished ones deletions and edits by hand show at the next reconciliation.", "type", "status");

    public static readonly Family OldestAge = new("harbor_scan_oldest_execution_age_seconds",
        "Age of the oldest open scan execution since its start; 0 when there is none. Exact at every scrape. Harbor's executions are open only as Running.", "type", "status");

    public string Name => CollectorNames.Executions;

    public string Cost => "by primary key the executions that are Running, new or ended in the last 2h10m";

    public IReadOnlyList<Family> Families { get; } = [Executions, OldestAge];

    public void Write(HarborObservation seen, Samples samples)
    {
        var (executions, now) = (seen.Executions!.Value, seen.Facts!.Now);
        foreach (var type in ScanType.All)
        {
            var ofType = executions.Groups.Where(group => group.Type == type).ToArray();
            foreach (var status in ScanStatus.Labels)
                samples.Add(Executions, ofType.Where(group => ScanStatus.Label(group.Status) == status).Sum(group => group.Executions), type, status);
            foreach (var status in ScanStatus.Open)
            {
                var ages = executions.Detailed.Values.Where(execution => execution.Type == type && execution.Status == status)
                    .Select(execution => Math.Max(0, now - (execution.Started ?? now)));
                samples.Add(OldestAge, ages.DefaultIfEmpty().Max(), type, status);
            }
        }
    }
}
