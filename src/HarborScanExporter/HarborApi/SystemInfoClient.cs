using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HarborScanExporter.Settings;

namespace HarborScanExporter.HarborApi;

/// <summary>What Harbor tells of itself.</summary>
/// <param name="Version">For example v2.11.1; null for a user who may not see it.</param>
/// <param name="ReadOnly">Whether it is read-only; null when it does not say.</param>
internal sealed record SystemInfo(string? Version, bool? ReadOnly);

/// <summary>An answer of Harbor's API by its status alone.</summary>
/// <param name="Status">The HTTP status.</param>
internal sealed record ApiAnswer(int Status);

/// <summary>Asks Harbor's API what it is (harbor-facts 9). Reads only; bounded in time.</summary>
internal sealed class SystemInfoClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly ApiSettings _settings;
    private readonly HttpClient _client;

    public SystemInfoClient(ApiSettings settings)
    {
        _settings = settings;
        // A proxy or a redirect could carry the password elsewhere.
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            BaseAddress = new Uri(settings.Address, "api/v2.0/"),
            Timeout = Limit,
            MaxResponseContentBufferSize = 1024 * 1024,
        };
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri Address => _settings.Address;

    /// <summary>Whether Harbor is read-only; null when it does not answer, which fails no collection.</summary>
    public async Task<bool?> ReadOnlyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await ReadAsync(cancellationToken)).ReadOnly;
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException or UnauthorizedAccessException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>GET /systeminfo.</summary>
    /// <exception cref="HttpRequestException">No connection, or another status than 200.</exception>
    public async Task<SystemInfo> ReadAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync("systeminfo", cancellationToken);
        response.EnsureSuccessStatusCode();
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object) return new SystemInfo(null, null);
        return new SystemInfo(
            root.TryGetProperty("harbor_version", out var version) && version.ValueKind == JsonValueKind.String ? version.GetString() : null,
            root.TryGetProperty("read_only", out var readOnly) && readOnly.ValueKind is JsonValueKind.True or JsonValueKind.False ? readOnly.GetBoolean() : null);
    }

    /// <summary>Whether the user may see the job service's pools, which the repair by Harbor's own API needs (Harbor 2.7 and later).</summary>
    /// <exception cref="HttpRequestException">No connection.</exception>
    public async Task<ApiAnswer> AskPoolsAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync("jobservice/pools", cancellationToken);
        return new ApiAnswer((int)response.StatusCode);
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        var password = _settings.PasswordFile is { } file ? (await File.ReadAllTextAsync(file, cancellationToken)).TrimEnd('\r', '\n') : _settings.Password;
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_settings.Username}:{password}")));
        return await _client.SendAsync(request, cancellationToken);
    }
}
