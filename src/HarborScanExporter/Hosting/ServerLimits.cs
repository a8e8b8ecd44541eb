using System.Globalization;
using System.Runtime.CompilerServices;
using HarborScanExporter.Http;
using HarborScanExporter.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace HarborScanExporter.Hosting;

/// <summary>
/// What a client without a token may make this process hold and wait for. With every place of both listeners taken and every buffer full, all
/// of it together stays well below the memory limit of the shipped manifests.
/// </summary>
internal static class ServerLimits
{
    /// <summary>Bytes of requests that are read ahead on one connection; the request's head must fit.</summary>
    private const int ReadAhead = 16 * 1024;

    /// <summary>What the kernel holds of one connection in each direction beside that; left alone it would be megabytes.</summary>
    private const int SocketBuffer = 64 * 1024;

    /// <summary>Connections that wait to be accepted: more than a burst brings while the process looks elsewhere, as the kernel drops what is beyond.</summary>
    private const int Backlog = 4096;

    /// <summary>Files that the process needs for itself: its database, Redis, logs and secrets; without the native binary each assembly too.</summary>
    public static int OwnFiles => RuntimeFeature.IsDynamicCodeSupported ? 192 : 48;

    /// <summary>The places of each listener, fewer where the process may open few files: as many again may be open on their way out.</summary>
    public static (int Metrics, int Operations) Connections(long mostFiles, int ownFiles)
    {
        var spare = Math.Clamp(mostFiles - ownFiles, 16, 1 << 20);
        return ((int)Math.Min(1024, spare * 3 / 8), (int)Math.Min(256, spare / 8));
    }

    /// <summary>How many files this process may open; without bound where the system does not tell.</summary>
    public static long MostFiles()
    {
        try
        {
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal));
            return long.TryParse(line?[14..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], NumberStyles.None, CultureInfo.InvariantCulture, out var most)
                ? most
                : long.MaxValue;
        }
        catch (IOException)
        {
            return long.MaxValue;
        }
    }

    /// <summary>Sets what the server bounds for every connection.</summary>
    public static void Set(KestrelServerLimits limits)
    {
        limits.MaxRequestLineSize = 8 * 1024;
        limits.MaxRequestHeadersTotalSize = 16 * 1024;
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestBufferSize = ReadAhead;
        limits.MaxResponseBufferSize = MetricsEndpoint.WrittenAhead;
        limits.MaxRequestBodySize = OperationsRoute.LeastBodyBytes;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        // Longer than Prometheus waits between two scrapes: what is idle gives way as soon as there are too many.
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 1024, gracePeriod: TimeSpan.FromSeconds(5));
        // Slower than this, a whole document would take longer than any scraper waits.
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 4096, gracePeriod: TimeSpan.FromSeconds(5));
    }

    /// <summary>Sets what the sockets hold; the server's own bounds of buffers do not reach them.</summary>
    public static void Set(SocketTransportOptions sockets)
    {
        sockets.Backlog = Backlog;
        sockets.MaxReadBufferSize = ReadAhead;
        sockets.MaxWriteBufferSize = MetricsEndpoint.WrittenAhead;
        sockets.CreateBoundListenSocket = endpoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            // Accepted connections have those of the socket that accepted them.
            (socket.ReceiveBufferSize, socket.SendBufferSize) = (SocketBuffer, SocketBuffer);
            return socket;
        };
    }
}
