using HarborScanExporter.Tests.Support;
using System.Diagnostics;
using Npgsql;
using Testcontainers.PostgreSql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace HarborScanExporter.Tests.Support;

/// <summary>
/// The real PostgreSQL of the tests: HARBOR_TEST_DATABASE when set, else a container where a Docker engine answers,
/// else a private cluster of the installed binaries, else a failure that says what to install.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private static PostgresServer? s_current;
    private static int s_databases;
    private PostgreSqlContainer? _container;
    private PostgresCluster? _cluster;
    private string _administrator = "";

    /// <summary>The server of this test run.</summary>
    public static PostgresServer Current => s_current ?? throw new InvalidOperationException("The assembly fixture has not started.");

    /// <summary>How the server came to be, for failure messages.</summary>
    public string Origin { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        s_current = this;
        if (Environment.GetEnvironmentVariable("HARBOR_TEST_DATABASE") is { Length: > 0 } given)
        {
            _administrator = given;
            Origin = "HARBOR_TEST_DATABASE";
            return;
        }
        if (DockerAnswers())
        {
            _container = new PostgreSqlBuilder("postgres:16-alpine").WithDatabase("postgres").Build();
            await _container.StartAsync();
            _administrator = _container.GetConnectionString();
            Origin = "Testcontainers";
            return;
        }
        _cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries());
        _administrator = _cluster.AdministratorConnectionString;
        Origin = "private cluster";
    }

    /// <summary>A new, empty database of its own for one test or class.</summary>
    internal async Task<TestDatabase> CreateDatabaseAsync() => await TestDatabase.CreateAsync(
        _administrator, $"harbor_test_{Environment.ProcessId}_{Interlocked.Increment(ref s_databases)}");

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        if (_container is not null) await _container.DisposeAsync();
    }

    private static bool DockerAnswers()
    {
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is not { Length: > 0 } && !File.Exists("/var/run/docker.sock")) return false;
        try
        {
            using var docker = Process.Start(new ProcessStartInfo("docker", ["version", "--format", "{{.Server.Version}}"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            return docker is not null && docker.WaitForExit(5000) && docker.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>One database of the test server.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _administrator;

    private TestDatabase(string administrator, string name)
    {
        _administrator = administrator;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(administrator) { Database = name, Pooling = false }.ConnectionString;
    }

    public string Name { get; }

    /// <summary>As the owner of the tables, unpooled.</summary>
    public string ConnectionString { get; }

    public static async Task<TestDatabase> CreateAsync(string administrator, string name)
    {
        var database = new TestDatabase(administrator, name);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(administrator) { Pooling = false });
        await using var create = source.CreateCommand($"create database {name} template template0");
        await create.ExecuteNonQueryAsync();
        return database;
    }

    /// <summary>An open connection as the owner.</summary>
    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Runs statements as the owner.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row, as the owner.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No row: {sql}"));
    }

    public async ValueTask DisposeAsync()
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_administrator) { Pooling = false });
        await using var drop = source.CreateCommand($"drop database if exists {Name} with (force)");
        try
        {
            await drop.ExecuteNonQueryAsync();
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.SyntaxError)
        {
            // PostgreSQL 12 has no FORCE: the server's end drops the database.
        }
    }
}
