using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tracking;

/// <summary>
/// What the tasks that are over say together: those a reconciliation counted, and those that ended since. That rows of it are deleted or
/// edited by hand, only the next reconciliation sees.
/// </summary>
internal sealed class TaskTally
{
    private readonly Dictionary<(string Type, string Status, bool OfNewest), Entry> _entries = [];

    /// <summary>The newest scan-all execution, whose tasks are counted apart; 0 when there is none.</summary>
    public long NewestScanAll { get; private set; }

    /// <summary>Begins with what a read of the whole table counted.</summary>
    /// <param name="pass">The read.</param>
    /// <param name="newestScanAll">The newest scan-all at it, or 0.</param>
    public TaskTally(TaskPass pass, long newestScanAll)
    {
        NewestScanAll = newestScanAll;
        foreach (var group in pass.Scans.Where(group => !ScanStatus.IsOpen(group.Status)))
        {
            var entry = EntryOf(group.Type, ScanStatus.Label(group.Status), group.OfNewestScanAll);
            entry.Tasks += group.Tasks;
            entry.LowCodes.AddRange(group.LowCodeExecutions);
            entry.Ended = Max(entry.Ended, group.Ended);
            entry.NewestChange = Max(entry.NewestChange, group.NewestChange);
        }
    }

    /// <summary>Another scan-all is the newest: of its tasks none has ended before, those of the former one are counted with all others.</summary>
    public void Follow(long newestScanAll)
    {
        if (newestScanAll == NewestScanAll) return;
        NewestScanAll = newestScanAll;
        foreach (var (key, entry) in _entries.Where(pair => pair.Key.OfNewest).ToArray())
        {
            _entries.Remove(key);
            var other = EntryOf(key.Type, key.Status, false);
            other.Tasks += entry.Tasks;
            other.LowCodes.AddRange(entry.LowCodes);
            other.Ended = Max(other.Ended, entry.Ended);
        }
    }

    /// <summary>A task ended.</summary>
    /// <param name="task">Its row.</param>
    /// <param name="now">The database's clock: an end that lies ahead of it is none.</param>
    public void Add(ScanTask task, double now)
    {
        var ofNewest = task.ExecutionId == NewestScanAll;
        var entry = EntryOf(task.Type, task.Status, ofNewest);
        entry.Tasks++;
        if (task.IsLowCode) entry.LowCodes.Add(task.ExecutionId);
        if (task.Ended < now + 300) entry.Ended = Max(entry.Ended, task.Ended);
        if (ofNewest) entry.NewestChange = Max(entry.NewestChange, ChangeOf(task));
    }

    /// <summary>A task that had ended lives again, or has another end.</summary>
    public void Remove(FinishedTask task)
    {
        var entry = EntryOf(task.Type, task.Status, task.ExecutionId == NewestScanAll);
        entry.Tasks = Math.Max(0, entry.Tasks - 1);
        if (task.IsLowCode) entry.LowCodes.Remove(task.ExecutionId);
    }

    /// <summary>The whole of it together with the tasks that are open.</summary>
    /// <param name="open">The open scan tasks.</param>
    /// <param name="hooks">The mask of hooks.</param>
    public TaskPass With(IReadOnlyList<ScanTask> open, long hooks)
    {
        var groups = _entries.Select(pair => new TaskGroup
        {
            Type = pair.Key.Type,
            Status = pair.Key.Status,
            OfNewestScanAll = pair.Key.OfNewest,
            Tasks = pair.Value.Tasks,
            Ended = pair.Value.Ended,
            NewestChange = pair.Value.NewestChange,
            LowCodeExecutions = [.. pair.Value.LowCodes],
        });
        return new TaskPass { Scans = [.. groups, .. OpenGroups(open)], Hooks = hooks, OpenRows = open };
    }

    /// <summary>Counted by hand: after an outage there are tens of thousands, and lists of them would be garbage at once.</summary>
    private IEnumerable<TaskGroup> OpenGroups(IReadOnlyList<ScanTask> open)
    {
        var counts = new Dictionary<(string Type, string Status, bool OfNewest), (long Tasks, double? Newest)>();
        foreach (var task in open)
        {
            var key = (task.Type, task.Status, task.ExecutionId == NewestScanAll);
            var (tasks, newest) = counts.GetValueOrDefault(key);
            counts[key] = (tasks + 1, key.Item3 ? Max(newest, ChangeOf(task)) : null);
        }
        return counts.Select(pair => new TaskGroup
        {
            Type = pair.Key.Type,
            Status = pair.Key.Status,
            OfNewestScanAll = pair.Key.OfNewest,
            Tasks = pair.Value.Tasks,
            NewestChange = pair.Value.Newest,
        });
    }

    private static double? ChangeOf(ScanTask task) =>
        Max(Max(task.Created, task.Updated), Max(task.Ended, task.StatusRevision > 0 ? task.StatusRevision : null));

    private Entry EntryOf(string type, string status, bool ofNewest)
    {
        if (!_entries.TryGetValue((type, status, ofNewest), out var entry)) _entries[(type, status, ofNewest)] = entry = new Entry();
        return entry;
    }

    private static double? Max(double? left, double? right) => left is null ? right : right is null ? left : Math.Max(left.Value, right.Value);

    private sealed class Entry
    {
        public long Tasks { get; set; }

        public double? Ended { get; set; }

        public double? NewestChange { get; set; }

        public List<long> LowCodes { get; } = [];
    }
}
