using Npgsql;

namespace HarborScanExporter.Tests.Support;

/// <summary>
/// A PostgreSQL server of its own, made by initdb in a temporary folder and removed at the end. initdb refuses root, so as
/// root everything runs as the user postgres.
/// </summary>
internal sealed class PostgresCluster : IAsyncDisposable
{
    private readonly string _binaries;
    private readonly string _folder;

    private PostgresCluster(string binaries, string folder, int port)
    {
        _binaries = binaries;
        _folder = folder;
        Port = port;
        AdministratorConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = "postgres",
            Database = "postgres",
            Pooling = false,
        }.ConnectionString;
    }

    public int Port { get; }

    public string AdministratorConnectionString { get; }

    public string DataFolder => Path.Combine(_folder, "data");

    /// <summary>The newest installed PostgreSQL server, or a failure that names the package.</summary>
    public static string InstalledBinaries()
    {
        var newest = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .Select(folder => Path.Combine(folder, "bin"))
                .Where(folder => File.Exists(Path.Combine(folder, "initdb")))
                .OrderByDescending(folder => folder, StringComparer.Ordinal)
                .FirstOrDefault()
            : null;
        return newest ?? throw new InvalidOperationException(
            "The tests need a PostgreSQL: set HARBOR_TEST_DATABASE to a connection string of a superuser, start a Docker engine, "
            + "or install the server (apt-get install postgresql). scripts/test.sh does the last by itself.");
    }

    /// <summary>Makes a cluster and starts it; every line of <paramref name="settings"/> goes into postgresql.conf.</summary>
    public static async Task<PostgresCluster> StartAsync(string binaries, params string[] settings)
    {
        var cluster = new PostgresCluster(binaries, Directory.CreateTempSubdirectory("harbor-pg-").FullName, Tool.FreePort());
        await cluster.OwnedByPostgresAsync();
        await cluster.RunAsync("initdb", "-D", cluster.DataFolder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await File.AppendAllLinesAsync(Path.Combine(cluster.DataFolder, "postgresql.conf"),
        [
            "listen_addresses = '127.0.0.1'",
            $"port = {cluster.Port}",
            $"unix_socket_directories = '{cluster._folder}'",
            "fsync = off",
            "full_page_writes = off",
            "max_wal_size = '4GB'",
            "max_connections = 400",
            "password_encryption = 'scram-sha-256'",
            .. settings,
        ]);
        // The administrator of the tests comes in by itself; every other role must show its password, as at a real server.
        await File.WriteAllLinesAsync(Path.Combine(cluster.DataFolder, "pg_hba.conf"),
        [
            "local all postgres trust",
            "host all postgres 127.0.0.1/32 trust",
            "host replication postgres 127.0.0.1/32 trust",
            "host all all 127.0.0.1/32 scram-sha-256",
        ]);
        await cluster.StartServerAsync();
        return cluster;
    }

    /// <summary>A hot standby that follows <paramref name="primary"/>.</summary>
    public static async Task<PostgresCluster> StartStandbyAsync(PostgresCluster primary)
    {
        var standby = new PostgresCluster(primary._binaries, Directory.CreateTempSubdirectory("harbor-pg-").FullName, Tool.FreePort());
        await standby.OwnedByPostgresAsync();
        await standby.RunAsync("pg_basebackup", "-h", "127.0.0.1", "-p", $"{primary.Port}", "-U", "postgres", "-D", standby.DataFolder, "-R", "-X", "stream", "-c", "fast");
        await File.AppendAllLinesAsync(Path.Combine(standby.DataFolder, "postgresql.conf"),
            [$"port = {standby.Port}", $"unix_socket_directories = '{standby._folder}'"]);
        await standby.StartServerAsync();
        return standby;
    }

    /// <summary>From now on only TLS connections of ordinary roles are let in.</summary>
    public async Task RefuseUnencryptedAsync()
    {
        var path = Path.Combine(DataFolder, "pg_hba.conf");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path)).Replace("host all all", "hostssl all all", StringComparison.Ordinal));
        await RunAsync("pg_ctl", "-D", DataFolder, "reload");
    }

    public Task StartServerAsync() =>
        RunAsync("pg_ctl", "-D", DataFolder, "-l", Path.Combine(_folder, "log"), "-w", "-t", "60", "start");

    /// <summary>Stops the server at once, as a crash would, and leaves the data.</summary>
    public Task StopServerAsync() => RunAsync("pg_ctl", "-D", DataFolder, "-m", "immediate", "-w", "stop");

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(DataFolder, "postmaster.pid"))) await StopServerAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task OwnedByPostgresAsync()
    {
        if (!Environment.IsPrivilegedProcess) return;
        var owned = await Tool.RunAsync("chown", ["postgres", _folder]);
        if (owned.ExitCode != 0) throw new InvalidOperationException($"The user postgres is needed (apt-get install postgresql): {owned.All}");
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        string[] command = [Path.Combine(_binaries, program), .. arguments];
        var log = Path.Combine(_folder, $"{program}.out");
        // pg_ctl leaves the server holding its output: a pipe would never end, a file does.
        string[] shell = ["-c", $"exec \"$@\" > '{log}' 2>&1", "sh", .. command];
        var result = Environment.IsPrivilegedProcess
            ? await Tool.RunAsync("runuser", ["-u", "postgres", "--", "sh", .. shell])
            : await Tool.RunAsync("sh", shell);
        if (result.ExitCode == 0) return;
        var printed = File.Exists(log) ? await File.ReadAllTextAsync(log) : result.All;
        throw new InvalidOperationException($"{string.Join(' ', command)}: {printed}");
    }
}
