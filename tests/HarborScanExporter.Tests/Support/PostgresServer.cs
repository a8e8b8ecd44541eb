using System.Diagnostics;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Schema;
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
    private ServerAdministrator? _administrator;
    private HarborTemplates? _templates;

    /// <summary>The server of this test run.</summary>
    public static PostgresServer Current => s_current ?? throw new InvalidOperationException("The assembly fixture has not started.");

    /// <summary>How the server came to be, for failure messages.</summary>
    public string Origin { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        s_current = this;
        _administrator = new ServerAdministrator(await StartAsync(), keepsConnections: true);
        _templates = new HarborTemplates(_administrator);
    }

    /// <summary>A new, empty database of its own for one test or class.</summary>
    internal Task<TestDatabase> CreateDatabaseAsync() => TestDatabase.CreateAsync(_administrator!, NewName());

    /// <summary>A new database of its own with the tables of a release of Harbor and no row but its version.</summary>
    internal async Task<TestDatabase> CreateHarborDatabaseAsync(HarborRelease release) =>
        await TestDatabase.CreateAsync(_administrator!, NewName(), await _templates!.NameOfAsync(release));

    public async ValueTask DisposeAsync()
    {
        if (_templates is not null) await _templates.DisposeAsync();
        if (_administrator is not null) await _administrator.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        if (_container is not null) await _container.DisposeAsync();
    }

    private static string NewName() => $"harbor_test_{Environment.ProcessId}_{Interlocked.Increment(ref s_databases)}";

    /// <summary>Finds or starts the server; the connection string of a superuser.</summary>
    private async Task<string> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("HARBOR_TEST_DATABASE") is { Length: > 0 } given)
        {
            Origin = "HARBOR_TEST_DATABASE";
            return given;
        }
        if (DockerAnswers())
        {
            _container = new PostgreSqlBuilder("postgres:16-alpine").WithDatabase("postgres").Build();
            await _container.StartAsync();
            Origin = "Testcontainers";
            return _container.GetConnectionString();
        }
        _cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries());
        Origin = "private cluster";
        return _cluster.AdministratorConnectionString;
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
