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
    public HarborDatabase(DatabaseSettings settings, TimeSpan timeout)
    {
        var seconds = (int)Math.Ceiling(timeout.TotalSeconds);
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = settings.Host,
            Port = settings.Port,
            Username = settings.Username,
            Password = settings.Password,
            Database = settings.Name,
            SslMode = Enum.Parse<SslMode>(settings.SslMode.Replace("-", "", StringComparison.Ordinal), ignoreCase: true),
            GssEncryptionMode = GssEncryptionMode.Disable,
            ApplicationName = "harbor-scan-exporter",
            MaxPoolSize = MaxConnections,
            MinPoolSize = 0,
            ConnectionIdleLifetime = 300,
            Timeout = Math.Min(seconds, 1024),
            CommandTimeout = seconds + 1,
            Enlist = false,
            // PgBouncer in transaction mode: a server connection is ours for one transaction only, so nothing is reset, prepared or loaded on it.
            NoResetOnClose = true,
            MaxAutoPrepare = 0,
        };
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "harbor" };
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        if (settings.PasswordFile is { } path)
        {
            builder.UsePasswordProvider(
                _ => File.ReadAllText(path).TrimEnd('\r', '\n'),
                async (_, cancellationToken) => (await File.ReadAllTextAsync(path, cancellationToken)).TrimEnd('\r', '\n'));
        }
        _source = builder.Build();
    }

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
