using System.Data;
using System.Globalization;
using Npgsql;

namespace HarborScanExporter.Database.Session;

/// <summary>How the statements of a snapshot are meant to reach their rows.</summary>
internal enum Access
{
    /// <summary>As the planner likes.</summary>
    Any,

    /// <summary>By index wherever there is one: the planner cannot know how few rows lie in a range that comes as a parameter.</summary>
    ByKey,
}

/// <summary>
/// One read-only transaction that sees the database at one moment. Everything that bounds it is set inside the transaction, so that it
/// also holds behind PgBouncer in transaction mode.
/// </summary>
internal sealed class Snapshot : IAsyncDisposable
{
    private const string Part = "part";

    private Snapshot(NpgsqlConnection connection, NpgsqlTransaction transaction, HarborTables tables) => (Connection, Transaction, Tables) = (connection, transaction, tables);

    public NpgsqlConnection Connection { get; }

    public NpgsqlTransaction Transaction { get; }

    public HarborTables Tables { get; }

    /// <summary>Called once it has ended; null when nobody waits for that.</summary>
    public Action? Ended { get; set; }

    private bool IsConnected => Connection.FullState.HasFlag(ConnectionState.Open) && !Connection.FullState.HasFlag(ConnectionState.Broken);

    /// <summary>Begins the transaction on an open connection.</summary>
    /// <param name="connection">An open connection, which ends with the snapshot.</param>
    /// <param name="timeout">No statement runs longer.</param>
    /// <param name="access">How its statements are meant to reach their rows.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<Snapshot> BeginAsync(NpgsqlConnection connection, TimeSpan timeout, Access access, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        // The statement's limit lies below the collection's, so that the server ends a slow statement before we give the connection up.
        var statement = Math.Max(50, (long)(timeout.TotalMilliseconds * 0.95)).ToString(CultureInfo.InvariantCulture);
        var idle = Math.Max(1000, (long)timeout.TotalMilliseconds * 2).ToString(CultureInfo.InvariantCulture);
        var tables = await SessionSettings.PinAsync(connection, transaction, $"""
            set transaction read only;
            set local statement_timeout = {statement};
            set local lock_timeout = 500;
            set local idle_in_transaction_session_timeout = {idle};
            set local jit = off;
            set local max_parallel_workers_per_gather = 0;
            set local work_mem = '16MB';
            set local enable_seqscan = {(access == Access.ByKey ? "off" : "on")}
            """, cancellationToken);
        return new Snapshot(connection, transaction, tables);
    }

    /// <summary>Reads one part so that its failure leaves the transaction usable for the others.</summary>
    /// <exception cref="NpgsqlException">The part cannot be read, or the connection was lost in an earlier one.</exception>
    public async Task<T> ReadAsync<T>(Func<Snapshot, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        if (!IsConnected) throw new NpgsqlException("The connection was lost earlier in this collection.");
        await Transaction.SaveAsync(Part, cancellationToken);
        try
        {
            var rows = await read(this, cancellationToken);
            await Transaction.ReleaseAsync(Part, cancellationToken);
            return rows;
        }
        catch (PostgresException)
        {
            if (IsConnected) await Transaction.RollbackAsync(Part, cancellationToken);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            // Closing an open transaction rolls it back, also on a connection that is already broken.
            await Transaction.DisposeAsync();
            await Connection.DisposeAsync();
        }
        finally
        {
            var ended = Ended;
            Ended = null;
            ended?.Invoke();
        }
    }
}
