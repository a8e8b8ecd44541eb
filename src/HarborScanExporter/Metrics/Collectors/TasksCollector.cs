using System.Globalization;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Scan tasks by status and age.</summary>
/// <param name="ageThresholds">The thresholds of harbor_scan_tasks_older_than.</param>
internal sealed class TasksCollector(IReadOnlyList<TimeSpan> ageThresholds) : ICollector
{
    public static readonly Family Tasks = new("harbor_scan_tasks", "Scan tasks by vendor type and status. The open ones are exact at every scrape; of finished ones deletions and edits by hand show at the next reconciliation.", "type", "status");

    public static readonly Family OlderThan = new("harbor_scan_tasks_older_than",
        "Open scan tasks older than the threshold; exact at every scrape. Cumulative: do not sum over age_seconds.", "type", "status", "age_seconds");

    public static readonly Family OldestAge = new("harbor_scan_oldest_task_age_seconds",
        "Age of the oldest open scan task: since it was queued or confirmed, or, when Running, since work began; 0 when there is none. Exact at every scrape.", "type", "status");

    public static readonly Family LastSuccess = new("harbor_scan_last_success_timestamp_seconds",
        "When the newest successful scan task ended; absent when none has.", "type");

    public string Name => CollectorNames.Tasks;

    public string Cost => "by primary key the tasks that are open, new or ended in the last 2h10m";

    public IReadOnlyList<Family> Families { get; } = [Tasks, OlderThan, OldestAge, LastSuccess];

    public void Write(HarborObservation seen, Samples samples)
    {
        var (tasks, open, now) = (seen.Tasks!.Value, seen.OpenTasks!.Value, seen.Facts!.Now);
        var counts = tasks.Scans.GroupBy(group => (group.Type, Status: ScanStatus.Label(group.Status)))
            .ToDictionary(group => group.Key, group => group.Sum(of => of.Tasks));
        var ages = open.GroupBy(task => (task.Type, task.Status)).ToDictionary(group => group.Key, group => group.Select(task => task.AgeAt(now)).ToArray());
        foreach (var type in ScanType.All)
        {
            foreach (var status in ScanStatus.Labels) samples.Add(Tasks, counts.GetValueOrDefault((type, status)), type, status);
            foreach (var status in ScanStatus.Open)
            {
                var itsAges = ages.GetValueOrDefault((type, status), []);
                samples.Add(OldestAge, itsAges.DefaultIfEmpty().Max(), type, status);
                foreach (var threshold in ageThresholds)
                {
                    samples.Add(OlderThan, itsAges.Count(age => age > threshold.TotalSeconds), type, status,
                        threshold.TotalSeconds.ToString(CultureInfo.InvariantCulture));
                }
            }
            samples.AddIfKnown(LastSuccess,
                Epoch.Usable(tasks.Scans.Where(group => group.Type == type && group.Status == ScanStatus.Success).Max(group => group.Ended)), type);
        }
    }
}
