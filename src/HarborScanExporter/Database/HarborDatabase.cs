using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Database;

/// <summary>Harbor's database as this program may use it: two connections at most, each transaction read-only and bounded.</summary>
internal sealed class HarborDatabase : IAsyncDisposable
{
    /// <summary>One for the collection of now, one for a collection that was given up and whose connection is not yet free.</summary>
    private const int MaxConnections = 2;

    private readonly NpgsqlDataSource _source;

    /// <param name="settings">Where the database is.</param>
    /// <param name="timeout">Upper bound of anything done here.</param>
    public HarborDatabase(DatabaseSettings settings, TimeSpan timeout) => _source = DataSource.Of(settings, timeout, MaxConnections, "harbor-scan-exporter");

    /// <summary>Opens the one read-only transaction of a collection.</summary>
    /// <param name="timeout">What is left of the collection's time: no statement runs longer.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    public async Task<Snapshot> BeginAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken);
        try
        {
            return await Snapshot.BeginAsync(connection, timeout, cancellationToken);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the database answers at all.</summary>
    /// <exception cref="NpgsqlException">It does not.</exception>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("select 1");
        await command.ExecuteScalarAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
