using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>
/// What the collectors of one scrape share: the snapshot, the few named passes over it, and what the job service's Redis says. A part is read
/// when the first collector asks, once; when it fails, it fails for each collector that asks. The snapshot ends before Redis and Harbor's API are
/// asked, so that neither holds a transaction open when slow; what must be read after it, is read in a second one.
/// </summary>
/// <param name="sources">Where to read.</param>
/// <param name="first">The first snapshot, which ends with the collection.</param>
/// <param name="facts">Its first query.</param>
/// <param name="limits">The limits of the settings.</param>
/// <param name="ageThresholds">The thresholds of the settings.</param>
/// <param name="timeout">How long the collection may take at most.</param>
/// <param name="active">What is remembered of the rows; null when the whole tables are read.</param>
/// <param name="finished">Which finished rows such a read names one by one.</param>
/// <param name="awaited">How much longer somebody waits for it, which may be less and may become more; the time up to the bound when not given.</param>
internal sealed class Collection(
    CollectionSources sources, Snapshot first, DatabaseFacts facts, Limits limits, IReadOnlyList<TimeSpan> ageThresholds, TimeSpan timeout,
    ActiveRows? active = null, FinishedSince? finished = null, Func<TimeSpan>? awaited = null)
    : IAsyncDisposable
{
    /// <summary>The part of the collection's time that Redis may take: the second transaction comes after it.</summary>
    private const double JobServiceShare = 0.4;

    /// <summary>Names of reads, for their times.</summary>
    private const string Remembered = "what is remembered";
    private const string State = "paused queues and read-only mode";
    private const string Rows = "executions in doubt";
    private const string Service = "the job service";
    private const string Hooks = "hooks that nobody takes";
    private const string Judged = "tasks in doubt";

    /// <summary>Redis has so long in any case: whoever asked for less time may not be the only one who waits.</summary>
    private static readonly TimeSpan LeastForJobService = TimeSpan.FromSeconds(1);

    private readonly long _begun = sources.Time.GetTimestamp();
    private Snapshot? _snapshot = first;
    private readonly Dictionary<string, TableWork> _work = TableWork.Tables.ToDictionary(table => table, table => new TableWork(table, 0, 0), StringComparer.Ordinal);
    private Task<Passes>? _passes;
    private Task<ExecutionPass>? _executions;
    private Task<TaskPass>? _tasks;
    private Task<OperatorState>? _operatorState;
    private Task<IReadOnlyList<ScanTask>>? _openTasks;
    private Task<DiagnosisRows>? _rows;
    private Task<JobServiceEvidence>? _jobService;
    private Task<IReadOnlyList<string>?>? _orphanHooks;
    private Task<Diagnosed>? _diagnosed;
    private bool? _readOnly;

    public DatabaseFacts Facts => facts;

    /// <summary>How long its reads take.</summary>
    public ReadTimes Times { get; } = new(sources.Time);

    public Limits Limits => limits;

    public IReadOnlyList<TimeSpan> AgeThresholds => ageThresholds;

    /// <summary>The diagnosis, when it was made and did not fail.</summary>
    public Diagnosed? Diagnosed => _diagnosed is { IsCompletedSuccessfully: true } made ? made.Result : null;

    /// <summary>What is remembered of the rows; null when this collection reads the whole tables.</summary>
    public ActiveRows? Active => active;

    /// <summary>What <c>execution</c> says.</summary>
    public Task<ExecutionPass> ExecutionsAsync(CancellationToken cancellationToken) => Needing(ReadTimes.Executions, Remembered)._executions ??= Times.MeasureAsync(ReadTimes.Executions, () => ReadExecutionsAsync(cancellationToken));

    /// <summary>What <c>task</c> says.</summary>
    public Task<TaskPass> TasksAsync(CancellationToken cancellationToken) => Needing(ReadTimes.Tasks, Remembered)._tasks ??= Times.MeasureAsync(ReadTimes.Tasks, () => ReadTasksAsync(cancellationToken));

    /// <summary>The scan tasks that are not over.</summary>
    public Task<IReadOnlyList<ScanTask>> OpenTasksAsync(CancellationToken cancellationToken) => Needing(ReadTimes.Tasks, Remembered)._openTasks ??= Times.MeasureAsync(ReadTimes.Tasks, () => ReadOpenTasksAsync(cancellationToken));

    /// <summary>Paused queues and read-only mode, as rows tell.</summary>
    public Task<OperatorState> OperatorStateAsync(CancellationToken cancellationToken) =>
        Needing(State)._operatorState ??= Times.MeasureAsync(State, () => ReadAsync((from, token) => OperatorState.ReadAsync(from, facts, token), cancellationToken));

    /// <summary>Whether Harbor is read-only: the rows' word, else that of Harbor's API; null when neither tells.</summary>
    public async Task<bool?> ReadOnlyAsync(CancellationToken cancellationToken)
    {
        if ((await OperatorStateAsync(cancellationToken)).ReadOnly is { } told) return told;
        await JobServiceAsync(cancellationToken);
        return _readOnly;
    }

    /// <summary>What the diagnosis needs of the first snapshot beyond the passes.</summary>
    public Task<DiagnosisRows> DiagnosisRowsAsync(CancellationToken cancellationToken) =>
        Needing(ReadTimes.Tasks, ReadTimes.Executions, Remembered, Rows)._rows ??= Times.MeasureAsync(Rows, () => DiagnosisRows.ReadAsync(this, cancellationToken));

    /// <summary>What Redis says; from here on reads see a second, later snapshot. Never fails for the sake of Redis.</summary>
    public Task<JobServiceEvidence> JobServiceAsync(CancellationToken cancellationToken) =>
        Needing(Service)._jobService ??= Times.MeasureAsync(Service, () => AskJobServiceAsync(cancellationToken));

    /// <summary>Jobs whose hooks nobody takes and that no task names; null where that cannot be asked.</summary>
    public Task<IReadOnlyList<string>?> OrphanHooksAsync(CancellationToken cancellationToken) =>
        Needing(Service, Hooks)._orphanHooks ??= Times.MeasureAsync(Hooks, () => ReadOrphanHooksAsync(cancellationToken));

    /// <summary>Which tasks are stuck, which rows contradict each other.</summary>
    public Task<Diagnosed> DiagnoseAsync(CancellationToken cancellationToken) =>
        Needing(ReadTimes.Tasks, ReadTimes.Executions, Remembered, State, Rows, Service, Hooks, Judged)._diagnosed ??= Times.MeasureAsync(Judged, () => Diagnosing.RunAsync(this, sources, cancellationToken));

    /// <summary>Reads one more thing, in the first snapshot until Redis was asked, in the second after that.</summary>
    public async Task<T> ReadAsync<T>(Func<Snapshot, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        _snapshot ??= await sources.Database.BeginAsync(Left, cancellationToken, active is null ? Access.Any : Access.ByKey);
        return await _snapshot.ReadAsync(read, cancellationToken);
    }

    /// <summary>Reads what rests on what is remembered, before the first collector asks; its failure fails those that ask.</summary>
    /// <exception cref="OutdatedSnapshotException">A later snapshot was read before: the collection must begin anew.</exception>
    public async Task ReadActiveAsync(CancellationToken cancellationToken)
    {
        if (active is null) return;
        try
        {
            await PassesAsync(active, cancellationToken);
        }
        catch (Npgsql.PostgresException)
        {
            // Kept in the memoized task.
        }
    }

    /// <summary>What the statements of this collection have read of the two tables that grow with every scan.</summary>
    public async Task<IReadOnlyCollection<TableWork>> WorkAsync(CancellationToken cancellationToken)
    {
        await AddWorkAsync(cancellationToken);
        return _work.Values;
    }

    public async ValueTask DisposeAsync()
    {
        if (_snapshot is not null) await _snapshot.DisposeAsync();
    }

    private TimeSpan Left => timeout - sources.Time.GetElapsedTime(_begun) is var left && left > TimeSpan.FromMilliseconds(100) ? left : TimeSpan.FromMilliseconds(100);

    /// <summary>Says what the collector that asks needs, whether it was read before or not.</summary>
    private Collection Needing(params ReadOnlySpan<string> reads)
    {
        Times.Need(reads);
        return this;
    }

    private TimeSpan JobServicePatience
    {
        get
        {
            var patience = (awaited?.Invoke() ?? Left) * JobServiceShare;
            return patience > LeastForJobService ? patience : Left * JobServiceShare < LeastForJobService ? Left * JobServiceShare : LeastForJobService;
        }
    }

    private Task<Passes> PassesAsync(ActiveRows rows, CancellationToken cancellationToken) =>
        _passes ??= Times.MeasureAsync(Remembered, () => ReadAsync((from, token) => ActiveReading.ReadAsync(from, rows, facts, null, token, Times), cancellationToken));

    private async Task<ExecutionPass> ReadExecutionsAsync(CancellationToken cancellationToken) => active is not null
        ? (await PassesAsync(active, cancellationToken)).Executions
        : await ReadAsync((from, token) => ExecutionPass.ReadAsync(from, finished ?? FinishedSince.Never, token), cancellationToken);

    private async Task<TaskPass> ReadTasksAsync(CancellationToken cancellationToken)
    {
        if (active is not null) return (await PassesAsync(active, cancellationToken)).Tasks;
        var newestScanAll = (await ExecutionsOrNoneAsync(cancellationToken))?.NewestScanAll?.Id ?? 0;
        return await ReadAsync((from, token) => TaskPass.ReadAsync(from, facts.Now, newestScanAll, finished ?? FinishedSince.Never, token), cancellationToken);
    }

    /// <summary>The server counts by transaction: before one ends, what it has read is added.</summary>
    private async Task AddWorkAsync(CancellationToken cancellationToken)
    {
        if (_snapshot is null) return;
        foreach (var work in await ReadAsync(TableWork.ReadAsync, cancellationToken))
            _work[work.Table] = work with { WholeReads = _work[work.Table].WholeReads + work.WholeReads, Rows = _work[work.Table].Rows + work.Rows };
    }

    private async Task<IReadOnlyList<ScanTask>> ReadOpenTasksAsync(CancellationToken cancellationToken)
    {
        var executions = await ExecutionsOrNoneAsync(cancellationToken);
        var tasks = await TasksAsync(cancellationToken);
        return tasks.Open(id => executions?.Detailed.GetValueOrDefault(id)?.Started);
    }

    private async Task<JobServiceEvidence> AskJobServiceAsync(CancellationToken cancellationToken)
    {
        if (sources is { Evidence: null, Api: null }) return JobServiceEvidence.Without(EvidenceState.NotConfigured);
        await ReadBeforehandAsync(OpenTasksAsync, cancellationToken);
        await ReadBeforehandAsync(DiagnosisRowsAsync, cancellationToken);
        await ReadBeforehandAsync(OperatorStateAsync, cancellationToken);
        if (_snapshot is { } snapshot)
        {
            if (active is not null) await AddWorkAsync(cancellationToken);
            _snapshot = null;
            await snapshot.DisposeAsync();
        }
        var open = _openTasks is { IsCompletedSuccessfully: true } known ? known.Result : [];
        var asked = sources.Api?.ReadOnlyAsync(cancellationToken) ?? Task.FromResult<bool?>(null);
        var read = sources.Evidence?.ReadAsync([.. Diagnosing.OldestFirst(open).Select(task => task.JobId)], JobServicePatience, cancellationToken)
            ?? Task.FromResult(JobServiceEvidence.Without(EvidenceState.NotConfigured));
        // Neither is left behind when the other fails.
        await Task.WhenAll(asked, read);
        var evidence = await read;
        _readOnly = await asked;
        if (await IsForeignAsync(evidence, cancellationToken)) return evidence.OfAnotherHarbor();
        sources.EmptiedSince = evidence.EmptiedUnderPools ? sources.EmptiedSince ?? sources.Time.GetTimestamp() : null;
        var newestSuccess = _tasks is { IsCompletedSuccessfully: true } counted ? counted.Result.NewestSuccess : null;
        return (evidence with { EmptiedFor = sources.EmptiedSince is { } since ? sources.Time.GetElapsedTime(since).TotalSeconds : 0 })
            .Beside(RowFreshness.OfWork(open, newestSuccess, facts.Now));
    }

    /// <summary>Whether Redis shows jobs and not one of them is a task here. Asked only when it knows no open task either, as before 2.5 it reads the table.</summary>
    private async Task<bool> IsForeignAsync(JobServiceEvidence evidence, CancellationToken cancellationToken) =>
        evidence.MayBeForeign
        && (await ReadAsync((from, token) => TaskLookup.NamedJobsAsync(from, [.. evidence.SomeJobs], token), cancellationToken)).Count == 0;

    /// <summary>What belongs to the first snapshot is read before it ends; whoever asks for it later meets its failure.</summary>
    private static async Task ReadBeforehandAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            await read(cancellationToken);
        }
        catch (Npgsql.PostgresException)
        {
            // Kept in the memoized task.
        }
    }

    private async Task<IReadOnlyList<string>?> ReadOrphanHooksAsync(CancellationToken cancellationToken)
    {
        var service = await JobServiceAsync(cancellationToken);
        if (!service.IsUsable || facts.SchemaVersion < HarborSchema.JobIndexSince) return null;
        var named = await ReadAsync((from, token) => TaskLookup.NamedJobsAsync(from, [.. service.UnclaimedHooks], token), cancellationToken);
        return [.. service.UnclaimedHooks.Where(job => !named.Contains(job))];
    }

    /// <summary>Tasks can be counted while the table of executions cannot be read: its own collectors report that.</summary>
    private async Task<ExecutionPass?> ExecutionsOrNoneAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ExecutionsAsync(cancellationToken);
        }
        catch (Npgsql.PostgresException)
        {
            return null;
        }
    }
}
