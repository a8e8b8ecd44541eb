using System.Collections.Concurrent;
using System.Globalization;
using HarborScanExporter.Tests.Support;
using StackExchange.Redis;

[assembly: AssemblyFixture(typeof(RedisServers))]

namespace HarborScanExporter.Tests.Support;

/// <summary>
/// A real Redis of its own, without persistence; killed and started again on the same port it is an empty one. One that nobody has killed or administered
/// is emptied after its test and serves another.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private static readonly ConcurrentBag<RedisServer> s_idle = [];

    /// <summary>The server that the tests start: redis-server, or the compatible program that HARBOR_TEST_REDIS names, such as valkey-server.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable("HARBOR_TEST_REDIS") is { Length: > 0 } named ? named : "redis-server";

    /// <summary>The database number of Harbor's chart.</summary>
    public const int Number = 1;

    private readonly string[] _settings;
    private readonly DirectoryInfo _folder;
    private RunningTool? _process;
    private ConnectionMultiplexer? _connection;
    private bool _isAsStarted;
    private bool _isDisposed;

    private RedisServer(int port, string[] settings, DirectoryInfo folder) => (Port, _settings, _folder, _isAsStarted) = (port, settings, folder, settings.Length == 0);

    public int Port { get; }

    /// <summary>The setting HARBOR_REDIS_URL.</summary>
    public string Url => UrlOf(Number);

    /// <summary>That of another database, of another user, or behind another port.</summary>
    public string UrlOf(int number, string credentials = "", int? port = null) =>
        string.Create(CultureInfo.InvariantCulture, $"redis://{(credentials.Length > 0 ? credentials + "@" : "")}127.0.0.1:{port ?? Port}/{number}");

    /// <summary>The job service's database.</summary>
    public IDatabase Database => (_connection ?? throw new InvalidOperationException("Not connected.")).GetDatabase(Number);

    /// <summary>Starts a server; arguments are those of redis-server, such as --requirepass.</summary>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        if (settings.Length == 0 && s_idle.TryTake(out var idle))
        {
            // Whoever still holds the one before holds nothing.
            var again = new RedisServer(idle.Port, settings, idle._folder) { _process = idle._process, _connection = idle._connection };
            (idle._process, idle._connection) = (null, null);
            return again;
        }
        for (var attempt = 1; ; attempt++)
        {
            var server = new RedisServer(Tool.FreePort(), settings, Directory.CreateTempSubdirectory("harbor-redis-"));
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
        (await AskAsync("INFO", section)).ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs a command of an administrator, such as ACL or CONFIG.</summary>
    public Task<RedisResult> AdministerAsync(string command, params object[] arguments)
    {
        _isAsStarted = false;
        return AskAsync(command, arguments);
    }

    /// <summary>Ends it at once.</summary>
    public async Task KillAsync()
    {
        _isAsStarted = false;
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
        if (_isDisposed) return;
        _isDisposed = true;
        if (_isAsStarted && await EmptiedAsync()) s_idle.Add(this);
        else await EndAsync();
    }

    /// <summary>Ends those that no test uses.</summary>
    internal static async Task EndIdleAsync()
    {
        while (s_idle.TryTake(out var idle)) await idle.EndAsync();
    }

    /// <summary>Nobody else is connected, and there is no key, script or user as of a test; false when it is no more as it was started.</summary>
    private async Task<bool> EmptiedAsync()
    {
        if (_process is not { HasExited: false }) return false;
        if (((string[])(await AskAsync("ACL", "USERS"))!).Length > 1) return false;
        await AskAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        await AskAsync("SCRIPT", "FLUSH");
        await AskAsync("FLUSHALL");
        return true;
    }

    private Task<RedisResult> AskAsync(string command, params object[] arguments) => _connection!.GetDatabase().ExecuteAsync(command, arguments);

    private async Task EndAsync()
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

/// <summary>Ends the Redis servers with the test run.</summary>
public sealed class RedisServers : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await RedisServer.EndIdleAsync();
}
