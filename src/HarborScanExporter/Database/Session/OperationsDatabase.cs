using Npgsql;

namespace HarborScanExporter.Database.Session;

/// <summary>
/// Harbor's database for what people and repairs read beside the scrapes: one transaction at a time, on one of the connections that scrapes have, so that any
/// number of pages, plans and searches leaves a scrape its own.
/// </summary>
internal sealed class OperationsDatabase(HarborDatabase database) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Waits for its turn and opens a read-only transaction, which must not be open when the same caller asks for another.</summary>
    /// <param name="timeout">How long it waits at most, and how long a statement may run.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    /// <exception cref="NpgsqlException">The database is away or refuses, or another read does not end in time.</exception>
    public async Task<Snapshot> BeginAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!await _turn.WaitAsync(timeout, cancellationToken))
            throw new NpgsqlException("Another page, plan or search is still being read.", new TimeoutException("It did not end in time."));
        try
        {
            var snapshot = await database.BeginAsync(timeout, cancellationToken);
            snapshot.Ended = () => _turn.Release();
            return snapshot;
        }
        catch
        {
            _turn.Release();
            throw;
        }
    }

    public void Dispose() => _turn.Dispose();
}
