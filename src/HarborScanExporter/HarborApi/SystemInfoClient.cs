using System.Net;
using System.Text.Json;
using HarborScanExporter.Settings;

namespace HarborScanExporter.HarborApi;

/// <summary>What Harbor tells of itself.</summary>
/// <param name="Version">For example v2.11.1; null for a user who may not see it.</param>
/// <param name="ReadOnly">Whether it is read-only; null when it does not say.</param>
internal sealed record SystemInfo(string? Version, bool? ReadOnly);

/// <summary>Asks Harbor's API what it is (harbor-facts 9). Reads only; bounded in time.</summary>
internal sealed class SystemInfoClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly ApiConnection _connection;

    public SystemInfoClient(ApiSettings settings, TimeProvider time) => _connection = new ApiConnection(settings, Limit, time);

    /// <summary>Scheme, host and port.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Whether Harbor is read-only; null when it does not answer, which fails no collection.</summary>
    public async Task<bool?> ReadOnlyAsync(CancellationToken cancellationToken) => (await AskAsync(cancellationToken))?.ReadOnly;

    /// <summary>What Harbor tells of itself; null when it does not answer.</summary>
    public async Task<SystemInfo?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(cancellationToken);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException or UnauthorizedAccessException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>GET /systeminfo.</summary>
    /// <exception cref="HttpRequestException">No connection, another status than 200, or no whole answer.</exception>
    public async Task<SystemInfo> ReadAsync(CancellationToken cancellationToken)
    {
        var response = await GetAsync("systeminfo", cancellationToken);
        if (response.Status != 200) throw new HttpRequestException(FormattableString.Invariant($"status {response.Status}"), null, (HttpStatusCode)response.Status);
        using var document = JsonDocument.Parse(response.Body ?? throw new HttpRequestException("the answer broke off, or is too long"));
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object) return new SystemInfo(null, null);
        return new SystemInfo(
            root.TryGetProperty("harbor_version", out var version) && version.ValueKind == JsonValueKind.String ? version.GetString() : null,
            root.TryGetProperty("read_only", out var readOnly) && readOnly.ValueKind is JsonValueKind.True or JsonValueKind.False ? readOnly.GetBoolean() : null);
    }

    /// <summary>Whether the user may see the job service's pools, which the repair by Harbor's own API needs (Harbor 2.7 and later).</summary>
    /// <exception cref="HttpRequestException">No connection.</exception>
    public async Task<ApiAnswer> AskPoolsAsync(CancellationToken cancellationToken) => ApiAnswer.Of(await GetAsync("jobservice/pools", cancellationToken), 200);

    public void Dispose() => _connection.Dispose();

    private Task<ApiResponse> GetAsync(string path, CancellationToken cancellationToken) => _connection.SendAsync(HttpMethod.Get, path, null, cancellationToken);
}
