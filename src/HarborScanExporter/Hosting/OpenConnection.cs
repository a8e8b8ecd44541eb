using Microsoft.AspNetCore.Connections;

namespace HarborScanExporter.Hosting;

/// <summary>What a connection waits for.</summary>
internal enum ConnectionState
{
    /// <summary>That its client sends a whole request, the first or the next.</summary>
    Asking,

    /// <summary>That this process begins its answer.</summary>
    Answering,

    /// <summary>That its client reads the answer.</summary>
    Reading,
}

/// <summary>One connection, and what it waits for.</summary>
internal sealed class OpenConnection
{
    private readonly ConnectionContext _connection;
    private readonly OpenConnections _all;
    private readonly TimeProvider _time;
    private volatile ConnectionState _state;
    private long _since;

    public OpenConnection(ConnectionContext connection, OpenConnections all, ConnectionOrigin origin, TimeProvider time)
    {
        (_connection, _all, Origin, _time, _since) = (connection, all, origin, time, time.GetTimestamp());
        origin.Add(ConnectionState.Asking, 1);
    }

    public ConnectionOrigin Origin { get; }

    public ConnectionState State => _state;

    /// <summary>How many from the same origin wait for the same.</summary>
    public int Alike => Origin.Count(_state);

    /// <summary>Since when it waits for that, as a timestamp of the clock.</summary>
    public long Since => Interlocked.Read(ref _since);

    /// <summary>Whether it gives way to another.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Follows what a connection waits for through one request.</summary>
    public static Task FollowAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<OpenConnection>() is { } its) its.Begin(context);
        return next(context);
    }

    /// <summary>Ends it, whatever is under way.</summary>
    public void Abort() => _connection.Abort(new ConnectionAbortedException("Its place was needed."));

    /// <summary>It is no longer counted.</summary>
    public void Left() => Origin.Add(_state, -1);

    private void Begin(HttpContext context)
    {
        Become(ConnectionState.Answering);
        // Who keeps the connection while places are few keeps others out.
        if (_all.PlacesAreFew) context.Response.Headers.Connection = "close";
        context.Response.OnStarting(static its => ((OpenConnection)its).BecomeAsync(ConnectionState.Reading), this);
        context.Response.OnCompleted(static its => ((OpenConnection)its).BecomeAsync(ConnectionState.Asking), this);
    }

    private Task BecomeAsync(ConnectionState state)
    {
        Become(state);
        return Task.CompletedTask;
    }

    private void Become(ConnectionState state)
    {
        Origin.Add(_state, -1);
        Origin.Add(state, 1);
        _state = state;
        Interlocked.Exchange(ref _since, _time.GetTimestamp());
    }
}
