using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Metrics;

/// <summary>What became of the scans that this process watched since its start: how many ended, and how long they waited and ran.</summary>
internal sealed class ScanCounters : IScanTransitions
{
    /// <summary>
    /// One set for all three families, so that they can be laid side by side. A scan takes seconds to a few minutes (the scanner pulls the
    /// image and looks through its layers), and the time in the queue behind a scan-all hours: hence steps of two to three times up to
    /// ten minutes, which tell a fast scanner from a slow one, and above them the clocks of Harbor and of the diagnosis: half an hour and an
    /// hour (the job service's reaper), two hours (a running scan counts as overdue), six hours, and the day after which Harbor itself gives up.
    /// </summary>
    private static readonly double[] Bounds = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];

    public static readonly Family TasksFinished = new("harbor_scan_tasks_finished_total",
        "Scan tasks that ended since the start of this process, by final status; exact: also those that began and ended between two scrapes.", "type", "status");

    public static readonly Family TaskDuration = new("harbor_scan_task_duration_seconds",
        "From the creation of a scan task to its end, with its time in the queue; exact: every task of harbor_scan_tasks_finished_total with usable times.", "type") { Buckets = Bounds };

    public static readonly Family TaskWait = new("harbor_scan_task_wait_seconds",
        "From the creation of a scan task to the start of its work; sampled: only scans that a scrape saw Running. Short ones fall between two scrapes and are in harbor_scan_task_starts_unseen_total.",
        "type") { Buckets = Bounds };

    public static readonly Family TaskRun = new("harbor_scan_task_run_seconds",
        "From the start of a scan task's work to its end; sampled: only scans that a scrape saw Running. Short ones fall between two scrapes and are in harbor_scan_task_starts_unseen_total.",
        "type") { Buckets = Bounds };

    public static readonly Family StartsUnseen = new("harbor_scan_task_starts_unseen_total",
        "Scan tasks that ran and ended and that no scrape saw Running: they are missing in harbor_scan_task_wait_seconds and harbor_scan_task_run_seconds.", "type");

    /// <summary>Every family of it.</summary>
    public static IReadOnlyList<Family> Families { get; } = [TasksFinished, TaskDuration, TaskWait, TaskRun, StartsUnseen];

    /// <summary>
    /// More than any scan took: Harbor's oldest release that is read here is younger than ten years. What lies further apart is a time that
    /// Harbor never wrote, such as the year 1.
    /// </summary>
    private static readonly double Longest = TimeSpan.FromDays(3650).TotalSeconds;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, OfType> _types = ScanType.All.ToDictionary(type => type, _ => new OfType(), StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Finished(string type, string status, double? duration)
    {
        lock (_lock)
        {
            _types[type].Finished[status]++;
            Observe(_types[type].Duration, duration);
        }
    }

    /// <inheritdoc/>
    public void Started(string type, double? wait)
    {
        lock (_lock) Observe(_types[type].Wait, wait);
    }

    /// <inheritdoc/>
    public void Ran(string type, double? run)
    {
        lock (_lock) Observe(_types[type].Run, run);
    }

    /// <inheritdoc/>
    public void StartUnseen(string type)
    {
        lock (_lock) _types[type].StartsUnseen++;
    }

    /// <summary>Writes all families, those at 0 too, as of one moment.</summary>
    public void Write(Samples samples)
    {
        lock (_lock)
        {
            foreach (var (type, its) in _types)
            {
                foreach (var (status, count) in its.Finished) samples.Add(TasksFinished, count, type, status);
                samples.Add(TaskDuration, its.Duration, type);
                samples.Add(TaskWait, its.Wait, type);
                samples.Add(TaskRun, its.Run, type);
                samples.Add(StartsUnseen, its.StartsUnseen, type);
            }
        }
    }

    /// <summary>A time below 0 or beyond every scan comes of clocks and rows that lie, and would spoil the sum for good.</summary>
    private static void Observe(Distribution distribution, double? seconds)
    {
        if (seconds is { } time && time >= 0 && time <= Longest) distribution.Observe(time);
    }

    private sealed class OfType
    {
        public Dictionary<string, long> Finished { get; } = ScanStatus.Final.ToDictionary(status => status, _ => 0L, StringComparer.Ordinal);

        public Distribution Duration { get; } = new(Bounds);

        public Distribution Wait { get; } = new(Bounds);

        public Distribution Run { get; } = new(Bounds);

        public long StartsUnseen { get; set; }
    }
}
