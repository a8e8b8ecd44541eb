using System.Buffers.Text;
using System.Text;

namespace HarborScanExporter.Operations;

/// <summary>What is answered to a request's credentials.</summary>
internal enum Access
{
    /// <summary>It brought the token.</summary>
    Granted,

    /// <summary>It brought none, or a wrong one: 401.</summary>
    Denied,

    /// <summary>Too many wrong ones came from its address: 429.</summary>
    Refused,

    /// <summary>There is no token to compare with: 503.</summary>
    Unusable,
}

/// <summary>
/// Lets in who brings the token: as Bearer for everything, as password of HTTP Basic for GET and HEAD alone. A browser sends Basic by itself
/// with whatever another site makes it ask for, so nothing that writes may take it.
/// </summary>
internal sealed partial class OperationsAccess(OperationsToken token, FailedAttempts attempts, ILogger<OperationsAccess> logger)
{
    /// <summary>What a 401 asks for.</summary>
    public const string Challenge = "Basic realm=\"Harbor Scan Exporter\", charset=\"UTF-8\"";

    /// <summary>Judges a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="refusedFor">How long the address is still refused; set with <see cref="Access.Refused"/>.</param>
    public Access Judge(HttpContext context, out TimeSpan refusedFor)
    {
        refusedFor = TimeSpan.Zero;
        if (TokenOf(context.Request) is not { } given) return Access.Denied;
        var address = context.Connection.RemoteIpAddress;
        if (attempts.RefusedFor(address) is { } left)
        {
            refusedFor = left;
            return Access.Refused;
        }
        switch (token.Is(given))
        {
            case true: return Access.Granted;
            case null: return Access.Unusable;
            default:
                if (attempts.Add(address)) LogRefused(logger, address?.ToString() ?? "unknown", FailedAttempts.Most);
                return Access.Denied;
        }
    }

    private static string? TokenOf(HttpRequest request)
    {
        if (request.Headers.Authorization is not [{ } header]) return null;
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0) return null;
        var (scheme, rest) = (header[..space], header[(space + 1)..].Trim());
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)) return rest;
        var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        return reads && scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) ? PasswordOf(rest) : null;
    }

    private static string? PasswordOf(string basic)
    {
        if (!Base64.IsValid(basic)) return null;
        var pair = Encoding.UTF8.GetString(Convert.FromBase64String(basic));
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : pair[(colon + 1)..];
    }

    [LoggerMessage(32, LogLevel.Warning, "{Most} wrong tokens came from {Address} within a minute; it is refused for the rest of it.")]
    private static partial void LogRefused(ILogger logger, string address, int most);
}
