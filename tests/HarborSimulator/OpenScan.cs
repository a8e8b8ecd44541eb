using HarborSimulator.Jobs;
using Npgsql;

namespace HarborSimulator;

/// <summary>
/// A scan that core is about to start: its rows are written in a transaction that is still open. Their ids are lower than those of all that
/// comes meanwhile, and nobody else sees them. Disposed of, it is rolled back.
/// </summary>
public sealed class OpenScan : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly Func<HarborTask, Task> _started;
    private readonly HarborTask _task;

    internal OpenScan(NpgsqlConnection connection, NpgsqlTransaction transaction, HarborTask task, Func<HarborTask, Task> started) =>
        (_connection, _transaction, _task, _started) = (connection, transaction, task, started);

    /// <summary>task.id, not visible yet.</summary>
    public long TaskId => _task.Id;

    /// <summary>execution.id, not visible yet.</summary>
    public long ExecutionId => _task.ExecutionId;

    /// <summary>The rows are there, and the job goes into the queue.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        await _transaction.CommitAsync(cancellationToken);
        await _started(_task);
    }

    public async ValueTask DisposeAsync()
    {
        // Rolls back what was not committed.
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
