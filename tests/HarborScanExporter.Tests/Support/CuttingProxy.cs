using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace HarborScanExporter.Tests.Support;

/// <summary>Where a connection is cut.</summary>
internal enum Cut
{
    /// <summary>The server never hears the statement.</summary>
    Before,

    /// <summary>The server has done what the statement says, and its answer never arrives.</summary>
    After,
}

/// <summary>
/// A way to PostgreSQL that counts the statements of its clients and cuts all of their connections at one of them, as if the client had been
/// killed there. It reads the protocol only as far as messages' boundaries.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly IPEndPoint _server;
    private readonly Task _accepting;
    private readonly Lock _lock = new();
    private readonly List<TcpClient> _open = [];
    private int _cutAt = int.MaxValue;
    private Cut _cut;

    public CuttingProxy(string host, int port)
    {
        _server = new IPEndPoint(IPAddress.Parse(host), port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Statements since the last call of <see cref="CutAt"/>.</summary>
    public int Statements { get; private set; }

    /// <summary>Whether it has cut.</summary>
    public bool HasCut { get; private set; }

    /// <summary>Counts anew, and cuts at that statement, counted from 1.</summary>
    public void CutAt(int statement, Cut cut)
    {
        lock (_lock) (_cutAt, _cut, Statements, HasCut) = (statement, cut, 0, false);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        CloseAll();
        await _accepting;
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
                if (HasCut) client.Dispose();
                else connections.Add(CarryAsync(client));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using var server = new TcpClient();
        try
        {
            lock (_lock) _open.AddRange([client, server]);
            await server.ConnectAsync(_server, _end.Token);
            (client.NoDelay, server.NoDelay) = (true, true);
            var connection = new Connection(this, client.GetStream(), server.GetStream());
            await Task.WhenAny(connection.ToServerAsync(_end.Token), connection.ToClientAsync(_end.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
        finally
        {
            client.Dispose();
        }
    }

    private void CloseAll()
    {
        lock (_lock)
        {
            HasCut = true;
            foreach (var one in _open) one.Dispose();
            _open.Clear();
        }
    }

    /// <summary>What is to be done with the next statement: pass it, cut before it, or cut after it.</summary>
    private Cut? Next()
    {
        lock (_lock) return ++Statements == _cutAt ? _cut : null;
    }

    private sealed class Connection(CuttingProxy proxy, NetworkStream client, NetworkStream server)
    {
        private volatile bool _muted;

        public async Task ToServerAsync(CancellationToken cancellationToken)
        {
            // The first message has no type.
            var first = await ReadAsync(client, hasType: false, cancellationToken);
            if (first is null) return;
            await server.WriteAsync(first, cancellationToken);
            List<byte[]> statement = [];
            while (await ReadAsync(client, hasType: true, cancellationToken) is { } message)
            {
                statement.Add(message);
                // A simple query, or the Sync that ends an extended one; a password or a termination is passed at once.
                if ((char)message[0] is not ('Q' or 'S' or 'p' or 'X')) continue;
                var cut = (char)message[0] is 'Q' or 'S' ? proxy.Next() : null;
                if (cut == Cut.Before)
                {
                    proxy.CloseAll();
                    return;
                }
                if (cut == Cut.After) _muted = true;
                foreach (var part in statement) await server.WriteAsync(part, cancellationToken);
                statement.Clear();
            }
        }

        public async Task ToClientAsync(CancellationToken cancellationToken)
        {
            while (await ReadAsync(server, hasType: true, cancellationToken) is { } message)
            {
                // ReadyForQuery: the statement has had its effect.
                if (_muted && message[0] == (byte)'Z')
                {
                    proxy.CloseAll();
                    return;
                }
                if (!_muted) await client.WriteAsync(message, cancellationToken);
            }
        }

        private static async Task<byte[]?> ReadAsync(NetworkStream from, bool hasType, CancellationToken cancellationToken)
        {
            var header = new byte[hasType ? 5 : 4];
            try
            {
                await from.ReadExactlyAsync(header, cancellationToken);
            }
            catch (EndOfStreamException)
            {
                return null;
            }
            var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(header.Length - 4));
            var message = new byte[header.Length + length - 4];
            header.CopyTo(message, 0);
            await from.ReadExactlyAsync(message.AsMemory(header.Length), cancellationToken);
            return message;
        }
    }
}
