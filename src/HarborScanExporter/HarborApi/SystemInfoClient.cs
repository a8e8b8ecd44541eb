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

    private readonly ApiSettings _settings;
    private readonly ApiConnection _connection;

    public SystemInfoClient(ApiSettings settings, TimeProvider time)
    {
        _settings = settings;
        _connection = new ApiConnection(settings, Limit, time);
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Is told of each question whose failure fails nothing: why, or null when it was answered.</summary>
    public Action<ApiUnusableException?>? Told { get; init; }

    /// <summary>Whether Harbor is read-only; null when it does not answer, which fails no collection.</summary>
    public async Task<bool?> ReadOnlyAsync(CancellationToken cancellationToken) => (await AskAsync(cancellationToken))?.ReadOnly;

    /// <summary>What Harbor tells of itself; null when it does not answer.</summary>
    public async Task<SystemInfo?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            var info = await ReadAsync(cancellationToken);
            Told?.Invoke(null);
            return info;
        }
        catch (ApiUnusableException error)
        {
            Told?.Invoke(error);
            return null;
        }
    }

    /// <summary>GET /systeminfo.</summary>
    /// <exception cref="ApiUnusableException">No connection, another status than 200, or no whole answer.</exception>
    public async Task<SystemInfo> ReadAsync(CancellationToken cancellationToken)
    {
        var response = await GetAsync("systeminfo", cancellationToken);
        if (response is not { Status: 200, Body: { } body }) throw new ApiUnusableException(ApiTrouble.Of(response, Address, _settings.Username));
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return new SystemInfo(null, null);
            return new SystemInfo(
                root.TryGetProperty("harbor_version", out var version) && version.ValueKind == JsonValueKind.String ? version.GetString() : null,
                root.TryGetProperty("read_only", out var readOnly) && readOnly.ValueKind is JsonValueKind.True or JsonValueKind.False ? readOnly.GetBoolean() : null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // No JSON, or a text in it that is no Unicode.
            throw new ApiUnusableException(ApiTrouble.Of(response, Address, _settings.Username), error);
        }
    }

    /// <summary>Asks for the job service's pools, which the user must see for the repair by Harbor's own API (Harbor 2.7 and later).</summary>
    /// <exception cref="ApiUnusableException">No connection.</exception>
    public Task<ApiResponse> AskPoolsAsync(CancellationToken cancellationToken) => GetAsync("jobservice/pools", cancellationToken);

    /// <summary>Why an answer is no success.</summary>
    public ApiTrouble TroubleOf(ApiResponse response) => ApiTrouble.Of(response, Address, _settings.Username);

    public void Dispose() => _connection.Dispose();

    private async Task<ApiResponse> GetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await _connection.SendAsync(HttpMethod.Get, path, null, cancellationToken);
        }
        catch (Exception error) when (error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ApiUnusableException(ApiTrouble.Of(error, Address), error);
        }
    }
}
