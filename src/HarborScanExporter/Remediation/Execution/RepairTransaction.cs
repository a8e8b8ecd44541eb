using System.Data;
using System.Globalization;
using Dapper;
using HarborScanExporter.Database.Session;
using Npgsql;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>
/// One transaction of the repairing role: READ COMMITTED, so that each statement sees what hooks have committed meanwhile (harbor-facts 7.2);
/// with deadlines set inside it. What is not committed is rolled back when it is disposed.
/// </summary>
internal sealed class RepairTransaction : IAsyncDisposable
{
    private const string Part = "part";

    /// <summary>
    /// One for all exporters of this database: whoever holds it repairs (conventions 5.8). It ends with the transaction. An advisory lock would do, but
    /// everybody who may sign in can take one; this table the repairing role alone can lock.
    /// </summary>
    private const string LockSql = "lock table harbor_scan.repair_lock in exclusive mode";

    private const string StandbySql = "select pg_is_in_recovery() or current_setting('transaction_read_only') = @On";

    private RepairTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, HarborTables tables) =>
        (Connection, Transaction, Tables) = (connection, transaction, tables);

    public NpgsqlConnection Connection { get; }

    public NpgsqlTransaction Transaction { get; }

    public HarborTables Tables { get; }

    private bool IsConnected => Connection.FullState.HasFlag(ConnectionState.Open) && !Connection.FullState.HasFlag(ConnectionState.Broken);

    /// <summary>Begins the transaction on an open connection.</summary>
    public static async Task<RepairTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        var statement = ((long)RepairDatabase.StatementTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        var tables = await SessionSettings.PinAsync(connection, transaction, $"""
            set local statement_timeout = {statement};
            set local lock_timeout = 500;
            set local idle_in_transaction_session_timeout = {statement};
            set local jit = off;
            set local max_parallel_workers_per_gather = 0
            """, cancellationToken);
        return new RepairTransaction(connection, transaction, tables);
    }

    /// <summary>Takes the lock of a run; false when another run holds it, and then this transaction can do nothing more. A standby has none to take.</summary>
    /// <exception cref="PostgresException">There is no lock, or the role may not take it.</exception>
    public async Task<bool> TryLockRunAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await IsStandbyAsync(cancellationToken)) return true;
            await using var command = new NpgsqlCommand(LockSql, Connection, Transaction);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // Whoever only looks for open intents or verifies holds it for a moment: a run that gave way at once would come half a minute late.
            return false;
        }
    }

    /// <summary>Whether this server takes no writes.</summary>
    public Task<bool> IsStandbyAsync(CancellationToken cancellationToken) =>
        Connection.QueryFirstAsync<bool>(StandbySql, new StandbyParameters { On = "on", CancellationToken = cancellationToken }, Transaction);

    /// <summary>Does one part so that its failure leaves the transaction usable, with nothing of the part in it.</summary>
    /// <exception cref="NpgsqlException">The part failed, or the connection was lost.</exception>
    public async Task<T> PartAsync<T>(Func<Task<T>> part, CancellationToken cancellationToken)
    {
        await Transaction.SaveAsync(Part, cancellationToken);
        try
        {
            var result = await part();
            await Transaction.ReleaseAsync(Part, cancellationToken);
            return result;
        }
        catch (PostgresException)
        {
            if (IsConnected) await Transaction.RollbackAsync(Part, cancellationToken);
            throw;
        }
    }

    /// <summary>Makes everything that was done lasting.</summary>
    public Task CommitAsync(CancellationToken cancellationToken) => Transaction.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Transaction.DisposeAsync();
        await Connection.DisposeAsync();
    }

    internal sealed record StandbyParameters
    {
        public required string On { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
