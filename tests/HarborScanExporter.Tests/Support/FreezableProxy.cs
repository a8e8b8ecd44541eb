using System.Net;
using System.Net.Sockets;

namespace HarborScanExporter.Tests.Support;

/// <summary>A network path to a server that can be slow, or freeze: connections are still accepted, and nothing passes any more.</summary>
internal sealed class FreezableProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly IPEndPoint _server;
    private readonly Task _accepting;
    private long _answered;
    private int _connections;
    private volatile TaskCompletionSource _flowing = Completed();

    public FreezableProxy(string host, int port)
    {
        _server = new IPEndPoint(IPAddress.Parse(host), port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes that the server has sent and the client was given.</summary>
    public long Answered => Interlocked.Read(ref _answered);

    /// <summary>Connections that were made.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How long whatever passes is held up, in each direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>What happens when somebody connects, before the connection is carried on.</summary>
    public Func<Task>? BeforeConnecting { get; set; }

    public void Freeze() => _flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => _flowing.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        Thaw();
        await _accepting;
        // Stopped earlier, it could be asked for the next connection once more, which it answers with an exception.
        _listener.Stop();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                Interlocked.Increment(ref _connections);
                connections.Add(CarryAsync(client));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                if (BeforeConnecting is { } before) await before();
                await server.ConnectAsync(_server, _end.Token);
                await Task.WhenAny(CopyAsync(client.GetStream(), server.GetStream(), false), CopyAsync(server.GetStream(), client.GetStream(), true));
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or IOException)
            {
                // A broken connection ends here, as a network would let it.
            }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isAnswer)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _end.Token) is > 0 and var count)
            {
                await _flowing.Task.WaitAsync(_end.Token);
                if (Delay > TimeSpan.Zero) await Task.Delay(Delay, _end.Token);
                await to.WriteAsync(buffer.AsMemory(0, count), _end.Token);
                if (isAnswer) Interlocked.Add(ref _answered, count);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // See CarryAsync.
        }
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
