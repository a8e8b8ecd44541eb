using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HarborScanExporter.Operations;

/// <summary>
/// The address at which a connection came in. It is marked on the connection by the socket that accepted it, so that no header of a request
/// can tell otherwise.
/// </summary>
internal sealed class Listener
{
    private Listener() { }

    /// <summary>The listener of HARBOR_SCAN_LISTEN.</summary>
    public static Listener Metrics { get; } = new();

    /// <summary>The listener of HARBOR_SCAN_OPERATIONS_LISTEN.</summary>
    public static Listener Operations { get; } = new();

    /// <summary>Listens where the URL says, as Kestrel itself reads one: an address, localhost for both loopbacks, any other name for every address.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="url">An http URL of one address and port.</param>
    public void Bind(KestrelServerOptions kestrel, string url)
    {
        var uri = new Uri(url);
        if (uri.Host == "localhost") kestrel.ListenLocalhost(uri.Port, Mark);
        else if (IPAddress.TryParse(uri.DnsSafeHost, out var address)) kestrel.Listen(address, uri.Port, Mark);
        else kestrel.ListenAnyIP(uri.Port, Mark);
    }

    /// <summary>Whether the request came in here.</summary>
    public bool Took(HttpContext context) => ReferenceEquals(context.Features.Get<Listener>(), this);

    private void Mark(ListenOptions options) => options.Use(next => connection =>
    {
        connection.Features.Set(this);
        return next(connection);
    });
}
