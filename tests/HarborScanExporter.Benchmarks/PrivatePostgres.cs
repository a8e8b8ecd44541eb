using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>
/// A PostgreSQL server of its own on 127.0.0.1 with stock settings; only what loads data faster, what measures, and autovacuum, which would
/// read in between, are changed. initdb refuses root, so as root everything runs as the user postgres.
/// </summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    /// <summary>What differs from a server as initdb makes it; shown with the figures.</summary>
    public static readonly IReadOnlyList<string> Settings =
    [
        "shared_buffers = 128MB", "fsync = off", "synchronous_commit = off", "wal_level = minimal", "max_wal_senders = 0", "autovacuum = off",
        "shared_preload_libraries = 'pg_stat_statements'", "pg_stat_statements.track_planning = on",
    ];

    private readonly string _binaries;
    private readonly string _folder;

    private PrivatePostgres(string binaries, string folder, int port)
    {
        _binaries = binaries;
        _folder = folder;
        Port = port;
    }

    public int Port { get; }

    /// <summary>The newest PostgreSQL that Debian's packages have installed.</summary>
    /// <exception cref="InvalidOperationException">There is none; the message says what to do.</exception>
    public static string InstalledBinaries() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin"))
            .Where(folder => File.Exists(Path.Combine(folder, "initdb"))).OrderByDescending(folder => folder, StringComparer.Ordinal).First()
        : throw new InvalidOperationException("Install a PostgreSQL server (apt-get install postgresql) or name its folder with --postgres.");

    /// <summary>Makes a cluster and starts it.</summary>
    /// <param name="binaries">Folder of initdb, pg_ctl and postgres.</param>
    /// <param name="changes">Settings beyond <see cref="Settings"/>, which win over them.</param>
    public static async Task<PrivatePostgres> StartAsync(string binaries, params string[] changes)
    {
        var server = new PrivatePostgres(binaries, Directory.CreateTempSubdirectory("harbor-benchmark-").FullName, FreePort());
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "postgres", server._folder);
        await server.PostgresAsync("initdb", "-D", server.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await File.AppendAllLinesAsync(Path.Combine(server.Data, "postgresql.conf"),
            ["listen_addresses = '127.0.0.1'", $"port = {server.Port}", $"unix_socket_directories = '{server._folder}'", .. Settings, .. changes]);
        await server.StartServerAsync();
        await using var connection = new NpgsqlConnection(server.ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var extension = new NpgsqlCommand("create extension pg_stat_statements", connection);
        await extension.ExecuteNonQueryAsync();
        return server;
    }

    /// <summary>The server's version, without the distribution's words.</summary>
    public async Task<string> VersionAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        return connection.PostgreSqlVersion.ToString();
    }

    /// <summary>Stops the server, lets the system forget what it read from disk, and starts the server again.</summary>
    /// <returns>Whether the system forgot: only root may ask it to.</returns>
    public async Task<bool> RestartColdAsync()
    {
        await PostgresAsync("pg_ctl", "-D", Data, "-m", "fast", "-w", "-t", "600", "stop");
        var forgets = await ForgetAsync();
        await StartServerAsync();
        return forgets;
    }

    /// <summary>As the superuser, unpooled: a session that ends leaves its statistics behind.</summary>
    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = "postgres",
        Database = database,
        Pooling = false,
        CommandTimeout = 0,
    }.ConnectionString;

    /// <summary>A loopback port that nobody listened on a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid"))) await PostgresAsync("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    private Task StartServerAsync() => PostgresAsync("pg_ctl", "-D", Data, "-l", Path.Combine(_folder, "log"), "-w", "-t", "60", "start");

    private static async Task<bool> ForgetAsync()
    {
        // Pages that are not written yet cannot be forgotten.
        await RunAsync("sync");
        try
        {
            await File.WriteAllTextAsync("/proc/sys/vm/drop_caches", "3\n");
            return true;
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            return false;
        }
    }

    private string Data => Path.Combine(_folder, "data");

    private Task PostgresAsync(string program, params string[] arguments)
    {
        string[] command = [Path.Combine(_binaries, program), .. arguments];
        // pg_ctl leaves the server holding its output: a pipe would never end, a file does.
        string[] shell = ["-c", $"exec \"$@\" > '{Path.Combine(_folder, program)}.out' 2>&1", "sh", .. command];
        return Environment.IsPrivilegedProcess ? RunAsync("runuser", ["-u", "postgres", "--", "sh", .. shell]) : RunAsync("sh", shell);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
