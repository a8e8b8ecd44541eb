using System.Globalization;
using System.Net;

namespace HarborScanExporter.Settings;

/// <summary>The job service's Redis, as read from Harbor's own URL (harbor-facts 8.1).</summary>
internal sealed record RedisSettings
{
    private const int RedisPort = 6379;
    private const int SentinelPort = 26379;

    /// <summary>The server, or the Sentinels that know it.</summary>
    public required IReadOnlyList<DnsEndPoint> Endpoints { get; init; }

    /// <summary>The master's name at the Sentinels; null without Sentinel.</summary>
    public string? Master { get; init; }

    public bool Tls { get; init; }

    /// <summary>Null for the default user.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>The database number: 2 in Harbor's installer, 1 in its chart.</summary>
    public required int Database { get; init; }

    /// <summary>Where it is, without credentials.</summary>
    public string Address =>
        $"{(Tls ? "rediss" : "redis")}{(Master is null ? "" : "+sentinel")}://{string.Join(',', Endpoints.Select(end => $"{Bracketed(end.Host)}:{end.Port}"))}{(Master is null ? "" : $"/{Master}")}/{Database}";

    /// <summary>Reads the grammar <c>redis|rediss|redis+sentinel|rediss+sentinel://[user][:password]@host:port[,host:port…][/master]/db[?…]</c>.</summary>
    /// <param name="url">The URL; it holds a password and is never repeated in a message.</param>
    /// <param name="problem">What is wrong and the mend; null when it was read.</param>
    public static RedisSettings? Parse(string url, out string? problem)
    {
        problem = null;
        var scheme = url.Split("://", 2);
        if (scheme.Length < 2 || scheme[0] is not ("redis" or "rediss" or "redis+sentinel" or "rediss+sentinel"))
        {
            problem = "it begins with none of redis://, rediss://, redis+sentinel://, rediss+sentinel://. Take Harbor's own URL of the job service's Redis.";
            return null;
        }
        var sentinel = scheme[0].EndsWith("+sentinel", StringComparison.Ordinal);
        var rest = scheme[1];
        // A password may hold an unescaped @, / or ?: the last @ ends it.
        var at = rest.LastIndexOf('@');
        var (user, password) = at < 0 ? (null, null) : Credentials(rest[..at]);
        var path = rest[(at + 1)..].Split('?', 2)[0].Split('/');
        var endpoints = Hosts(path[0], sentinel ? SentinelPort : RedisPort);
        if (path[0].Split(',').Any(HostName.LooksLikeIPv6)) problem = "its host is an IPv6 address without brackets, whose end could be a port. Write [<address>]:<port>.";
        else if (endpoints is null) problem = "its host is missing or its port is no number from 1 to 65535. Write <host>:<port>.";
        else if (!sentinel && endpoints.Count > 1) problem = "it names several hosts, which only redis+sentinel:// and rediss+sentinel:// may.";
        else if (sentinel && (path.Length < 2 || path[1].Length == 0)) problem = "the name of the Sentinel's master is missing. Write …/<master>/<database number>.";
        else if (path.Length > (sentinel ? 3 : 2)) problem = $"there are too many parts after the host. Write {(sentinel ? "/<master>/<database number>" : "/<database number>")}.";
        if (problem is not null) return null;
        var number = path.ElementAtOrDefault(sentinel ? 2 : 1);
        if (!int.TryParse(string.IsNullOrEmpty(number) ? "0" : number, NumberStyles.None, CultureInfo.InvariantCulture, out var database))
        {
            // Not repeated: in a URL that was put together wrongly it may be the password.
            problem = "what stands for the database number is no number. It is 2 in Harbor's installer and 1 in its chart.";
            return null;
        }
        return new RedisSettings
        {
            Endpoints = endpoints!,
            Master = sentinel ? Uri.UnescapeDataString(path[1]) : null,
            Tls = scheme[0].StartsWith("rediss", StringComparison.Ordinal),
            User = user,
            Password = password,
            Database = database,
        };
    }

    private static (string? User, string? Password) Credentials(string text)
    {
        var parts = text.Split(':', 2);
        // Older installers wrote a user that an AUTH must not send.
        var user = parts[0] is "" or "anonymous" ? null : Uri.UnescapeDataString(parts[0]);
        var password = parts.Length < 2 || parts[1].Length == 0 ? null : Uri.UnescapeDataString(parts[1]);
        return (user, password);
    }

    private static List<DnsEndPoint>? Hosts(string text, int standardPort)
    {
        List<DnsEndPoint> endpoints = [];
        foreach (var part in text.Split(','))
        {
            // [::1]:6379 is an IPv6 address with a port.
            var bracket = part.LastIndexOf(']');
            var colon = part.LastIndexOf(':');
            var host = (colon > bracket ? part[..colon] : part).Trim('[', ']');
            var port = standardPort;
            if (colon > bracket && !int.TryParse(part[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)) return null;
            if (host.Length == 0 || port is < 1 or > 65535) return null;
            endpoints.Add(new DnsEndPoint(host, port));
        }
        return endpoints;
    }

    private static string Bracketed(string host) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
}

/// <summary>Where the job service's Redis is named, and the namespace of its keys.</summary>
internal sealed record JobServiceSettings
{
    /// <summary>The URL itself; null when it stands in a file.</summary>
    public RedisSettings? Redis { get; init; }

    /// <summary>A file that holds the URL; read again at each collection, so that a rotated password needs no restart.</summary>
    public SecretFile? UrlFile { get; init; }

    /// <summary>Harbor's job service namespace, without braces.</summary>
    public required string Namespace { get; init; }
}
