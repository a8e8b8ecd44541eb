using System.Buffers.Text;
using System.Text;

namespace HarborScanExporter.Http;

/// <summary>What is answered to a request's credentials.</summary>
internal enum Access
{
    /// <summary>It brought the token.</summary>
    Granted,

    /// <summary>It brought none, or a wrong one: 401.</summary>
    Denied,

    /// <summary>It brought a wrong one, after too many from its address: 429.</summary>
    Refused,
}

/// <summary>
/// Lets in who brings the token: as Bearer for everything, as password of HTTP Basic for GET and HEAD alone. A browser sends Basic by itself
/// with whatever another site makes it ask for, so nothing that writes may take it.
/// </summary>
internal sealed partial class OperationsAccess(OperationsToken token, FailedAttempts attempts, ILogger<OperationsAccess> logger)
{
    /// <summary>What a 401 asks for.</summary>
    public const string Challenge = "Basic realm=\"Harbor Scan Exporter\", charset=\"UTF-8\"";

    /// <summary>
    /// Judges a request. The token is compared first: many stand behind one address, and what one of them sends wrongly closes no door to the others.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <returns>The judgement, and with <see cref="Access.Refused"/> how long wrong tokens of the address are still refused.</returns>
    public async Task<(Access Access, TimeSpan RefusedFor)> JudgeAsync(HttpContext context)
    {
        if (TokenOf(context.Request) is not { } given) return (Access.Denied, TimeSpan.Zero);
        if (await token.IsAsync(given)) return (Access.Granted, TimeSpan.Zero);
        var address = context.Connection.RemoteIpAddress;
        if (attempts.RefusedFor(address) is { } left) return (Access.Refused, left);
        if (attempts.Add(address)) LogRefused(logger, address?.ToString() ?? "unknown", FailedAttempts.Most);
        return (Access.Denied, TimeSpan.Zero);
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

    [LoggerMessage(32, LogLevel.Warning, "{Most} wrong tokens came from {Address} within a minute; further wrong ones from there are refused for the rest of it.")]
    private static partial void LogRefused(ILogger logger, string address, int most);
}
