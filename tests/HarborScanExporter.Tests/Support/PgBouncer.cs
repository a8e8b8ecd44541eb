using Npgsql;

namespace HarborScanExporter.Tests.Support;

/// <summary>A real PgBouncer in transaction mode with a single server connection to spare, in front of one database.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private readonly RunningTool _process;
    private readonly string _folder;

    private PgBouncer(RunningTool process, string folder, int port) => (_process, _folder, Port) = (process, folder, port);

    public int Port { get; }

    public static async Task<PgBouncer> StartAsync(TestHarbor harbor, int? at = null)
    {
        var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        var folder = Directory.CreateTempSubdirectory("harbor-bouncer-").FullName;
        var port = at ?? Tool.FreePort();
        await File.WriteAllTextAsync(Path.Combine(folder, "users.txt"), $"\"{harbor.Role}\" \"{TestHarbor.Password}\"\n\"{harbor.RepairRole}\" \"{TestHarbor.Password}\"\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "pgbouncer.ini"), $"""
            [databases]
            {harbor.Database.Name} = host={server.Host} port={server.Port} dbname={harbor.Database.Name}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir = {folder}
            auth_type = scram-sha-256
            auth_file = {folder}/users.txt
            pool_mode = transaction
            default_pool_size = 2
            server_reset_query =
            """);
        if (Environment.IsPrivilegedProcess)
        {
            var owned = await Tool.RunAsync("chown", ["-R", "postgres", folder]);
            Assert.Equal(0, owned.ExitCode);
        }
        string[] command = [Tool.Find("pgbouncer"), Path.Combine(folder, "pgbouncer.ini")];
        var process = Environment.IsPrivilegedProcess
            ? await RunningTool.StartAsync("runuser", ["-u", "postgres", "--", .. command], ListensAsync)
            : await RunningTool.StartAsync(command[0], command[1..], ListensAsync);
        return new PgBouncer(process, folder, port);

        async Task<bool> ListensAsync()
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
