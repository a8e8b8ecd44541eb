using Npgsql;

namespace HarborScanExporter.Tests.Support;

/// <summary>The superuser of a test server, who makes and removes databases and roles.</summary>
/// <param name="connectionString">To the database in which it works.</param>
/// <param name="keepsConnections">Not for a server that a test stops and starts.</param>
internal sealed class ServerAdministrator(string connectionString, bool keepsConnections) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source = SourceOf(connectionString, keepsConnections);

    /// <summary>With the password, where there is one.</summary>
    public string ConnectionString => connectionString;

    public bool KeepsConnections => keepsConnections;

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static NpgsqlDataSource SourceOf(string connectionString, bool keepsConnections)
    {
        var builder = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = keepsConnections }.ConnectionString);
        // Its statements return nothing.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        return builder.Build();
    }
}
