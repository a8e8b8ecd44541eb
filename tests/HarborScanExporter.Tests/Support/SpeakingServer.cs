using System.Net;
using System.Net.Sockets;

namespace HarborScanExporter.Tests.Support;

/// <summary>A server that says the same to everybody as soon as it has heard something, and then closes the connection.</summary>
internal sealed class SpeakingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly byte[] _words;
    private readonly Task _serving;

    private SpeakingServer(byte[] words)
    {
        _words = words;
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Says these bytes.</summary>
    public static SpeakingServer Saying(string words) => new(System.Text.Encoding.UTF8.GetBytes(words));

    /// <summary>Refuses every session as PostgreSQL does.</summary>
    public static SpeakingServer RefusingAsPostgres(string state, string message)
    {
        var fields = System.Text.Encoding.UTF8.GetBytes($"SFATAL\0VFATAL\0C{state}\0M{message}\0\0");
        var length = BitConverter.GetBytes(IPAddress.HostToNetworkOrder(fields.Length + 4));
        return new SpeakingServer([(byte)'E', .. length, .. fields]);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _serving;
        _listener.Stop();
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        List<Task> answers = [];
        try
        {
            while (true) answers.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(answers);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                if (await stream.ReadAsync(new byte[1024], _end.Token) > 0) await stream.WriteAsync(_words, _end.Token);
                // Whoever is still writing would otherwise hear of a reset before the words.
                client.Client.Shutdown(SocketShutdown.Send);
                while (await stream.ReadAsync(new byte[1024], _end.Token) > 0)
                {
                }
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
            {
                // Whoever asked went away.
            }
        }
    }
}
