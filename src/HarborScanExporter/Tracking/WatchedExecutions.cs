using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tracking;

/// <summary>The executions of scans and sweeps that are read again at each scrape.</summary>
internal sealed class WatchedExecutions
{
    /// <summary>Of finished scan-alls and sweeps so many are remembered each: when the newest is deleted, the one before it is the newest.</summary>
    private const int Kept = 10;

    private readonly HashSet<long> _open = [];
    private readonly Dictionary<long, FinishedExecution> _finished = [];
    private readonly Dictionary<(string Type, string? Status), long> _tally = [];
    private readonly Dictionary<long, ScanExecution> _kept = [];

    /// <summary>Begins with a read of the whole table.</summary>
    /// <param name="pass">The read.</param>
    /// <param name="high">Above which id to read whole.</param>
    /// <param name="now">The database's clock at it, seconds since 1970.</param>
    public WatchedExecutions(ExecutionPass pass, HighWater high, double now)
    {
        High = high;
        foreach (var group in pass.Groups.Where(group => group.Status != ScanStatus.Running)) _tally[(group.Type, group.Status)] = group.Executions;
        foreach (var execution in pass.Detailed.Values)
        {
            if (execution.IsRunning) _open.Add(execution.Id);
            else Keep(execution);
        }
        foreach (var row in pass.Finished) _finished[row.Id] = new FinishedExecution(row.Type, row.Status, now + WatchedTasks.RetrySeconds);
        Forget(now);
    }

    /// <summary>Above which id every scrape reads everything.</summary>
    public HighWater High { get; }

    /// <summary>The ids of Running executions.</summary>
    public IReadOnlyCollection<long> Open => _open;

    /// <summary>The ids of executions that ended lately.</summary>
    public IReadOnlyCollection<long> Finished => _finished.Keys;

    /// <summary>Finished ones that tell something until a newer one does: they are read again, as they may be deleted.</summary>
    public IEnumerable<long> Telling
    {
        get
        {
            var pass = Pass([]);
            return new[] { pass.NewestScanAll, pass.NewestManualScanAll, pass.NewestSweep, pass.NewestSuccessfulSweep }.OfType<ScanExecution>().Select(execution => execution.Id).Distinct();
        }
    }

    /// <summary>Takes what a read saw.</summary>
    /// <param name="rows">Every execution of the ranges that were asked for, and those Running among <see cref="Finished"/>.</param>
    /// <param name="asked">The ids that were asked for one by one.</param>
    /// <param name="now">The database's clock at it.</param>
    public (ExecutionChanges Changes, ExecutionPass Pass) Take(IReadOnlyList<ScanExecution> rows, IReadOnlySet<long> asked, double now)
    {
        List<ScanExecution> changed = [];
        List<(long, FinishedExecution)> former = [];
        var hasSwept = false;
        Dictionary<long, ScanExecution> seen = [];
        foreach (var row in rows)
        {
            if (!seen.TryAdd(row.Id, row)) continue;
            var wasFinished = _finished.TryGetValue(row.Id, out var end);
            var isKnownEnd = (wasFinished && end.Status == row.Status) || (_kept.TryGetValue(row.Id, out var kept) && kept.Status == row.Status);
            hasSwept |= row is { Type: JobType.Sweep, IsRunning: false } && !isKnownEnd;
            if (!Take(row, now)) continue;
            changed.Add(row);
            if (wasFinished) former.Add((row.Id, end));
        }
        long[] gone = [.. asked.Where(id => !seen.ContainsKey(id) && (_open.Contains(id) || _kept.ContainsKey(id)))];
        var hasLost = gone.Any(_kept.ContainsKey);
        Drop(gone);
        Forget(now);
        return (new ExecutionChanges(changed, former, gone, now) { HasLostTelling = hasLost, HasSwept = hasSwept }, Pass(seen.Values));
    }

    /// <summary>Goes on watching what was watched before. What ended meanwhile must have been repeated: here it would count as counted.</summary>
    public void GoOnFrom(WatchedExecutions before)
    {
        foreach (var (id, finished) in before._finished)
        {
            if (!_open.Contains(id)) _finished.TryAdd(id, finished);
        }
    }

    /// <summary>Applies what was seen while the whole table was read.</summary>
    public void Repeat(ExecutionChanges changes)
    {
        foreach (var (id, end) in changes.FormerEnds)
        {
            if (!_open.Contains(id)) _finished.TryAdd(id, end);
        }
        foreach (var row in changes.Rows) Take(row, changes.Now);
        Drop(changes.Gone);
    }

    /// <summary>Whether anything changed by this row.</summary>
    private bool Take(ScanExecution row, double now)
    {
        var wasOpen = _open.Contains(row.Id);
        var wasFinished = _finished.TryGetValue(row.Id, out var finished);
        if (row.IsRunning)
        {
            if (wasOpen) return false;
            if (wasFinished)
            {
                _finished.Remove(row.Id);
                Count(finished.Type, finished.Status, -1);
            }
            _kept.Remove(row.Id);
            return _open.Add(row.Id);
        }
        if (wasFinished && finished.Type == row.Type && finished.Status == row.Status) return Keep(row);
        if (!wasOpen && !wasFinished && row.Id <= High.Settled) return Keep(row);
        if (wasFinished) Count(finished.Type, finished.Status, -1);
        Count(row.Type, row.Status, 1);
        _open.Remove(row.Id);
        _finished[row.Id] = new FinishedExecution(row.Type, row.Status, now + WatchedTasks.RetrySeconds);
        Keep(row);
        return true;
    }

    /// <summary>Remembers a finished scan-all or sweep; whether that is news.</summary>
    private bool Keep(ScanExecution row)
    {
        if (row.Type is not (ScanType.ScanAll or JobType.Sweep)) return false;
        if (_kept.TryGetValue(row.Id, out var known) && known == row) return false;
        _kept[row.Id] = row;
        return true;
    }

    private void Count(string type, string? status, long change) =>
        _tally[(type, status)] = Math.Max(0, _tally.GetValueOrDefault((type, status)) + change);

    private void Drop(IEnumerable<long> gone)
    {
        foreach (var id in gone)
        {
            _open.Remove(id);
            _kept.Remove(id);
        }
    }

    private void Forget(double now)
    {
        // Above the settled ids each read shows it again, and what is not known is counted.
        foreach (var (id, _) in _finished.Where(pair => pair.Value.Until < now && pair.Key <= High.Settled).ToArray()) _finished.Remove(id);
        foreach (var type in new[] { ScanType.ScanAll, JobType.Sweep })
        {
            var old = _kept.Values.Where(execution => execution.Type == type)
                .OrderByDescending(execution => execution.Started ?? double.MinValue).ThenByDescending(execution => execution.Id).Skip(Kept)
                .Select(execution => execution.Id).Except(Spared(type)).ToArray();
            foreach (var id in old) _kept.Remove(id);
        }
    }

    /// <summary>The newest of its kind may be older than ten of another.</summary>
    private IEnumerable<long> Spared(string type)
    {
        var pass = Pass([]);
        return new[] { pass.NewestManualScanAll, pass.NewestSuccessfulSweep }.OfType<ScanExecution>().Where(execution => execution.Type == type).Select(execution => execution.Id);
    }

    private ExecutionPass Pass(IReadOnlyCollection<ScanExecution> seen)
    {
        var detailed = new Dictionary<long, ScanExecution>(_kept);
        foreach (var execution in seen) detailed[execution.Id] = execution;
        return new ExecutionPass
        {
            Groups =
            [
                .. _tally.Select(pair => new ExecutionGroup(pair.Key.Type, pair.Key.Status, pair.Value)),
                .. seen.Where(execution => execution.IsRunning).CountBy(execution => execution.Type).Select(pair => new ExecutionGroup(pair.Key, ScanStatus.Running, pair.Value)),
            ],
            Detailed = detailed,
        };
    }
}

/// <summary>An execution that is over and may come to life again.</summary>
/// <param name="Type">Its vendor type.</param>
/// <param name="Status">Harbor's word, or null.</param>
/// <param name="Until">Watched until then, by the database's clock; seconds since 1970.</param>
internal readonly record struct FinishedExecution(string Type, string? Status, double Until);

/// <summary>What one read changed.</summary>
/// <param name="Rows">Executions that are new, ended or live again.</param>
/// <param name="FormerEnds">How those of them had ended before that were watched as over: the whole table counts them so and need not name them.</param>
/// <param name="Gone">Executions that were deleted.</param>
/// <param name="Now">The database's clock at it.</param>
internal sealed record ExecutionChanges(
    IReadOnlyList<ScanExecution> Rows, IReadOnlyList<(long Id, FinishedExecution End)> FormerEnds, IReadOnlyList<long> Gone, double Now)
{
    /// <summary>Whether a newest scan-all or sweep was deleted: what came before it may no longer be known.</summary>
    public bool HasLostTelling { get; init; }

    /// <summary>Whether a sweep of Harbor's ended, well or not: each of its batches has deleted finished rows (harbor-facts 4.7).</summary>
    public bool HasSwept { get; init; }
}
