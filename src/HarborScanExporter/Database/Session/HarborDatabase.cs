using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Database.Session;

/// <summary>Harbor's database as this program may use it: few connections, each transaction read-only and bounded.</summary>
internal sealed class HarborDatabase : IAsyncDisposable
{
    /// <summary>
    /// One for the collection of now; one for a collection that was given up and whose connection is not yet free, for what <see cref="OperationsDatabase"/>
    /// reads, one thing at a time, and for the question whether the database answers.
    /// </summary>
    public const int MaxConnections = 2;

    private readonly NpgsqlDataSource _source;

    /// <param name="settings">Where the database is.</param>
    /// <param name="timeout">Upper bound of anything done here.</param>
    /// <param name="connections">At most so many at once.</param>
    public HarborDatabase(DatabaseSettings settings, TimeSpan timeout, int connections = MaxConnections) =>
        _source = DataSource.Of(settings, timeout, connections, "harbor-scan-exporter");

    /// <summary>Opens the one read-only transaction of a collection.</summary>
    /// <param name="timeout">What is left of the collection's time: no statement runs longer.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    /// <param name="access">How its statements are meant to reach their rows.</param>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    public Task<Snapshot> BeginAsync(TimeSpan timeout, CancellationToken cancellationToken, Access access = Access.Any) =>
        PooledConnection.BeginAsync(_source, (connection, token) => Snapshot.BeginAsync(connection, timeout, access, token), cancellationToken);

    /// <summary>Whether the database answers at all.</summary>
    /// <exception cref="NpgsqlException">It does not.</exception>
    public Task PingAsync(CancellationToken cancellationToken) => PooledConnection.BeginAsync(_source, AnswersAsync, cancellationToken);

    private static async Task<bool> AnswersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (connection)
        {
            await using var command = new NpgsqlCommand("select 1", connection);
            return await command.ExecuteScalarAsync(cancellationToken) is 1;
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
