using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;

namespace HarborScanExporter.Benchmarks;

/// <summary>A Redis of its own on 127.0.0.1 that holds a job service with a long queue.</summary>
internal sealed class PrivateRedis : IAsyncDisposable
{
    private const int Database = 1;
    private const string Prefix = "{harbor_job_service_namespace}:";

    private readonly Process _process;
    private readonly int _port;
    private readonly ConnectionMultiplexer _connection;

    private PrivateRedis(Process process, int port, ConnectionMultiplexer connection) => (_process, _port, _connection) = (process, port, connection);

    /// <summary>The setting HARBOR_REDIS_URL.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"redis://127.0.0.1:{_port}/{Database}");

    /// <summary>The same for the simulator, in StackExchange's words.</summary>
    public string Configuration => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port},defaultDatabase={Database}");

    private IDatabase Keys => _connection.GetDatabase(Database);

    public static async Task<PrivateRedis> StartAsync()
    {
        var port = PrivatePostgres.FreePort();
        var text = port.ToString(CultureInfo.InvariantCulture);
        var process = Process.Start(new ProcessStartInfo("redis-server", ["--port", text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath(), "--dbfilename", $"none-{text}.rdb"])
        {
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("redis-server did not start.");
        process.BeginOutputReadLine();
        var options = new ConfigurationOptions { EndPoints = { { "127.0.0.1", port } }, AbortOnConnectFail = false, ConnectRetry = 20, ConnectTimeout = 500, AllowAdmin = true, SyncTimeout = 60_000, AsyncTimeout = 60_000 };
        return new PrivateRedis(process, port, await ConnectionMultiplexer.ConnectAsync(options));
    }

    /// <summary>Queues the jobs, each with an item of so many bytes and an acknowledged record, under a job service that lives.</summary>
    public async Task FillAsync(IReadOnlyList<string> jobs, int itemBytes)
    {
        string[] types = ["IMAGE_SCAN", "EXECUTION_SWEEP", "REPLICATION", "GARBAGE_COLLECTION", "RETENTION"];
        const string pool = "9f1c000000000000000000a1";
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        await Keys.SetAddAsync(Prefix + "known_jobs", [.. types.Select(type => (RedisValue)type)]);
        await Keys.SetAddAsync(Prefix + "worker_pools", pool);
        // Nobody beats here: a heartbeat of tomorrow is fresh all day.
        await Keys.HashSetAsync($"{Prefix}worker_pools:{pool}",
        [
            new("heartbeat_at", now + 86_400), new("started_at", now - 86_400), new("job_names", string.Join(',', types)), new("concurrency", 10),
            new("worker_ids", string.Join(',', Enumerable.Range(0, 10).Select(number => $"{pool}{number}"))), new("host", "jobservice"), new("pid", 1),
        ]);
        foreach (var chunk in jobs.Chunk(500))
        {
            List<Task> writes = [];
            foreach (var job in chunk)
            {
                var start = $$$"""{"name":"IMAGE_SCAN","id":"{{{job}}}","t":{{{now - 3600}}},"args":{"authType":"Basic","registration":""";
                var item = start + "\"" + new string('x', Math.Max(0, itemBytes - start.Length - 4)) + "\"}}";
                writes.Add(Keys.ListLeftPushAsync(Prefix + "jobs:IMAGE_SCAN", item));
                writes.Add(Keys.HashSetAsync($"{Prefix}job_stats:{job}",
                [
                    new("id", job), new("name", "IMAGE_SCAN"), new("kind", "Generic"), new("status", "Pending"), new("revision", now - 3600), new("update_time", now - 3600),
                    new("web_hook_url", "http://core:8080/service/notifications/tasks/1"), new("parameters", item),
                    new("ack", $$"""{"status":"Pending","revision":{{now - 3600}},"check_in_at":0}"""),
                ]));
                writes.Add(Keys.HashSetAsync(Prefix + "job_track:inprogress", job, 2));
            }
            await Task.WhenAll(writes);
        }
    }

    /// <summary>Bytes that the server has sent to anybody since its start.</summary>
    public async Task<long> OutputBytesAsync()
    {
        const string field = "total_net_output_bytes:";
        var lines = (await _connection.GetDatabase().ExecuteAsync("INFO", "stats")).ToString().Split("\r\n");
        return long.Parse(lines.Single(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..], CultureInfo.InvariantCulture);
    }

    /// <summary>Closes every connection of the exporter: the only client without a name, as it may send none of the commands that give one.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public async Task DisconnectExporterAsync()
    {
        var list = (await _connection.GetDatabase().ExecuteAsync("CLIENT", "LIST")).ToString();
        var lines = list.Split('\n').Where(line => line.Contains(" name= ", StringComparison.Ordinal)).ToArray();
        if (lines.Length == 0) throw new InvalidOperationException("The exporter is not connected to Redis.");
        foreach (var line in lines)
            await _connection.GetDatabase().ExecuteAsync("CLIENT", "KILL", "ID", line.Split(' ')[0]["id=".Length..]);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
