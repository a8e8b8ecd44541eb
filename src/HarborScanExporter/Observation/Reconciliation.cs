using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Settings;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>
/// Reads the whole tables at start, at an interval and when something was seen that only they can settle: off the scrapes' path, on a
/// connection of its own, one at a time. Each begins or corrects what the scrapes remember.
/// </summary>
internal sealed class Reconciliation(
    ReconciliationDatabase database, ActiveRows rows, ExporterSettings settings, FailureLog log, TimeProvider time)
{
    private const string Part = "The reconciliation";

    private const int MostAttempts = 4;

    /// <summary>After a failure the next attempt waits so long, unless a scrape asks for it.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(30);

    /// <summary>What scrapes ask for is not begun more often.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(200);

    private readonly IReadOnlySet<string> _topics = Topic.NamesOf(settings);
    private readonly Lock _lock = new();
    private readonly long[] _failures = new long[FailureReason.All.Count];
    private TaskCompletionSource _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _newestFailure;
    private Reconciled? _newest;
    private bool _isUnderWay;
    private long _total;
    private long _taskDrift;
    private long _executionDrift;

    /// <summary>Waits until the tables that are there now were read whole, and at first for the collectors that are carried too.</summary>
    /// <param name="patience">At most so long.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NotReconciledException">They were not; its cause is why the newest attempt failed.</exception>
    public async Task KnownAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        Task ended;
        bool isUnderWay;
        lock (_lock)
        {
            if (rows.IsKnown && _newest is not null) return;
            (ended, isUnderWay) = (_ended.Task, _isUnderWay);
        }
        if (!isUnderWay && !rows.IsKnown) Want();
        try
        {
            await ended.WaitAsync(patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Told below.
        }
        if (rows.IsKnown) return;
        lock (_lock) throw new NotReconciledException(ended.IsCompleted ? _newestFailure : null);
    }

    /// <summary>Asks for one before its turn.</summary>
    public void Want()
    {
        lock (_lock) _wanted.TrySetResult();
    }

    /// <summary>What the last one read beyond the counts; null before the first.</summary>
    public WholeTables? Whole
    {
        get { lock (_lock) return _newest?.Whole; }
    }

    /// <summary>What it has done by now.</summary>
    public ReconciliationState State
    {
        get
        {
            lock (_lock) return new ReconciliationState(_newest?.Now, _newest?.Seconds, _total, [.. FailureReason.All.Zip(_failures)], _taskDrift, _executionDrift, rows.Watched);
        }
    }

    private TimeSpan Pause => !rows.IsKnown ? Breath : settings.ReconciliationInterval < LeastPause ? settings.ReconciliationInterval : LeastPause;

    /// <summary>Reads the whole tables once, and waits until they are to be read again.</summary>
    public async Task RoundAsync(CancellationToken stoppingToken)
    {
        Task wanted;
        lock (_lock)
        {
            // What is wanted from here on, this one may come too early for.
            _wanted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (wanted, _isUnderWay) = (_wanted.Task, true);
        }
        var failed = await RunAsync(stoppingToken);
        var ended = time.GetTimestamp();
        try
        {
            await wanted.WaitAsync(failed ? Retry : settings.ReconciliationInterval, time, stoppingToken);
            // While nothing is known each scrape asks, and waits for it.
            while (time.GetElapsedTime(ended) < Pause) await Task.Delay(Breath, time, stoppingToken);
        }
        catch (TimeoutException)
        {
            // Its turn.
        }
    }

    /// <summary>One; whether it failed.</summary>
    private async Task<bool> RunAsync(CancellationToken stoppingToken)
    {
        var start = time.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var deadline = new CancellationTokenSource(settings.ReconciliationTimeout, time);
        await using var both = deadline.Token.Register(limit.Cancel);
        Exception? failure = null;
        try
        {
            var reading = ReadAsync(limit.Token);
            _ = reading.ContinueWith(ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            // On a frozen network a cancelled call returns only after half a minute.
            var (now, whole) = await reading.WaitAsync(settings.ReconciliationTimeout + TimeSpan.FromSeconds(1), time, stoppingToken);
            lock (_lock)
            {
                _newest = new Reconciled(now, time.GetElapsedTime(start).TotalSeconds, whole);
                _total++;
            }
            log.Succeeded(Part);
        }
        catch (Exception error)
        {
            failure = error;
            if (!stoppingToken.IsCancellationRequested)
            {
                var reason = FailureReason.Of(error);
                log.Failed(Part, reason, error);
                lock (_lock) _failures[FailureReason.IndexOf(reason)]++;
            }
        }
        TaskCompletionSource ended;
        lock (_lock)
        {
            (ended, _ended) = (_ended, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            (_newestFailure, _isUnderWay) = (failure, false);
        }
        ended.TrySetResult();
        return failure is not null;
    }

    private async Task<(double Now, WholeTables Whole)> ReadAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ReadOnceAsync(cancellationToken);
            }
            catch (OutdatedSnapshotException) when (attempt < MostAttempts)
            {
                // A scrape was faster; once more, and it is another server, which has lost what that one had.
                if (attempt == MostAttempts - 1) rows.Forget();
            }
        }
    }

    private async Task<(double Now, WholeTables Whole)> ReadOnceAsync(CancellationToken cancellationToken)
    {
        var timeout = settings.ReconciliationTimeout;
        var snapshot = await database.Database.BeginAsync(timeout, cancellationToken);
        await using var ends = snapshot;
        var facts = await SchemaProbe.ReadAsync(snapshot, cancellationToken);
        var reconciling = new ReconcilingRows();
        try
        {
            return await ReadOnceAsync(snapshot, facts, reconciling, cancellationToken);
        }
        catch
        {
            rows.GiveUp(reconciling);
            throw;
        }
    }

    private async Task<(double Now, WholeTables Whole)> ReadOnceAsync(
        Snapshot snapshot, DatabaseFacts facts, ReconcilingRows reconciling, CancellationToken cancellationToken)
    {
        var horizon = await snapshot.ReadAsync((from, token) => TableHorizonProbe.ReadAsync(from, token), cancellationToken);
        await ReadKnownAsync(snapshot, facts, reconciling, cancellationToken);
        var highs = reconciling.Known is { } before
            ? (before.HighTasks, before.HighExecutions)
            : await SettledAsync(snapshot, horizon, facts.Now, cancellationToken);
        var finished = new FinishedSince(facts.Now - WatchedTasks.RetrySeconds, highs.Item1.Settled, highs.Item2.Settled);
        var executions = await snapshot.ReadAsync((from, token) => ExecutionPass.ReadAsync(from, finished, token), cancellationToken);
        var tasks = await snapshot.ReadAsync((from, token) => TaskPass.ReadAsync(from, facts.Now, executions.NewestScanAll?.Id ?? 0, finished, token), cancellationToken);
        if (rows.Reconcile(reconciling, tasks, executions, highs, horizon, facts.Now) && reconciling.Known is { } known)
        {
            lock (_lock)
            {
                _taskDrift += tasks.OpenRows.Count(task => !known.Tasks.Contains(task.Id));
                _executionDrift += executions.Detailed.Values.Count(execution => execution.IsRunning && !known.Executions.Contains(execution.Id));
            }
        }
        // Scrapes need not wait for them, nor does what was read fail with them: one may read and sort for as long as there is time.
        var open = Part<IReadOnlyList<ScanTask>>.Of(tasks.Open(id => executions.Detailed.GetValueOrDefault(id)?.Started));
        return (facts.Now, await WholeTables.ReadAsync(_topics, snapshot, facts, open, time, cancellationToken));
    }

    /// <summary>What the scrapes know is read once more in this snapshot, so that the difference is theirs and not that of the time between.</summary>
    private async Task ReadKnownAsync(Snapshot snapshot, DatabaseFacts facts, ReconcilingRows reconciling, CancellationToken cancellationToken)
    {
        try
        {
            await snapshot.ReadAsync((from, token) => ActiveReading.ReadAsync(from, rows, facts, reconciling, token), cancellationToken);
        }
        catch (NotReconciledException)
        {
            rows.Begin(reconciling);
        }
    }

    private static async Task<(HighWater Tasks, HighWater Executions)> SettledAsync(Snapshot snapshot, TableHorizon horizon, double now, CancellationToken cancellationToken)
    {
        var (tasks, executions) = await snapshot.ReadAsync((from, token) => TableHorizonProbe.SettledAsync(from, now, token), cancellationToken);
        return (new HighWater(tasks, horizon, now), new HighWater(executions, horizon, now));
    }

    private sealed record Reconciled(double Now, double Seconds, WholeTables Whole);
}

/// <summary>What the reconciliation has done by now.</summary>
/// <param name="Now">The database's clock at the newest; null before the first.</param>
/// <param name="Seconds">How long that took; likewise.</param>
/// <param name="Total">Those that came to their end.</param>
/// <param name="Failures">Those that failed, by reason.</param>
/// <param name="TaskDrift">Open tasks that they found and the scrapes before did not know.</param>
/// <param name="ExecutionDrift">Open executions, likewise.</param>
/// <param name="Watched">What is remembered; null while nothing is.</param>
internal sealed record ReconciliationState(
    double? Now, double? Seconds, long Total, IReadOnlyList<(string Reason, long Count)> Failures, long TaskDrift, long ExecutionDrift, WatchedRows? Watched);

/// <summary>The connection of the reconciliation alone.</summary>
internal sealed record ReconciliationDatabase(HarborDatabase Database) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
