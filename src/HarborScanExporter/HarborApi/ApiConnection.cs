using System.Net.Http.Headers;
using System.Text;
using HarborScanExporter.Settings;

namespace HarborScanExporter.HarborApi;

/// <summary>A response of whatever answers at the address of Harbor's API.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body; null when it broke off or is longer than <see cref="ApiConnection.MostBytes"/>.</param>
/// <param name="Message">Its words when it refused: Harbor's own, or what a page of somebody else says.</param>
/// <param name="Location">Where a redirect leads; it is not followed.</param>
internal sealed record ApiResponse(int Status, byte[]? Body, string? Message, string? Location = null);

/// <summary>
/// HTTP to Harbor's API (harbor-facts 9) as one user: bounded in time and size, and the password goes nowhere else. Authorities are those of
/// the system and of SSL_CERT_FILE.
/// </summary>
internal sealed class ApiConnection : IDisposable
{
    /// <summary>A longer body is not read.</summary>
    public const int MostBytes = 64 * 1024;

    private readonly ApiSettings _settings;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <param name="settings">Address and user.</param>
    /// <param name="limit">The time for one request and its answer.</param>
    /// <param name="time">Measures it.</param>
    public ApiConnection(ApiSettings settings, TimeSpan limit, TimeProvider time)
    {
        _settings = settings;
        _limit = limit;
        _time = time;
        _client = new HttpClient(new SocketsHttpHandler
        {
            // A proxy or a redirect could carry the password elsewhere.
            UseProxy = false,
            AllowAutoRedirect = false,
            // Harbor asks a session for a token against forged requests; without a cookie there is no session.
            UseCookies = false,
            // A connection that was kept may be closed at the other end just as a request leaves, and nobody could tell whether it was taken.
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectTimeout = limit / 2,
        })
        {
            BaseAddress = new Uri(settings.Address, "api/v2.0/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri Address => _settings.Address;

    /// <summary>Sends one request, once.</summary>
    /// <param name="method">GET, PUT, POST or DELETE.</param>
    /// <param name="path">The path below /api/v2.0/, encoded.</param>
    /// <param name="json">The body; null for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="HttpRequestException">No connection (its <see cref="HttpRequestException.HttpRequestError"/> says so), or it broke before a status came.</exception>
    /// <exception cref="OperationCanceledException">No status in time, or the caller gave up.</exception>
    /// <exception cref="UnusableSecretException">The password's file could never be used.</exception>
    public async Task<ApiResponse> SendAsync(HttpMethod method, string path, string? json, CancellationToken cancellationToken)
    {
        var password = _settings.PasswordFile is { } file ? await file.ReadAsync(cancellationToken) : _settings.Password ?? "";
        var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_settings.Username}:{password}"));
        using var limit = new CancellationTokenSource(_limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", credentials);
        // A request that has a content, an empty one too, is never sent a second time by the HTTP client itself.
        if (method != HttpMethod.Get) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json ?? ""));
        if (json is not null) request.Content!.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await RespondAsync(request, either.Token);
        var body = await ReadAsync(response, either.Token, cancellationToken);
        var status = (int)response.StatusCode;
        // Of what Harbor's API says in JSON only a refusal is a message.
        var message = body is null || (status < 400 && ApiMessage.IsJson(body)) ? null : ApiMessage.Of(body, credentials, password) ?? ApiMessage.PageOf(body, credentials, password);
        return new ApiResponse(status, body, message, response.Headers.Location is { } location ? ApiMessage.Bounded(location.OriginalString, credentials, password) : null);
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> RespondAsync(HttpRequestMessage request, CancellationToken token)
    {
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        }
        catch (OperationCanceledException error) when (!token.IsCancellationRequested)
        {
            // Only the time to connect is measured below this method.
            throw new HttpRequestException(HttpRequestError.ConnectionError, "no connection in time", error);
        }
    }

    /// <summary>What follows the status decides nothing, so that its loss is not the loss of the answer.</summary>
    private static async Task<byte[]?> ReadAsync(HttpResponseMessage response, CancellationToken token, CancellationToken caller)
    {
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(token);
            var bytes = new byte[MostBytes + 1];
            var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, token);
            return length > MostBytes ? null : bytes[..length];
        }
        catch (Exception error) when (error is HttpRequestException or IOException || (error is OperationCanceledException && !caller.IsCancellationRequested))
        {
            return null;
        }
    }
}
