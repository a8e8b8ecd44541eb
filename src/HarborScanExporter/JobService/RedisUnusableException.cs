using System.Net.Sockets;
using System.Security.Authentication;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using StackExchange.Redis;

namespace HarborScanExporter.JobService;

/// <summary>The job service's Redis cannot be used; the message is what is wrong and then the mend, and holds no secret.</summary>
/// <param name="state">Unreachable or refused.</param>
/// <param name="reason">What is wrong, in a sentence with the server's own words.</param>
/// <param name="mend">What to do about it; empty when the reason says it.</param>
/// <param name="inner">What the client threw.</param>
internal sealed class RedisUnusableException(EvidenceState state, string reason, string mend, Exception? inner = null) : Exception($"{reason} {mend}".Trim(), inner), IKnownFailure
{
    private const string Settings = "Check HARBOR_REDIS_URL, the network policy, and that Redis runs.";

    /// <summary>Unreachable or refused.</summary>
    public EvidenceState State { get; } = state;

    /// <summary>What is wrong.</summary>
    public string Reason { get; } = reason;

    /// <summary>What to do about it; empty when the reason says it.</summary>
    public string Mend { get; } = mend;

    string IKnownFailure.Reason => State == EvidenceState.Refused ? FailureReason.Auth : FailureReason.Connect;

    bool IKnownFailure.SaysFix => true;

    /// <summary>Sorts an error of the client.</summary>
    /// <param name="error">What the client threw.</param>
    /// <param name="address">Where it was, without credentials.</param>
    public static RedisUnusableException Of(Exception error, string address)
    {
        if (error is RedisUnusableException already) return already;
        return OfTls(error, address) ?? OfServer(error, address) ?? OfSettings(error, address)
            ?? Unreachable($"{address} does not answer ({Kind(error)}).", address.StartsWith("rediss", StringComparison.Ordinal) ? $"{Settings} A port that takes no TLS does not answer either: for it write redis://." : Settings, error);
    }

    /// <summary>Sorts an error of asking the Sentinels for the master.</summary>
    /// <param name="error">That of the last of them.</param>
    /// <param name="address">Where they were.</param>
    public static RedisUnusableException OfSentinel(Exception error, string address)
    {
        if (error is RedisUnusableException already) return already;
        var said = ServerWords(error);
        return said.Contains("NOAUTH", StringComparison.Ordinal) || said.Contains("WRONGPASS", StringComparison.Ordinal)
            ? Refused($"The Sentinels of {address} want a password of their own ({said}).", "Neither Harbor nor the exporter shows a Sentinel one: take requirepass out of the Sentinels' configuration.", error)
            : Of(error, address);
    }

    private static RedisUnusableException? OfTls(Exception error, string address)
    {
        var tls = Chain(error).OfType<AuthenticationException>().FirstOrDefault();
        if (tls is null)
        {
            // Nothing was said yet: neither an error of Redis nor a greeting.
            if (error is not FirstWordsException || Chain(error).FirstOrDefault(one => one is EndOfStreamException or SocketException { SocketErrorCode: SocketError.ConnectionReset }
                || (one is IOException && one.Message.Contains("unexpected EOF", StringComparison.Ordinal))) is null) return null;
            return address.StartsWith("rediss", StringComparison.Ordinal)
                ? Unreachable($"{address} ends the connection before TLS is agreed.", "Its connections may be exhausted (maxclients), which it cannot say over TLS, or it wants a certificate of the client (tls-auth-clients). Look at its log.", error)
                : Unreachable($"{address} ends the connection without a word.", "If that port takes TLS alone, write rediss:// in HARBOR_REDIS_URL. Else look at its log.", error);
        }
        var words = $"{tls.Message} {tls.InnerException?.Message}";
        return words.Contains("certificate", StringComparison.OrdinalIgnoreCase)
            ? Unreachable($"{address} shows a certificate that is not trusted.", $"Name the authority that signed it in SSL_CERT_FILE, and the host as the certificate does. ({tls.Message.TrimEnd('.')})", error)
            : words.Contains("alert", StringComparison.OrdinalIgnoreCase)
                ? Unreachable($"{address} refuses TLS ({tls.Message.TrimEnd('.')}).", "It may want a certificate of the client (tls-auth-clients), which the exporter has not, or another version of TLS.", error)
                : Unreachable($"{address} does not speak TLS ({tls.Message.TrimEnd('.')}).", "Write redis:// in HARBOR_REDIS_URL, or the port of Redis that takes TLS.", error);
    }

    /// <summary>By the first word of the server's error.</summary>
    private static RedisUnusableException? OfServer(Exception error, string address)
    {
        if (Chain(error).OfType<InvalidDataException>().FirstOrDefault() is { } strange)
            return Refused($"What answers at {address} is not Redis ({strange.Message}).", "Check host and port in HARBOR_REDIS_URL.", error);
        var said = ServerWords(error);
        bool Says(string word) => said.Contains(word, StringComparison.OrdinalIgnoreCase);
        if (said.Length == 0) return null;
        if (Says("WRONGPASS") || Says("NOAUTH") || Says("invalid password") || Says("invalid username-password") || Says("without any password configured"))
            return Refused($"{address} refuses the user or its password ({said}).", "Check HARBOR_REDIS_URL, and that the user of deploy/redis exists there.", error);
        if (Says("NOPERM"))
            return Refused($"The user may not read what is needed at {address} ({said}).", "Give it the rights of deploy/redis/harbor-scan.acl.", error);
        if (Says("WRONGTYPE"))
            return Refused($"At {address} a key of the job service is of another type: another program writes there.", "Check the database number in HARBOR_REDIS_URL and HARBOR_REDIS_NAMESPACE.", error);
        if (Says("cluster mode") || Says("MOVED") || Says("CLUSTERDOWN"))
            return Refused($"{address} runs in cluster mode ({said}).", "Harbor's job service cannot use a cluster: set HARBOR_REDIS_URL to the Redis that it does use, and not to a node of another one.", error);
        if (Says("DB index is out of range"))
            return Refused($"{address} has no database of this number.", "It is 2 in Harbor's installer and 1 in its chart.", error);
        if (Says("DENIED"))
            return Refused($"{address} is in protected mode ({said}).", "Give its default user a password, or make the user of deploy/redis, and name it in HARBOR_REDIS_URL.", error);
        if (Says("LOADING"))
            return Unreachable($"{address} is still loading its data ({said}).", "Wait until it has; it was restarted.", error);
        if (Says("MASTERDOWN"))
            return Unreachable($"{address} is a replica without its master, and gives no stale data ({said}).", "Mend the replication, or set HARBOR_REDIS_URL to the Redis that the job service writes.", error);
        if (Says("MISCONF"))
            return Unreachable($"{address} cannot save its data and takes no writes: the job service stands still too ({said}).", "Look at the disk of Redis and at its log.", error);
        if (Says("max number of clients") || Says("max + cluster number"))
            return Unreachable($"{address} has no connection left ({said}).", "Raise maxclients of Redis, or end what holds its connections: redis-cli client list.", error);
        return Unreachable($"{address} answers with an error ({said}).", Settings, error);
    }

    private static RedisUnusableException? OfSettings(Exception error, string address) => error switch
    {
        UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException =>
            Refused($"The file of HARBOR_REDIS_URL_FILE cannot be read: {error.Message.TrimEnd('.')}.", "Mount it so that the user of this process may read it, or correct the path.", error),
        ArgumentException => Refused(error.Message, "", error),
        _ => null,
    };

    private static RedisUnusableException Unreachable(string reason, string mend, Exception error) => new(EvidenceState.Unreachable, reason, mend, error);

    private static RedisUnusableException Refused(string reason, string mend, Exception error) => new(EvidenceState.Refused, reason, mend, error);

    /// <summary>What the server said; empty when it is not known to have said anything.</summary>
    private static string ServerWords(Exception error)
    {
        var said = Chain(error).OfType<RedisServerException>().FirstOrDefault()?.Message
            ?? Chain(error).OfType<RedisConnectionException>().Where(one => one.FailureType == ConnectionFailureType.AuthenticationFailure).Select(_ => "NOAUTH").FirstOrDefault() ?? "";
        return (said.StartsWith("Error: ", StringComparison.Ordinal) ? said["Error: ".Length..] : said).ReplaceLineEndings(" ").TrimEnd('.');
    }

    private static IEnumerable<Exception> Chain(Exception error)
    {
        for (var one = error; one is not null; one = one.InnerException) yield return one;
    }

    /// <summary>The client's own messages hold addresses and counters of its inside; its kind of failure says enough.</summary>
    private static string Kind(Exception error) => error switch
    {
        FirstWordsException { InnerException: { } said } => Kind(said),
        RedisConnectionException connection => connection.FailureType.ToString(),
        TimeoutException or OperationCanceledException => "no answer in time",
        SocketException socket => socket.Message,
        _ => error.GetType().Name,
    };
}
