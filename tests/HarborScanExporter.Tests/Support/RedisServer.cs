using System.Globalization;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.Support;

/// <summary>A real Redis of its own, without persistence; killed and started again on the same port it is an empty one.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    /// <summary>The database number of Harbor's chart.</summary>
    public const int Number = 1;

    private readonly string[] _settings;
    private RunningTool _process;
    private ConnectionMultiplexer? _connection;

    private RedisServer(RunningTool process, int port, string[] settings) => (_process, Port, _settings) = (process, port, settings);

    public int Port { get; }

    /// <summary>The setting HARBOR_REDIS_URL.</summary>
    public string Url => $"redis://127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}/{Number}";

    public int ProcessId => _process.Id;

    /// <summary>The job service's database.</summary>
    public IDatabase Database => (_connection ?? throw new InvalidOperationException("Not connected.")).GetDatabase(Number);

    /// <summary>Starts a server; arguments are those of redis-server, such as --requirepass.</summary>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        var port = Tool.FreePort();
        var server = new RedisServer(await StartProcessAsync(port, settings), port, settings);
        await server.ConnectAsync();
        return server;
    }

    /// <summary>What an INFO section says of a field.</summary>
    public async Task<long> InfoAsync(string section, string field)
    {
        var text = (await _connection!.GetDatabase().ExecuteAsync("INFO", section)).ToString();
        var line = text.Split("\r\n").Single(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(line[(field.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>Ends it at once.</summary>
    public async Task KillAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        _connection = null;
        await _process.DisposeAsync();
    }

    /// <summary>Starts an empty server on the same port.</summary>
    public async Task RestartAsync()
    {
        _process = await StartProcessAsync(Port, _settings);
        await ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        await _process.DisposeAsync();
    }

    private async Task ConnectAsync()
    {
        var password = Array.IndexOf(_settings, "--requirepass") is var at and >= 0 ? _settings[at + 1] : null;
        var options = new ConfigurationOptions { EndPoints = { { "127.0.0.1", Port } }, Password = password, AllowAdmin = true };
        _connection = await ConnectionMultiplexer.ConnectAsync(options);
    }

    private static Task<RunningTool> StartProcessAsync(int port, string[] settings)
    {
        var text = port.ToString(CultureInfo.InvariantCulture);
        return RunningTool.StartAsync("redis-server", ["--port", text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", .. settings],
            // A server that asks for a password answers too.
            async () => (await Tool.RunAsync("redis-cli", ["-p", text, "ping"])).All is var answer
                && (answer.Contains("PONG", StringComparison.Ordinal) || answer.Contains("NOAUTH", StringComparison.Ordinal)));
    }
}
