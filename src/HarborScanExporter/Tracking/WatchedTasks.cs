using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tracking;

/// <summary>The scan tasks that are read again at each scrape: those open, those that ended lately, and everything new.</summary>
internal sealed class WatchedTasks
{
    /// <summary>
    /// A task that ended is looked at for so long, in seconds. Harbor brings it to life again when a worker pool died right after its end, when
    /// a hook of before is sent again, or when the job still stands in the queue (harbor-facts 4.3, 4.5, 8.4): within two rounds of the hourly
    /// reaper, as one may have met a core that was down. What stands in the queue longer is kept by <see cref="Listed"/>.
    /// </summary>
    public const double RetrySeconds = 2 * 3600 + 600;

    /// <summary>
    /// Tasks that are over and whose code says otherwise are read at each scrape, up to so many, as they are what somebody mends; a queue that was
    /// stopped leaves as many as it had, and those beyond are as of the last reconciliation.
    /// </summary>
    private const int MostLowCodes = 2_000;

    private readonly Dictionary<long, Work> _open = [];
    private readonly HashSet<long> _lowCodes = [];
    private readonly Dictionary<long, FinishedTask> _finished = [];
    private readonly TaskTally _tally;
    private long _hooks;
    private double _now;

    /// <summary>Begins with a read of the whole table.</summary>
    /// <param name="pass">The read.</param>
    /// <param name="newestScanAll">The newest scan-all at it, or 0.</param>
    /// <param name="high">Above which id to read whole.</param>
    /// <param name="now">The database's clock at it, seconds since 1970.</param>
    public WatchedTasks(TaskPass pass, long newestScanAll, HighWater high, double now)
    {
        _tally = new TaskTally(pass, newestScanAll);
        (High, _hooks, _now) = (high, pass.Hooks, now);
        foreach (var task in pass.OpenRows) _open[task.Id] = task.IsRunning ? new Work(task.StatusRevision, task.Updated, Seen: true) : default;
        foreach (var row in pass.Finished) Watch(row.Id, FinishedTask.Of(row, now + RetrySeconds));
    }

    /// <summary>Above which id every scrape reads everything.</summary>
    public HighWater High { get; }

    /// <summary>The ids of open tasks.</summary>
    public IReadOnlyCollection<long> Open => _open.Keys;

    /// <summary>The ids of tasks that are over though their code says otherwise.</summary>
    public IReadOnlyCollection<long> LowCodes => _lowCodes;

    /// <summary>The ids of tasks that ended lately.</summary>
    public IReadOnlyCollection<long> Finished => _finished.Keys;

    /// <summary>Takes what a read saw.</summary>
    /// <param name="rows">Every task of the ranges that <see cref="Open"/>, <see cref="LowCodes"/> and <see cref="High"/> asked for, and the open ones among <see cref="Finished"/>.</param>
    /// <param name="hooksOfOthers">The hooks that new tasks of other types show.</param>
    /// <param name="newestScanAll">The newest scan-all at the read, or 0.</param>
    /// <param name="now">The database's clock at it.</param>
    /// <param name="transitions">Whom to tell what happened; null when it was told before.</param>
    /// <returns>What changed, so that it can be applied once more, and the pass that the collectors read.</returns>
    public (TaskChanges Changes, TaskPass Pass) Take(IReadOnlyList<ScanTask> rows, long hooksOfOthers, long newestScanAll, double now, IScanTransitions? transitions)
    {
        _tally.Follow(newestScanAll);
        _hooks = HookActivity.Shifted(_hooks, _now, now) | hooksOfOthers;
        _now = now;
        List<ScanTask> open = [], changed = [];
        List<(long, FinishedTask)> former = [];
        HashSet<long> seen = [];
        foreach (var row in rows)
        {
            // A range of finished rows may lie over one of open rows.
            if (!seen.Add(row.Id)) continue;
            _hooks |= HookActivity.BitOf(row, now);
            if (row.IsOpen) open.Add(row);
            var wasFinished = _finished.TryGetValue(row.Id, out var end);
            if (!Take(row, now, transitions)) continue;
            changed.Add(row);
            if (wasFinished) former.Add((row.Id, end));
        }
        long[] gone = [.. _open.Keys.Concat(_lowCodes).Where(id => !seen.Contains(id))];
        Drop(gone);
        // Above the settled ids each read shows it again, and what is not known is counted.
        var over = _finished.Where(pair => pair.Value.Until < now && pair.Key <= High.Settled && !_lowCodes.Contains(pair.Key)).Select(pair => pair.Key).ToArray();
        foreach (var id in over) _finished.Remove(id);
        return (new TaskChanges(changed, former, gone, _hooks, newestScanAll, now), _tally.With(open, _hooks));
    }

    /// <summary>
    /// Goes on watching what was watched before: a job that Redis lists keeps its task watched however long ago it ended. What ended meanwhile
    /// must have been repeated: here it would count as counted.
    /// </summary>
    public void GoOnFrom(WatchedTasks before)
    {
        foreach (var (id, finished) in before._finished)
        {
            if (_open.ContainsKey(id)) continue;
            if (_finished.TryGetValue(id, out var read))
            {
                if (read.Until < finished.Until) _finished[id] = read with { Until = finished.Until };
            }
            // A code that was mended meanwhile is counted by what is read now.
            else if (!before._lowCodes.Contains(id)) _finished[id] = finished;
        }
        // Redis led to those: no read saw them begin.
        foreach (var (id, work) in before._open)
        {
            if (!_finished.ContainsKey(id)) _open.TryAdd(id, work);
        }
    }

    /// <summary>Applies what was seen and told while the whole table was read.</summary>
    public void Repeat(TaskChanges changes)
    {
        _tally.Follow(changes.NewestScanAll);
        _hooks = HookActivity.Shifted(_hooks, _now, changes.Now) | changes.Hooks;
        _now = changes.Now;
        foreach (var (id, end) in changes.FormerEnds)
        {
            if (!_open.ContainsKey(id)) _finished.TryAdd(id, end);
        }
        foreach (var row in changes.Rows) Take(row, changes.Now, null);
        Drop(changes.Gone);
    }

    /// <summary>These jobs stand in the queue or in a list of a pool, and their tasks are over: they may live again however late.</summary>
    /// <param name="tasks">Their rows.</param>
    public void Listed(IEnumerable<ScanTask> tasks)
    {
        foreach (var task in tasks)
        {
            if (_open.ContainsKey(task.Id)) continue;
            var until = _now + RetrySeconds;
            // Another end than the one that was counted, the next read shows, counts and tells, and so it does with a new row.
            if (_finished.TryGetValue(task.Id, out var counted)) _finished[task.Id] = counted with { Until = until };
            else if (task.Id > High.Settled) continue;
            else if (task.IsOpen) _open[task.Id] = default;
            else Watch(task.Id, FinishedTask.Of(task, until));
        }
    }

    /// <summary>Whether anything changed by this row.</summary>
    private bool Take(ScanTask row, double now, IScanTransitions? transitions)
    {
        var wasOpen = _open.TryGetValue(row.Id, out var work);
        var wasFinished = _finished.TryGetValue(row.Id, out var finished);
        if (row.IsOpen)
        {
            if (wasFinished)
            {
                _tally.Remove(finished);
                Forget(row.Id);
            }
            var next = Begin(row, work, transitions);
            if (wasOpen && next == work) return false;
            _open[row.Id] = next;
            return true;
        }
        if (wasFinished && finished.IsThatOf(row)) return false;
        // A row between two that were asked for ended long ago and is counted.
        if (!wasOpen && !wasFinished && row.Id <= High.Settled) return false;
        if (wasFinished) _tally.Remove(finished);
        _tally.Add(row, now);
        _open.Remove(row.Id);
        Forget(row.Id);
        Watch(row.Id, FinishedTask.Of(row, now + RetrySeconds));
        // Another code of the same end is a repair.
        if (transitions is not null && (!wasFinished || finished.Status != row.Status) && ScanStatus.IsFinal(row.Status)) Tell(row, work, transitions);
        return true;
    }

    private void Watch(long id, FinishedTask task)
    {
        _finished[id] = task;
        if (task.IsLowCode && _lowCodes.Count < MostLowCodes) _lowCodes.Add(id);
    }

    private void Forget(long id)
    {
        _finished.Remove(id);
        _lowCodes.Remove(id);
    }

    private void Drop(IEnumerable<long> gone)
    {
        foreach (var id in gone)
        {
            _open.Remove(id);
            if (!_lowCodes.Contains(id)) continue;
            _tally.Remove(_finished[id]);
            Forget(id);
        }
    }

    private static Work Begin(ScanTask row, Work work, IScanTransitions? transitions)
    {
        if (row.Status != ScanStatus.Running) return work;
        if (work.Seen && work.Revision == row.StatusRevision) return work;
        // Of a run after a crash the wait is that for its second worker: only the first is told.
        if (!work.Seen) transitions?.Started(row.Type, Between(row.Created, row.Updated));
        return new Work(row.StatusRevision, row.Updated, Seen: true);
    }

    private static void Tell(ScanTask row, Work work, IScanTransitions transitions)
    {
        transitions.Finished(row.Type, row.Status, Between(row.Created, row.Ended));
        if (work.Seen && work.Revision == row.StatusRevision) transitions.Ran(row.Type, Between(work.Began, row.Ended));
        // A stopped one may never have begun.
        else if (row.Status is ScanStatus.Success or ScanStatus.Error) transitions.StartUnseen(row.Type);
    }

    private static double? Between(double? from, double? until) => until - from is { } seconds ? Math.Max(0, seconds) : null;

    /// <summary>Of an open task: the run that was seen, and when core heard that its work began.</summary>
    private readonly record struct Work(long Revision, double? Began, bool Seen);
}

/// <summary>What one read changed.</summary>
/// <param name="Rows">Tasks that are new, ended or live again.</param>
/// <param name="FormerEnds">How those of them had ended before that were watched as over: the whole table counts them so and need not name them.</param>
/// <param name="Gone">Tasks that were deleted: open ones, and those over whose code said otherwise.</param>
/// <param name="Hooks">The mask of hooks after it.</param>
/// <param name="NewestScanAll">The newest scan-all at it, or 0.</param>
/// <param name="Now">The database's clock at it.</param>
internal sealed record TaskChanges(
    IReadOnlyList<ScanTask> Rows, IReadOnlyList<(long Id, FinishedTask End)> FormerEnds, IReadOnlyList<long> Gone, long Hooks, long NewestScanAll, double Now);
