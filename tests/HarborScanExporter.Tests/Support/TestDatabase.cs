using Npgsql;

namespace HarborScanExporter.Tests.Support;

/// <summary>One database of a test server.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly ServerAdministrator _administrator;
    private readonly NpgsqlDataSource _owner;

    private TestDatabase(ServerAdministrator administrator, string name)
    {
        _administrator = administrator;
        Name = name;
        var own = new NpgsqlConnectionStringBuilder(administrator.ConnectionString) { Database = name, Pooling = false };
        ConnectionString = own.ConnectionString;
        PooledConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = true, MaxPoolSize = 10 }.ConnectionString;
        _owner = NpgsqlDataSource.Create(administrator.KeepsConnections ? PooledConnectionString : ConnectionString);
    }

    public string Name { get; }

    /// <summary>As the owner of the tables, unpooled.</summary>
    public string ConnectionString { get; }

    /// <summary>As the owner, for whoever runs thousands of short statements.</summary>
    public string PooledConnectionString { get; }

    /// <summary>An empty database of a server of the test's own, which may be stopped and started: no connection to it is kept.</summary>
    public static Task<TestDatabase> CreateAsync(string administrator, string name) => CreateAsync(new ServerAdministrator(administrator, keepsConnections: false), name);

    /// <param name="administrator">Who makes it and removes it.</param>
    /// <param name="name">Its name.</param>
    /// <param name="template">What it is a copy of.</param>
    public static async Task<TestDatabase> CreateAsync(ServerAdministrator administrator, string name, string template = "template0")
    {
        await administrator.ExecuteAsync($"create database {name} template {template}");
        return new TestDatabase(administrator, name);
    }

    /// <summary>An open connection of its own as the owner.</summary>
    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Runs statements as the owner.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using (var command = _owner.CreateCommand(sql)) await command.ExecuteNonQueryAsync();
        // What is set for a database or a role is that of new sessions.
        if (sql.Contains("alter database", StringComparison.OrdinalIgnoreCase) || sql.Contains("alter role", StringComparison.OrdinalIgnoreCase)) CloseIdle();
    }

    /// <summary>The first column of the first row, as the owner.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = _owner.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No row: {sql}"));
    }

    /// <summary>Ends the owner's sessions that nothing is running in; what they have read is published then.</summary>
    public void CloseIdle() => _owner.Clear();

    /// <summary>Removes it, and then the roles that were made for it alone.</summary>
    public async Task DropAsync(params string[] roles)
    {
        await _owner.DisposeAsync();
        try
        {
            await _administrator.ExecuteAsync($"drop database if exists {Name} with (force)");
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.SyntaxError)
        {
            // PostgreSQL 12 has no FORCE: the server's end drops the database.
            return;
        }
        if (roles.Length > 0) await _administrator.ExecuteAsync($"drop role if exists {string.Join(", ", roles)}");
    }

    public async ValueTask DisposeAsync() => await DropAsync();
}
