using HarborScanExporter.Database;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Collectors;

/// <summary>
/// What the collectors of one scrape share: the snapshot and the few named passes over it. A pass is read when the first collector asks,
/// once; when it fails, it fails for each collector that asks.
/// </summary>
internal sealed class Collection(Snapshot snapshot, DatabaseFacts facts, Limits limits, IReadOnlyList<TimeSpan> ageThresholds)
{
    private Task<ExecutionPass>? _executions;
    private Task<TaskPass>? _tasks;
    private Task<OperatorState>? _operatorState;
    private Task<IReadOnlyList<OpenTask>>? _openTasks;

    public DatabaseFacts Facts => facts;

    public Limits Limits => limits;

    public IReadOnlyList<TimeSpan> AgeThresholds => ageThresholds;

    /// <summary>The one read of <c>execution</c>.</summary>
    public Task<ExecutionPass> ExecutionsAsync(CancellationToken cancellationToken) =>
        _executions ??= ReadAsync(ExecutionPass.ReadAsync, cancellationToken);

    /// <summary>The one read of <c>task</c>.</summary>
    public Task<TaskPass> TasksAsync(CancellationToken cancellationToken) => _tasks ??= ReadTasksAsync(cancellationToken);

    /// <summary>The scan tasks that are not over.</summary>
    public Task<IReadOnlyList<OpenTask>> OpenTasksAsync(CancellationToken cancellationToken) => _openTasks ??= ReadOpenTasksAsync(cancellationToken);

    /// <summary>Paused queues and read-only mode.</summary>
    public Task<OperatorState> OperatorStateAsync(CancellationToken cancellationToken) =>
        _operatorState ??= ReadAsync((from, token) => OperatorState.ReadAsync(from, facts, token), cancellationToken);

    /// <summary>Reads one more thing in the same snapshot.</summary>
    public Task<T> ReadAsync<T>(Func<Snapshot, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        snapshot.ReadAsync(read, cancellationToken);

    private async Task<TaskPass> ReadTasksAsync(CancellationToken cancellationToken)
    {
        var newestScanAll = (await ExecutionsOrNoneAsync(cancellationToken))?.NewestScanAll?.Id ?? 0;
        return await ReadAsync((from, token) => TaskPass.ReadAsync(from, facts.Now, newestScanAll, token), cancellationToken);
    }

    private async Task<IReadOnlyList<OpenTask>> ReadOpenTasksAsync(CancellationToken cancellationToken)
    {
        var executions = await ExecutionsOrNoneAsync(cancellationToken);
        var tasks = await TasksAsync(cancellationToken);
        return tasks.Open(id => executions?.Detailed.GetValueOrDefault(id)?.Started);
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
