using System.Net;
using HarborScanExporter.Settings;
using StackExchange.Redis;

namespace HarborScanExporter.JobService;

/// <summary>
/// The one connection to the job service's Redis. It is made when first needed, kept while it works, and made anew after a failure, after a
/// change of the URL file, and when Sentinel names another master.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    private static readonly HashSet<string> Reading =
        new(StringComparer.OrdinalIgnoreCase) { "AUTH", "PING", "SELECT", "EXISTS", "LLEN", "LRANGE", "SMEMBERS", "HMGET", "HKEYS", "HSCAN", "TIME", "ROLE" };

    /// <summary>The client insists on hearing a Sentinel's news, whoever asks for them.</summary>
    private static readonly HashSet<string> SentinelCommands = new(StringComparer.OrdinalIgnoreCase) { "AUTH", "PING", "SENTINEL", "SUBSCRIBE", "UNSUBSCRIBE" };

    private readonly SemaphoreSlim _one = new(1);
    private readonly HashSet<string> _commands;
    private readonly SecretFile? _urlFile;
    private RedisSettings? _settings;
    private string? _read;
    private EndPoint? _server;
    private ConnectionMultiplexer? _redis;
    private ConnectionMultiplexer? _sentinel;

    /// <param name="settings">Where it is.</param>
    /// <param name="asking">Commands that ask about the server itself, beyond those that read evidence; no others leave this program.</param>
    public RedisConnection(JobServiceSettings settings, params string[] asking)
    {
        _settings = settings.Redis;
        _urlFile = settings.UrlFile;
        _commands = new HashSet<string>(Reading.Concat(asking), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Where it is, without credentials.</summary>
    public string Address => _settings?.Address ?? $"the URL in {_urlFile?.Path}";

    /// <summary>How it is reached; null while the file that says so has not been read.</summary>
    public RedisSettings? Settings => _settings;

    /// <summary>The database, connected.</summary>
    /// <param name="timeout">How long connecting may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="RedisUnusableException">It cannot be reached or refuses.</exception>
    public async Task<IDatabase> OpenAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            await ReadFileAsync(cancellationToken);
            var server = await ServerAsync(timeout, cancellationToken);
            if (_redis is not null && (!_redis.IsConnected || !Equals(server, _server))) Drop(ref _redis);
            _server = server;
            if (_redis is null)
            {
                _redis = await ConnectAsync([server], _commands, _settings!.User, _settings.Password, _settings.Database, timeout, cancellationToken);
                // The client overlooks that its own SELECT is refused, and would read database 0.
                await _redis.GetDatabase(_settings.Database).ExecuteAsync("SELECT", _settings.Database).WaitAsync(timeout, TimeProvider.System, cancellationToken);
            }
            return _redis.GetDatabase(_settings!.Database);
        }
        catch (Exception error) when (error is RedisException or RedisCommandException or TimeoutException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            Forget();
            throw RedisUnusableException.Of(error, Address);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Drops the connection after a failure; the next collection makes another.</summary>
    public void Forget()
    {
        Drop(ref _redis);
        Drop(ref _sentinel);
    }

    public ValueTask DisposeAsync()
    {
        Forget();
        _one.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task ReadFileAsync(CancellationToken cancellationToken)
    {
        if (_urlFile is not { } file) return;
        var text = await file.ReadAsync(cancellationToken);
        if (text == _read) return;
        _settings = RedisSettings.Parse(text, out var problem) ?? throw new ArgumentException($"{Setting.Names.RedisUrlFile}: {problem}");
        _read = text;
        Forget();
    }

    private async Task<EndPoint> ServerAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (_settings!.Master is not { } master) return _settings.Endpoints[0];
        Exception? last = null;
        // The Sentinel that answered last is asked first; it names the master of now.
        for (var i = -1; i < _settings.Endpoints.Count; i++)
        {
            if (i < 0 && _sentinel is null) continue;
            try
            {
                if (i >= 0)
                {
                    Drop(ref _sentinel);
                    // Harbor shows its Sentinels no password either.
                    _sentinel = await ConnectAsync([_settings.Endpoints[i]], SentinelCommands, null, null, 0, timeout / _settings.Endpoints.Count, cancellationToken);
                }
                var answer = await _sentinel!.GetServer(_sentinel.GetEndPoints()[0]).SentinelGetMasterAddressByNameAsync(master)
                    .WaitAsync(timeout, TimeProvider.System, cancellationToken);
                if (answer is not null) return answer;
                last = new ArgumentException($"Sentinel knows no master {master}");
            }
            catch (Exception error) when (error is RedisException or RedisCommandException or TimeoutException)
            {
                last = error;
            }
        }
        throw last!;
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(
        IEnumerable<EndPoint> endpoints, HashSet<string> commands, string? user, string? password, int database, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var milliseconds = Math.Max(200, (int)timeout.TotalMilliseconds);
        var options = new ConfigurationOptions
        {
            // On connect the client would ask what a minimal ACL refuses: configuration, topology, a tie-breaker's key.
            CommandMap = CommandMap.Create(commands, available: true),
            TieBreaker = "",
            ConfigurationChannel = "",
            AllowAdmin = false,
            AbortOnConnectFail = true,
            ConnectRetry = 1,
            ConnectTimeout = milliseconds,
            AsyncTimeout = milliseconds,
            SyncTimeout = milliseconds,
            HeartbeatConsistencyChecks = false,
            KeepAlive = 60,
            SetClientLibrary = false,
            ClientName = "harbor-scan-exporter",
            Protocol = RedisProtocol.Resp2,
            DefaultDatabase = database,
            User = user,
            Password = password,
            Ssl = _settings!.Tls,
            // Its own would be ten threads that wait all day.
            SocketManager = SocketManager.ThreadPool,
        };
        foreach (var endpoint in endpoints)
        {
            options.EndPoints.Add(endpoint);
            if (_settings.Tls && endpoint is DnsEndPoint { Host: var host }) options.SslHost = host;
        }
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        try
        {
            return await connecting.WaitAsync(timeout, TimeProvider.System, cancellationToken);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // It comes or fails some time later, and nobody uses it then.
            _ = connecting.ContinueWith(late => late.IsCompletedSuccessfully ? late.Result.DisposeAsync().AsTask() : Task.FromResult(late.Exception),
                CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private static void Drop(ref ConnectionMultiplexer? redis)
    {
        var dropped = redis;
        redis = null;
        // Closing waits for the network, and a collection must not.
        if (dropped is not null) _ = Task.Run(() => dropped.DisposeAsync().AsTask());
    }
}
