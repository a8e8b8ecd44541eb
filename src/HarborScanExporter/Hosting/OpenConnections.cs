using System.Net;
using Microsoft.AspNetCore.Connections;

namespace HarborScanExporter.Hosting;

/// <summary>
/// The connections of one listener, of which there are never more than a number of places. When all are taken, a new connection is let in and
/// another gives way, so that nobody locks others out by holding connections: one of the largest group that comes from one address and waits
/// for the same, and of that group the one that has waited longest. Whoever holds many is so the first to lose one. Behind a proxy everybody
/// has one address; there, who asks at once and reads at once is never long among those that are only held.
/// </summary>
/// <param name="most">How many places there are.</param>
/// <param name="listen">The address listened on, for the log.</param>
/// <param name="time">The clock that measures.</param>
/// <param name="logger">Where a lack of places is told.</param>
internal sealed partial class OpenConnections(int most, string listen, TimeProvider time, ILogger logger)
{
    /// <summary>A lack that goes on is told again after so long, so that nobody can fill a disk.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(10);

    /// <summary>Up to so many from one address are a handful of people behind a proxy, and no crowd.</summary>
    private const int Few = 16;

    private readonly Lock _lock = new();
    private readonly HashSet<OpenConnection> _open = [];
    private readonly Dictionary<IPAddress, ConnectionOrigin> _origins = [];
    private int _leaving;
    private long? _told;

    /// <summary>Whether more than a quarter of the places are taken.</summary>
    public bool PlacesAreFew => _open.Count > most / 4;

    /// <summary>How many are open, those too that were told to go and are not gone yet.</summary>
    public int Count
    {
        get { lock (_lock) return _open.Count; }
    }

    /// <summary>Serves a connection until its last byte is sent or it is ended.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (Enter(connection) is not { } its)
        {
            connection.Abort();
            return;
        }
        connection.Features.Set(its);
        try
        {
            await next(connection);
            // What is still to be sent is waited for here: until then the connection holds its place.
            await connection.DisposeAsync();
        }
        finally
        {
            Leave(its);
        }
    }

    /// <summary>Gives a place, taking one where none is free; null while as many again are still on their way out.</summary>
    private OpenConnection? Enter(ConnectionContext connection)
    {
        var address = ConnectionOrigin.Of(connection.RemoteEndPoint);
        OpenConnection? yielding = null;
        OpenConnection its;
        lock (_lock)
        {
            if (_open.Count >= 2 * most) return null;
            if (_open.Count - _leaving >= most && (yielding = Yielding()) is not null)
            {
                yielding.IsLeaving = true;
                _leaving++;
            }
            if (!_origins.TryGetValue(address, out var origin)) _origins[address] = origin = new ConnectionOrigin(address);
            origin.Connections++;
            its = new OpenConnection(connection, this, origin, time);
            _open.Add(its);
        }
        if (yielding is not null)
        {
            Tell();
            yielding.Abort();
        }
        return its;
    }

    private OpenConnection? Yielding()
    {
        OpenConnection? first = null;
        foreach (var one in _open)
        {
            if (!one.IsLeaving && (first is null || GoesBefore(one, first))) first = one;
        }
        return first;
    }

    private static bool GoesBefore(OpenConnection one, OpenConnection other)
    {
        var (ofOne, ofOther) = (Math.Max(one.Alike, Few), Math.Max(other.Alike, Few));
        return ofOne == ofOther ? one.Since < other.Since : ofOne > ofOther;
    }

    private void Leave(OpenConnection its)
    {
        lock (_lock)
        {
            _open.Remove(its);
            its.Left();
            if (its.IsLeaving) _leaving--;
            if (--its.Origin.Connections == 0) _origins.Remove(its.Origin.Address);
        }
    }

    private void Tell()
    {
        lock (_lock)
        {
            if (_told is { } before && time.GetElapsedTime(before) < Quiet) return;
            _told = time.GetTimestamp();
        }
        LogFull(logger, most, listen);
    }

    [LoggerMessage(14, LogLevel.Warning,
        "All {Most} connections of {Listen} are taken: those that wait longest for their clients are closed to let others in. Look for who opens so many.")]
    private static partial void LogFull(ILogger logger, int most, string listen);
}
