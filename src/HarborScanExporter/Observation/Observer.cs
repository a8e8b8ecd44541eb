using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.HarborApi;
using HarborScanExporter.JobService;
using HarborScanExporter.Settings;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>
/// Reads Harbor once: a first snapshot of the database, then Redis and Harbor's API, then the rows in doubt in a second one, and the diagnosis of it all.
/// </summary>
/// <param name="database">Harbor's database.</param>
/// <param name="settings">What to read, and how long that may take.</param>
/// <param name="memory">What earlier observations left.</param>
/// <param name="log">Says what went wrong, and what became stuck.</param>
/// <param name="time">Measures; rows are aged by the database's clock.</param>
/// <param name="evidence">The job service's Redis; null without it.</param>
/// <param name="api">Harbor's API; null without it.</param>
/// <param name="rows">What is remembered of rows; null when each observation reads the whole tables.</param>
/// <param name="reconciliation">What begins and corrects that; null likewise.</param>
internal sealed class Observer(
    HarborDatabase database, ExporterSettings settings, ObservationMemory memory, ObservationLog log, TimeProvider time,
    EvidenceReader? evidence = null, SystemInfoClient? api = null, ActiveRows? rows = null, Reconciliation? reconciliation = null)
{
    /// <summary>An observation waits so long for the first reconciliation; what takes longer is told, so that a start answers at once.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Limits _limits = Limits.From(settings);
    private readonly Diagnoser _diagnoser = new(memory, Limits.From(settings), time, rows is not null);
    private readonly IReadOnlySet<string> _names = Topic.NamesOf(settings);
    private readonly JobServiceLook _jobService = new(memory, time, evidence, api);

    /// <summary>What is told of each observation.</summary>
    public IReadOnlyList<Topic> Topics { get; } = Topic.Chosen(settings);

    /// <summary>Reads; the failure of a part is part of the answer.</summary>
    /// <param name="seen">Where each part is put once it was read.</param>
    /// <param name="awaited">How much longer somebody waits for it; that may become more while it runs, up to the timeout of the settings.</param>
    /// <param name="cancellationToken">Cancels the running statement on the server too.</param>
    /// <exception cref="Npgsql.NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="UnreadableSchemaException">It is no database that can be read.</exception>
    /// <exception cref="NotReconciledException">The whole tables have not been read yet.</exception>
    public async Task ReadAsync(HarborObservation seen, Func<TimeSpan> awaited, CancellationToken cancellationToken)
    {
        if (reconciliation is not null) await reconciliation.KnownAsync(awaited() / 2 is var half && half < Patience ? half : Patience, cancellationToken);
        await using var reader = await BeginAsync(seen, cancellationToken);
        var facts = seen.Facts!;
        log.Begun(facts);

        var executions = seen.Executions ??= await ReadAsync(() => reader.ReadAsync((from, token) => ExecutionPass.ReadAsync(from, FinishedSince.Never, token), cancellationToken));
        // Tasks can be counted while the table of executions cannot be read.
        var newestScanAll = executions.Failure is null ? executions.Value.NewestScanAll?.Id ?? 0 : 0;
        var tasks = seen.Tasks ??= await ReadAsync(() => reader.ReadAsync((from, token) => TaskPass.ReadAsync(from, facts.Now, newestScanAll, FinishedSince.Never, token), cancellationToken));
        var open = seen.OpenTasks = await ReadAsync(() => Task.FromResult(OpenOf(tasks.Value, executions)), tasks);
        seen.Whole = reconciliation is null
            ? await WholeTables.ReadAsync(_names, await reader.NowAsync(cancellationToken), facts, open, time, cancellationToken)
            : reconciliation.Whole ?? WholeTables.NotYet(_names);
        if (settings.Remediation.Mode != RemediationMode.Off) seen.Audit = await ReadAsync(() => AuditAsync(reader, cancellationToken));
        var state = seen.OperatorState = await ReadAsync(() => reader.ReadAsync((from, token) => OperatorState.ReadAsync(from, facts, token), cancellationToken));
        var inDoubt = seen.ExecutionsInDoubt = await ReadAsync(
            () => ExecutionsInDoubt.ReadAsync(reader, facts, executions.Value, tasks.Value, open.Value, _limits, cancellationToken), executions, tasks, open);

        var asked = await _jobService.ReadAsync(reader, seen, awaited, counts: rows is not null, cancellationToken);
        var service = seen.JobService = asked.Evidence;
        var readOnly = seen.ReadOnly = await ReadAsync(() => Task.FromResult(state.Value.ReadOnly ?? asked.ReadOnly), state, service);

        var hooks = seen.OrphanHooks = await ReadAsync(() => JobServiceLook.OrphanHooksAsync(reader, facts, service.Value, cancellationToken), service);
        seen.Diagnosis = await ReadAsync(() => _diagnoser.DiagnoseAsync(seen, reader, cancellationToken), executions, tasks, open, state, inDoubt, service, readOnly, hooks);
        if (rows is not null) await RememberAsync(seen, rows, reader, cancellationToken);
        log.Ended(seen, isAwaited: awaited() > TimeSpan.Zero);
    }

    private Task<Part<T>> ReadAsync<T>(Func<Task<T>> read, params IReadOnlyList<Part> restsOn) => Part<T>.ReadAsync(time, read, restsOn);

    private static IReadOnlyList<ScanTask> OpenOf(TaskPass tasks, Part<ExecutionPass> executions) =>
        tasks.Open(id => executions.Failure is null ? executions.Value.Detailed.GetValueOrDefault(id)?.Started : null);

    private static async Task<AuditCounts> AuditAsync(SnapshotReader reader, CancellationToken cancellationToken) => new(
        await AuditException.GuardAsync(() => reader.ReadAsync(RepairAuditLookup.CountsAsync, cancellationToken)),
        await AuditException.GuardAsync(() => reader.ReadAsync(RepairAuditLookup.OfLateAsync, cancellationToken)));

    /// <summary>Opens the first snapshot, with what is remembered of rows read in it.</summary>
    private async Task<SnapshotReader> BeginAsync(HarborObservation seen, CancellationToken cancellationToken)
    {
        for (var isFresh = false; ; isFresh = true)
        {
            // Whoever asked for less time must not let a statement run out on those who join.
            var reader = new SnapshotReader(database, time, settings.ScrapeTimeout, rows is null ? Access.Any : Access.ByKey);
            try
            {
                seen.Facts = await reader.BeginAsync(cancellationToken);
                if (rows is not null) await ReadRememberedAsync(seen, rows, reader, cancellationToken);
                return reader;
            }
            catch (OutdatedSnapshotException)
            {
                // A reconciliation was faster. A snapshot that is still behind was taken after it, of a server that has lost what that one had.
                if (isFresh) rows!.Forget();
                await reader.DisposeAsync();
                if (isFresh) throw new NotReconciledException();
            }
            catch
            {
                await reader.DisposeAsync();
                throw;
            }
        }
    }

    private async Task ReadRememberedAsync(HarborObservation seen, ActiveRows remembered, SnapshotReader reader, CancellationToken cancellationToken)
    {
        var times = new ReadTimes(time);
        try
        {
            seen.Take(await reader.ReadAsync((from, token) => ActiveReading.ReadAsync(from, remembered, seen.Facts!, null, token, times), cancellationToken), times);
        }
        catch (Npgsql.PostgresException error)
        {
            seen.Executions = Part<ExecutionPass>.FailedBy(error, times.Of(ReadTimes.Executions));
            seen.Tasks = Part<TaskPass>.FailedBy(error, times.Of(ReadTimes.Tasks));
        }
    }

    /// <summary>What only the end of an observation knows: what it read, and which finished tasks stay listed in Redis.</summary>
    private async Task RememberAsync(HarborObservation seen, ActiveRows remembered, SnapshotReader reader, CancellationToken cancellationToken)
    {
        try
        {
            await ListedTasks.ReadAsync(seen, remembered, reader, cancellationToken);
            seen.Work = await reader.WorkAsync(cancellationToken);
        }
        catch (Exception error) when (error is Npgsql.NpgsqlException or OperationCanceledException)
        {
            // Whatever it was, the parts tell it; what was read in time is answered.
        }
        if (remembered.WantsReconciliation) reconciliation?.Want();
    }
}
