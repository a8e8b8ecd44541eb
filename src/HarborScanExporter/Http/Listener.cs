using HarborScanExporter.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HarborScanExporter.Http;

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

    /// <summary>Listens where the URL says.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="url">An http URL of one address and port, as <see cref="SettingValues.Listen"/> accepts it.</param>
    /// <param name="serve">Bounds and serves the connections that come in here.</param>
    public void Bind(KestrelServerOptions kestrel, string url, Func<ConnectionContext, ConnectionDelegate, Task> serve)
    {
        var where = ListenAddress.Parse(url);
        if (where.IsLocalhost) kestrel.ListenLocalhost(where.Port, Mark);
        else if (where.Address is { } address) kestrel.Listen(address, where.Port, Mark);
        // One socket for IPv6 and IPv4; IPv4 alone where the machine has no IPv6.
        else kestrel.ListenAnyIP(where.Port, Mark);

        void Mark(ListenOptions options)
        {
            // HTTP/2 brings streams, tables and frames that each need bounds of their own, and no client here needs it.
            options.Protocols = HttpProtocols.Http1;
            options.Use(next => connection =>
            {
                connection.Features.Set(this);
                return serve(connection, next);
            });
        }
    }

    /// <summary>Whether the request came in here.</summary>
    public bool Took(HttpContext context) => ReferenceEquals(context.Features.Get<Listener>(), this);
}
