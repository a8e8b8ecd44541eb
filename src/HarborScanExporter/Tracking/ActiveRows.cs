using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tracking;

/// <summary>
/// What is remembered of Harbor's rows from one scrape to the next, so that a scrape need not read the whole tables: which are open, which
/// ended lately, from which id on rows are new, and what all others say together. Begun and corrected by reconciliations.
/// </summary>
internal sealed class ActiveRows(IScanTransitions transitions)
{
    private readonly Lock _lock = new();
    private State? _state;
    private long _version;
    private ReconcilingRows? _reconciling;

    /// <summary>Where the open tasks stood that lie far from any other.</summary>
    public RowAddresses<long> TaskAddresses { get; } = new();

    /// <inheritdoc cref="TaskAddresses"/>
    public RowAddresses<long> ExecutionAddresses { get; } = new();

    /// <summary>Whether a reconciliation has begun it.</summary>
    public bool IsKnown
    {
        get
        {
            lock (_lock) return _state is not null;
        }
    }

    /// <summary>Whether what is remembered has a hole that a reconciliation must fill before its turn.</summary>
    public bool WantsReconciliation { get; private set; }

    /// <summary>How many ids are remembered; null before the first reconciliation.</summary>
    public WatchedRows? Watched
    {
        get
        {
            lock (_lock)
            {
                return _state is { } state
                    ? new WatchedRows(state.Tasks.Open.Count, state.Tasks.Finished.Count, state.Executions.Open.Count, state.Executions.Finished.Count)
                    : null;
            }
        }
    }

    /// <summary>What to read at this snapshot; null when nothing is remembered.</summary>
    /// <param name="horizon">How far the tables reach.</param>
    /// <param name="now">The database's clock at it.</param>
    /// <exception cref="OutdatedSnapshotException">A later snapshot was read before; ids and ends of it must not be taken back.</exception>
    public ReadPlan? Plan(TableHorizon horizon, double now)
    {
        lock (_lock)
        {
            if (_state is not { } state) return null;
            if (state.IsOfOtherTables(horizon))
            {
                ForgetAll();
                return null;
            }
            if (state.IsAheadOf(horizon, now)) throw new OutdatedSnapshotException();
            var (newTasks, newExecutions) = (state.Tasks.High.Settled, state.Executions.High.Settled);
            return new ReadPlan(
                _version,
                IdRanges.Of(state.Tasks.Open.Concat(state.Tasks.LowCodes).Where(id => id <= newTasks), ActiveTaskLookup.Gap).WithAbove(newTasks),
                // The optional index finds every open task, also one that a hand opened again long after its end.
                horizon.HasOpenTaskIndex ? new IdRanges([0], [newTasks]) : IdRanges.Of(state.Tasks.Finished.Where(id => id <= newTasks), ActiveTaskLookup.FinishedGap),
                newTasks,
                [.. state.Executions.Open.Concat(state.Executions.Telling)],
                IdRanges.Of(state.Executions.Finished.Where(id => id <= newExecutions), ActiveExecutionLookup.FinishedGap),
                newExecutions);
        }
    }

    /// <summary>Takes what was read by a plan; null when another read was taken since the plan was made, so that it must be made anew.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="read">What was read.</param>
    /// <param name="horizon">How far the tables reach.</param>
    /// <param name="now">The database's clock at the snapshot.</param>
    /// <param name="reconciling">The reconciliation that goes on in this very snapshot: from here on what scrapes see is kept for it.</param>
    public Passes? Take(ReadPlan plan, PlannedRead read, TableHorizon horizon, double now, ReconcilingRows? reconciling)
    {
        lock (_lock)
        {
            if (_state is not { } state || plan.Version != _version) return null;
            _version++;
            var (executionChanges, executions) = state.Executions.Take(read.Executions, read.AskedExecutions, now);
            var (taskChanges, tasks) = state.Tasks.Take(read.Tasks, read.HooksOfOthers, executions.NewestScanAll?.Id ?? 0, now, transitions);
            var hasHole = state.Saw(horizon, now) || executionChanges.HasLostTelling || executionChanges.HasSwept;
            WantsReconciliation |= hasHole;
            _reconciling?.Keep(taskChanges, executionChanges, hasHole);
            if (reconciling is not null)
            {
                reconciling.Known = new KnownOpen(state.Tasks.Open.ToHashSet(), state.Executions.Open.ToHashSet(), state.Tasks.High.Copy(), state.Executions.High.Copy());
                _reconciling = reconciling;
            }
            return new Passes(tasks, executions);
        }
    }

    /// <summary>Forgets everything: a fresh snapshot lies before one that was read, so that another server answers, which has lost what this one had.</summary>
    public void Forget()
    {
        lock (_lock) ForgetAll();
    }

    /// <summary>Tasks that are over and whose job Redis still lists.</summary>
    public void Listed(IReadOnlyCollection<ScanTask> tasks)
    {
        lock (_lock)
        {
            if (_state is null || tasks.Count == 0) return;
            _version++;
            _state.Tasks.Listed(tasks);
        }
    }

    /// <summary>A reconciliation begins while nothing is remembered.</summary>
    public void Begin(ReconcilingRows reconciling)
    {
        lock (_lock) _reconciling = reconciling;
    }

    /// <summary>A reconciliation failed: what scrapes see is kept for it no longer.</summary>
    public void GiveUp(ReconcilingRows reconciling)
    {
        lock (_lock)
        {
            if (_reconciling == reconciling) _reconciling = null;
        }
    }

    /// <summary>Replaces what was remembered by what the whole tables say, and applies what scrapes have seen since.</summary>
    /// <param name="reconciling">The reconciliation; one that was given up, or that read other tables, replaces nothing.</param>
    /// <param name="tasks">The whole table of tasks.</param>
    /// <param name="executions">The whole table of executions.</param>
    /// <param name="highs">Above which ids to read whole.</param>
    /// <param name="horizon">How far they reached.</param>
    /// <param name="now">The database's clock at that snapshot.</param>
    /// <returns>Whether it replaced.</returns>
    public bool Reconcile(
        ReconcilingRows reconciling, TaskPass tasks, ExecutionPass executions, (HighWater Tasks, HighWater Executions) highs, TableHorizon horizon, double now)
    {
        lock (_lock)
        {
            if (_reconciling != reconciling) return false;
            var state = new State(
                new WatchedTasks(tasks, executions.NewestScanAll?.Id ?? 0, highs.Tasks, now), new WatchedExecutions(executions, highs.Executions, now), horizon, now);
            state.Saw(horizon, now);
            if (_state is { } lowered) state.LowerWith(lowered);
            foreach (var (taskChanges, executionChanges) in reconciling.Meanwhile)
            {
                state.Executions.Repeat(executionChanges);
                state.Tasks.Repeat(taskChanges);
            }
            if (_state is { } before) state.GoOnFrom(before);
            (_state, _reconciling, WantsReconciliation) = (state, null, reconciling.HasHole);
            _version++;
            return true;
        }
    }

    private void ForgetAll()
    {
        (_state, _reconciling) = (null, null);
        _version++;
    }

    private sealed class State(WatchedTasks tasks, WatchedExecutions executions, TableHorizon horizon, double now)
    {
        private TableHorizon _newest = horizon;
        private double _now = now;

        public WatchedTasks Tasks => tasks;

        public WatchedExecutions Executions => executions;

        /// <summary>Whether a table was restored or emptied, or another database stands there: ids may mean other rows now.</summary>
        public bool IsOfOtherTables(TableHorizon other) =>
            other.Database != _newest.Database || other.TaskTable != _newest.TaskTable || other.ExecutionTable != _newest.ExecutionTable;

        /// <summary>Whether a later snapshot than this was read.</summary>
        public bool IsAheadOf(TableHorizon other, double at) =>
            other.NextTransaction < _newest.NextTransaction || other.OldestTransaction < _newest.OldestTransaction
            || (other.NextTransaction == _newest.NextTransaction && other.OldestTransaction == _newest.OldestTransaction && at < _now);

        /// <summary>Takes how far the tables reach; whether the highest rows of one are gone, so that a newer row may stand among the old ones.</summary>
        public bool Saw(TableHorizon seen, double at)
        {
            (_newest, _now) = (seen, at);
            var isLower = seen.NewestTask < tasks.High.Settled || seen.NewestExecution < executions.High.Settled;
            tasks.High.Lower(seen.NewestTask);
            executions.High.Lower(seen.NewestExecution);
            tasks.High.Saw(seen.NewestTask, seen, at);
            executions.High.Saw(seen.NewestExecution, seen, at);
            return isLower;
        }

        /// <summary>The highest rows were lost after the snapshot of the reconciliation: what takes their ids, scrapes have read as new.</summary>
        public void LowerWith(State other)
        {
            if (other.Tasks.High.Settled < tasks.High.Settled) tasks.High.Lower(other.Tasks.High.Settled);
            if (other.Executions.High.Settled < executions.High.Settled) executions.High.Lower(other.Executions.High.Settled);
        }

        /// <summary>Scrapes have read later snapshots than the one of the reconciliation, and what they saw since was repeated.</summary>
        public void GoOnFrom(State before)
        {
            tasks.GoOnFrom(before.Tasks);
            executions.GoOnFrom(before.Executions);
            (_newest, _now) = (before._newest, before._now);
        }
    }
}

/// <summary>A reconciliation under way, and what scrapes see meanwhile.</summary>
internal sealed class ReconcilingRows
{
    private readonly List<(TaskChanges Tasks, ExecutionChanges Executions)> _meanwhile = [];

    /// <summary>What was known to be open in its snapshot; null when nothing was remembered.</summary>
    public KnownOpen? Known { get; set; }

    /// <summary>What was seen after its snapshot, oldest first.</summary>
    public IReadOnlyList<(TaskChanges Tasks, ExecutionChanges Executions)> Meanwhile => _meanwhile;

    /// <summary>Whether something was lost after its snapshot that only another reconciliation finds.</summary>
    public bool HasHole { get; private set; }

    public void Keep(TaskChanges tasks, ExecutionChanges executions, bool hasHole)
    {
        _meanwhile.Add((tasks, executions));
        HasHole |= hasHole;
    }
}

/// <summary>What was known to be open when a reconciliation began, and above which ids everything was read.</summary>
internal sealed record KnownOpen(IReadOnlySet<long> Tasks, IReadOnlySet<long> Executions, HighWater HighTasks, HighWater HighExecutions);

/// <summary>A later snapshot was read before this one: it must be taken anew.</summary>
internal sealed class OutdatedSnapshotException() : Exception("A later snapshot was read before.");
