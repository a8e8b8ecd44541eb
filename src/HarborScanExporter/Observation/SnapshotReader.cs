using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Observation;

/// <summary>
/// The transactions of one observation: a first one until it is ended, so that neither Redis nor Harbor's API holds one open when slow, and a second one when
/// something is read after that.
/// </summary>
/// <param name="database">Harbor's database.</param>
/// <param name="time">Measures.</param>
/// <param name="timeout">How long the observation may take at most.</param>
/// <param name="access">How its statements are meant to reach their rows.</param>
internal sealed class SnapshotReader(HarborDatabase database, TimeProvider time, TimeSpan timeout, Access access) : IAsyncDisposable
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(100);

    private readonly long _begun = time.GetTimestamp();
    private readonly Dictionary<string, TableWork> _work = TableWork.Tables.ToDictionary(table => table, table => new TableWork(table, 0, 0), StringComparer.Ordinal);
    private Snapshot? _snapshot;

    /// <summary>What is left of the time.</summary>
    public TimeSpan Left => timeout - time.GetElapsedTime(_begun) is var left && left > Least ? left : Least;

    /// <summary>Begins the first transaction.</summary>
    /// <returns>Its first query.</returns>
    /// <exception cref="Npgsql.NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="UnreadableSchemaException">It is no database that can be read.</exception>
    public async Task<DatabaseFacts> BeginAsync(CancellationToken cancellationToken)
    {
        _snapshot = await database.BeginAsync(timeout, cancellationToken, access);
        return await SchemaProbe.ReadAsync(_snapshot, cancellationToken);
    }

    /// <summary>The transaction of now; begins one when there is none.</summary>
    public async Task<Snapshot> NowAsync(CancellationToken cancellationToken) => _snapshot ??= await database.BeginAsync(Left, cancellationToken, access);

    /// <summary>Reads one thing so that its failure leaves the transaction usable for the others.</summary>
    public async Task<T> ReadAsync<T>(Func<Snapshot, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        await (await NowAsync(cancellationToken)).ReadAsync(read, cancellationToken);

    /// <summary>Ends the transaction.</summary>
    /// <param name="counts">Whether what it has read is to be counted: the server counts by transaction.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public async Task EndAsync(bool counts, CancellationToken cancellationToken)
    {
        if (_snapshot is not { } snapshot) return;
        if (counts) await CountAsync(cancellationToken);
        _snapshot = null;
        await snapshot.DisposeAsync();
    }

    /// <summary>What all transactions have read of the two tables that grow with every scan.</summary>
    public async Task<IReadOnlyCollection<TableWork>> WorkAsync(CancellationToken cancellationToken)
    {
        await CountAsync(cancellationToken);
        return _work.Values;
    }

    public async ValueTask DisposeAsync()
    {
        if (_snapshot is not null) await _snapshot.DisposeAsync();
    }

    private async Task CountAsync(CancellationToken cancellationToken)
    {
        if (_snapshot is null) return;
        foreach (var work in await ReadAsync(TableWork.ReadAsync, cancellationToken))
            _work[work.Table] = work with { WholeReads = _work[work.Table].WholeReads + work.WholeReads, Rows = _work[work.Table].Rows + work.Rows };
    }
}
