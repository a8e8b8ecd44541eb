using System.Security.Authentication;
using HarborScanExporter.Diagnosis;
using StackExchange.Redis;

namespace HarborScanExporter.JobService;

/// <summary>The job service's Redis cannot be used; the message names the mend and holds no secret.</summary>
internal sealed class RedisUnusableException(EvidenceState state, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Unreachable or refused.</summary>
    public EvidenceState State { get; } = state;

    /// <summary>Sorts an error of the client.</summary>
    /// <param name="error">What the client threw.</param>
    /// <param name="address">Where it was, without credentials.</param>
    public static RedisUnusableException Of(Exception error, string address)
    {
        if (error is RedisUnusableException already) return already;
        if (Chain(error).Any(one => one is AuthenticationException))
            return new(EvidenceState.Unreachable, $"{address} shows a certificate that is not trusted. Name the authority that signed it in SSL_CERT_FILE, and the host as the certificate does.", error);
        var words = Words(error);
        var refused = words.Contains("WRONGPASS", StringComparison.Ordinal) || words.Contains("NOAUTH", StringComparison.Ordinal)
            || words.Contains("AuthenticationFailure", StringComparison.Ordinal) || words.Contains("invalid password", StringComparison.OrdinalIgnoreCase)
            || words.Contains("invalid username-password", StringComparison.OrdinalIgnoreCase);
        if (refused)
            return new(EvidenceState.Refused, $"{address} refuses the user or its password. Check HARBOR_REDIS_URL, and that the user of deploy/redis exists there.", error);
        if (words.Contains("NOPERM", StringComparison.Ordinal))
            return new(EvidenceState.Refused, $"The user may not read what is needed at {address}. Give it the rights of deploy/redis/harbor-scan.acl.", error);
        if (words.Contains("WRONGTYPE", StringComparison.Ordinal))
            return new(EvidenceState.Refused, $"At {address} a key of the job service is of another type: another program writes there. Check the database number in HARBOR_REDIS_URL and HARBOR_REDIS_NAMESPACE.", error);
        if (words.Contains("DB index is out of range", StringComparison.Ordinal))
            return new(EvidenceState.Refused, $"{address} has no database of this number. It is 2 in Harbor's installer and 1 in its chart.", error);
        if (error is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException)
            return new(EvidenceState.Refused, $"The file of HARBOR_REDIS_URL_FILE cannot be read: {error.Message}", error);
        if (error is ArgumentException) return new(EvidenceState.Refused, error.Message, error);
        return new(EvidenceState.Unreachable, $"{address} does not answer ({Reason(error)}). Check HARBOR_REDIS_URL, the network policy, and that Redis runs.", error);
    }

    private static string Words(Exception error) =>
        string.Join(' ', Chain(error).Select(one => one is RedisConnectionException connection ? $"{connection.FailureType} {one.Message}" : one.Message));

    private static IEnumerable<Exception> Chain(Exception error)
    {
        for (var one = error; one is not null; one = one.InnerException) yield return one;
    }

    /// <summary>The client's own messages hold addresses and counters of its inside; its kind of failure says enough.</summary>
    private static string Reason(Exception error) => error switch
    {
        RedisConnectionException connection => connection.FailureType.ToString(),
        TimeoutException or OperationCanceledException => "no answer in time",
        RedisServerException server => server.Message.Split(' ')[0],
        _ => error.GetType().Name,
    };
}
