using System.Net;
using System.Net.Sockets;

namespace HarborScanExporter.Benchmarks.Attacks;

/// <summary>Keeps an attack up against a server of this machine: a connection that is closed is opened again.</summary>
internal sealed class Attacker(Attack attack, IPEndPoint target, IPAddress from)
{
    /// <summary>A connection is given up and opened anew after so long, since a client that reads nothing does not see every end.</summary>
    private const int HeldSeconds = 8;

    /// <summary>
    /// It opens its connections over so long, and opens one again so long after it was closed: faster, it would be the attack that takes this
    /// machine's processors, and not the server.
    /// </summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4);

    private long _opened;
    private long _sent;

    /// <summary>Connections so far.</summary>
    public long Opened => Interlocked.Read(ref _opened);

    /// <summary>Bytes that the server's machine took so far.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Attacks until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!IPAddress.IsLoopback(target.Address)) throw new InvalidOperationException($"{target} is not on this machine.");
        await Task.WhenAll(Enumerable.Range(0, attack.Connections).Select(number => KeepAsync(Pause * number / attack.Connections, cancellationToken)));
    }

    private async Task KeepAsync(TimeSpan after, CancellationToken cancellationToken)
    {
        await PauseAsync(after, cancellationToken);
        while (!cancellationToken.IsCancellationRequested)
        {
            using var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096, NoDelay = true, LingerState = new LingerOption(true, 0) };
            try
            {
                socket.Bind(new IPEndPoint(from, 0));
                await socket.ConnectAsync(target, cancellationToken);
                Interlocked.Increment(ref _opened);
                using var held = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                held.CancelAfter(TimeSpan.FromSeconds(HeldSeconds));
                await SendAsync(socket, held.Token);
                while (!socket.Poll(0, SelectMode.SelectError)) await Task.Delay(1_000, held.Token);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // Closed by the server, or held long enough.
                await PauseAsync(Pause, cancellationToken);
            }
        }
    }

    private static async Task PauseAsync(TimeSpan time, CancellationToken cancellationToken) =>
        await Task.Delay(time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task SendAsync(Socket socket, CancellationToken cancellationToken)
    {
        long sent = await socket.SendAsync(attack.First, cancellationToken);
        Interlocked.Add(ref _sent, sent);
        while (sent < attack.Bytes)
        {
            var more = await socket.SendAsync(attack.Then.AsMemory(0, (int)Math.Min(attack.Then.Length, attack.Bytes - sent)), cancellationToken);
            Interlocked.Add(ref _sent, more);
            sent += more;
        }
    }
}
