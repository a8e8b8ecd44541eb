using HarborScanExporter.Harbor;
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
        new(StringComparer.OrdinalIgnoreCase) { "AUTH", "PING", "SELECT", "EXISTS", "LLEN", "LRANGE", "SMEMBERS", "HMGET", "HKEYS", "HSCAN", "TIME", "ROLE", "MEMORY" };

    /// <summary>The client insists on hearing a Sentinel's news, whoever asks for them.</summary>
    private static readonly HashSet<string> SentinelCommands = new(StringComparer.OrdinalIgnoreCase) { "AUTH", "PING", "SENTINEL", "SUBSCRIBE", "UNSUBSCRIBE" };

    private static readonly TimeSpan LongestWord = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _one = new(1);
    private readonly HashSet<string> _commands;
    private readonly SecretFile? _urlFile;
    private RedisSettings? _settings;
    private string? _read;
    private EndPoint? _server;
    private ConnectionMultiplexer? _redis;
    private ConnectionMultiplexer? _sentinel;
    private ReadLimit? _limit;

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

    /// <summary>Whether the connection that was opened last has been sent more than one look reads.</summary>
    public bool WasSentTooMuch => _limit?.IsPassed == true;

    /// <summary>The database, connected, for one look: from here on its bytes are counted.</summary>
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
                _limit = new ReadLimit();
                _redis = await ConnectAsync(server, _limit, _commands, _settings!.User, _settings.Password, _settings.Database, timeout, cancellationToken);
                // The client overlooks that its own SELECT is refused, and would read database 0.
                await SelectAsync(_redis, server, timeout, cancellationToken);
            }
            _limit!.Begin();
            return _redis.GetDatabase(_settings!.Database);
        }
        catch (Exception error) when (error is RedisException or RedisCommandException or RedisUnusableException or FirstWordsException or TimeoutException or IOException
            or UnauthorizedAccessException or ArgumentException)
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

    private async Task SelectAsync(ConnectionMultiplexer redis, EndPoint server, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await redis.GetDatabase(_settings!.Database).ExecuteAsync("SELECT", _settings.Database).WaitAsync(timeout, TimeProvider.System, cancellationToken);
        }
        catch (RedisConnectionException)
        {
            if (await SaidAsync(server, _settings!.User, _settings.Password, _settings.Database, timeout, cancellationToken) is { } said) throw new FirstWordsException(said);
            throw;
        }
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
                    _sentinel = await ConnectAsync(_settings.Endpoints[i], new ReadLimit(), SentinelCommands, null, null, null, timeout / _settings.Endpoints.Count, cancellationToken);
                }
                var answer = await _sentinel!.GetServer(_sentinel.GetEndPoints()[0]).SentinelGetMasterAddressByNameAsync(master)
                    .WaitAsync(timeout, TimeProvider.System, cancellationToken);
                if (answer is not null) return answer;
                last = new RedisUnusableException(
                    EvidenceState.Refused, $"The Sentinels of {Address} know no master {master}.", "Check the name after the hosts in HARBOR_REDIS_URL.");
            }
            catch (Exception error) when (error is RedisException or RedisCommandException or FirstWordsException or TimeoutException)
            {
                last = error;
            }
        }
        throw RedisUnusableException.OfSentinel(last!, Address);
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(
        EndPoint server, ReadLimit limit, HashSet<string> commands, string? user, string? password, int? database, TimeSpan timeout, CancellationToken cancellationToken)
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
            DefaultDatabase = database ?? 0,
            User = user,
            Password = password,
            Ssl = _settings!.Tls,
            Tunnel = limit,
            // Its own would be ten threads that wait all day.
            SocketManager = SocketManager.ThreadPool,
        };
        options.EndPoints.Add(server);
        if (_settings.Tls && server is DnsEndPoint { Host: var host }) options.SslHost = host;
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        try
        {
            return await connecting.WaitAsync(timeout, TimeProvider.System, cancellationToken);
        }
        catch (RedisConnectionException)
        {
            if (await SaidAsync(server, user, password, database, timeout, cancellationToken) is { } said) throw new FirstWordsException(said);
            throw;
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // It comes or fails some time later, and nobody uses it then.
            _ = connecting.ContinueWith(late => late.IsCompletedSuccessfully ? late.Result.DisposeAsync().AsTask() : Task.FromResult(late.Exception),
                CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>What the server says to a connection that the client could not make; null when it says nothing in time.</summary>
    private async Task<Exception?> SaidAsync(EndPoint server, string? user, string? password, int? database, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout / 4 < LongestWord ? timeout / 4 : LongestWord);
        try
        {
            return await FirstWords.AskAsync(server, _settings!.Tls, user, password, database, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
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
