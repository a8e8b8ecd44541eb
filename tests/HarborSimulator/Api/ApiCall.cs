using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace HarborSimulator.Api;

/// <summary>A request as Harbor's router sees it.</summary>
/// <param name="Method">The method.</param>
/// <param name="RawPath">The path as it was sent, without the query.</param>
/// <param name="Name">The name that came with a password; null without one.</param>
/// <param name="Password">That password.</param>
/// <param name="Body">The body.</param>
/// <param name="HasSession">Whether the cookie of a session came along.</param>
/// <param name="HasToken">Whether the token against forged requests came along.</param>
internal sealed record ApiCall(string Method, string RawPath, string? Name, string? Password, string Body, bool HasSession, bool HasToken)
{
    /// <summary>The cookie of a session.</summary>
    public const string SessionCookie = "sid";

    private const string TokenHeader = "X-Harbor-CSRF-Token";

    public bool IsSafe => Method is "GET" or "HEAD" or "OPTIONS";

    /// <summary>The path decoded once, then cut at its slashes: a slash that was encoded once cuts too.</summary>
    public string[] Segments => Uri.UnescapeDataString(RawPath).Split('/', StringSplitOptions.RemoveEmptyEntries);

    public static async Task<ApiCall> ReadAsync(HttpContext context)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        var (name, password) = CredentialsOf(context.Request.Headers[HeaderNames.Authorization].ToString());
        return new ApiCall(context.Request.Method, raw.Split('?')[0], name, password, body,
            context.Request.Cookies.ContainsKey(SessionCookie), context.Request.Headers.ContainsKey(TokenHeader));
    }

    private static (string? Name, string? Password) CredentialsOf(string header)
    {
        const string scheme = "Basic ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return (null, null);
        var bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[scheme.Length..], bytes, out var length)) return (null, null);
        return Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [var name, var password] ? (name, password) : (null, null);
    }
}
