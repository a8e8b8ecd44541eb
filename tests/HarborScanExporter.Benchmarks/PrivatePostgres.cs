using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>
/// A PostgreSQL server of its own on 127.0.0.1 with stock settings; only what loads data faster, and autovacuum, which would read in
/// between, are changed. initdb refuses root, so as root everything runs as the user postgres.
/// </summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    /// <summary>What differs from a server as initdb makes it; shown with the figures.</summary>
    public static readonly IReadOnlyList<string> Settings = ["shared_buffers = 128MB", "fsync = off", "synchronous_commit = off", "autovacuum = off"];

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

    public static async Task<PrivatePostgres> StartAsync(string binaries)
    {
        var server = new PrivatePostgres(binaries, Directory.CreateTempSubdirectory("harbor-benchmark-").FullName, FreePort());
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "postgres", server._folder);
        await server.PostgresAsync("initdb", "-D", server.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await File.AppendAllLinesAsync(Path.Combine(server.Data, "postgresql.conf"),
            ["listen_addresses = '127.0.0.1'", $"port = {server.Port}", $"unix_socket_directories = '{server._folder}'", .. Settings]);
        await server.PostgresAsync("pg_ctl", "-D", server.Data, "-l", Path.Combine(server._folder, "log"), "-w", "-t", "60", "start");
        return server;
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
