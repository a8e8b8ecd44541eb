using System.Globalization;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.Support;

/// <summary>A real Redis of its own, without persistence; killed and started again on the same port it is an empty one.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    /// <summary>The server that the tests start: redis-server, or the compatible program that HARBOR_TEST_REDIS names, such as valkey-server.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable("HARBOR_TEST_REDIS") is { Length: > 0 } named ? named : "redis-server";

    /// <summary>The database number of Harbor's chart.</summary>
    public const int Number = 1;

    private readonly string[] _settings;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("harbor-redis-");
    private RunningTool? _process;
    private ConnectionMultiplexer? _connection;

    private RedisServer(int port, string[] settings) => (Port, _settings) = (port, settings);

    public int Port { get; }

    /// <summary>The setting HARBOR_REDIS_URL.</summary>
    public string Url => UrlOf(Number);

    /// <summary>That of another database, of another user, or behind another port.</summary>
    public string UrlOf(int number, string credentials = "", int? port = null) =>
        string.Create(CultureInfo.InvariantCulture, $"redis://{(credentials.Length > 0 ? credentials + "@" : "")}127.0.0.1:{port ?? Port}/{number}");

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("Not running.");

    /// <summary>The job service's database.</summary>
    public IDatabase Database => (_connection ?? throw new InvalidOperationException("Not connected.")).GetDatabase(Number);

    /// <summary>Starts a server; arguments are those of redis-server, such as --requirepass.</summary>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        for (var attempt = 1; ; attempt++)
        {
            var server = new RedisServer(Tool.FreePort(), settings);
            // Between the choice of a port and its use somebody else may take it.
            if (await server.StartProcessAsync()) return server;
            await server.DisposeAsync();
            Assert.True(attempt < 5, "redis-server did not start on five ports.");
        }
    }

    /// <summary>What an INFO section says of a field.</summary>
    public async Task<long> InfoAsync(string section, string field)
    {
        var line = (await InfoLinesAsync(section)).Single(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(line[(field.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>The lines of an INFO section.</summary>
    public async Task<string[]> InfoLinesAsync(string section) =>
        (await _connection!.GetDatabase().ExecuteAsync("INFO", section)).ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs a command of an administrator, such as ACL or CONFIG.</summary>
    public Task<RedisResult> AdministerAsync(string command, params object[] arguments) => _connection!.GetDatabase().ExecuteAsync(command, arguments);

    /// <summary>Ends it at once.</summary>
    public async Task KillAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        _connection = null;
        if (_process is not null) await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>Starts an empty server on the same port.</summary>
    public async Task RestartAsync()
    {
        // A replica keeps what it was sent.
        foreach (var file in _folder.GetFiles()) file.Delete();
        Assert.True(await StartProcessAsync(), $"redis-server did not start again on port {Port}.");
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Delete(recursive: true);
    }

    private async Task ConnectAsync()
    {
        var password = Array.IndexOf(_settings, "--requirepass") is var at and >= 0 ? _settings[at + 1] : null;
        var options = new ConfigurationOptions { EndPoints = { { "127.0.0.1", Port } }, Password = password, AllowAdmin = true, AsyncTimeout = 60_000 };
        _connection = await ConnectionMultiplexer.ConnectAsync(options);
    }

    /// <summary>False when the port was taken.</summary>
    private async Task<bool> StartProcessAsync()
    {
        try
        {
            _process = await RunningTool.StartAsync(Program,
                ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder.FullName, "--save", "", "--appendonly", "no", .. _settings],
                // Whoever has the port would answer a ping; its own log tells of this one.
                process => Task.FromResult(process.Log.Contains("Ready to accept connections", StringComparison.Ordinal)));
        }
        catch (Xunit.Sdk.FailException error) when (error.Message.Contains("Address already in use", StringComparison.Ordinal))
        {
            return false;
        }
        await ConnectAsync();
        return true;
    }
}
