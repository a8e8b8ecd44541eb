using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HarborScanExporter.Tests.Support;

/// <summary>Answers every request on a loopback port with the same bytes and closes the connection; or takes requests and never answers.</summary>
internal sealed class RawHttpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<string> _requests = [];
    private readonly byte[]? _answer;
    private readonly bool _staysOpen;
    private readonly Task _accepting;

    /// <param name="answer">What to answer; null to be silent.</param>
    /// <param name="staysOpen">Whether the end of the answer is never told.</param>
    public RawHttpServer(string? answer, bool staysOpen = false)
    {
        _staysOpen = staysOpen;
        _answer = answer is null ? null : Encoding.UTF8.GetBytes(answer);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    /// <summary>The requests, head and body.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>A whole answer with the length of its body.</summary>
    public static string Answer(string status, string body, string headers = "") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n{headers}\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Stop();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                _requests.Enqueue(await RequestAsync(stream));
                if (_answer is null) await Task.Delay(Timeout.Infinite, _end.Token);
                await stream.WriteAsync(_answer, _end.Token);
                if (!_staysOpen) client.Client.Shutdown(SocketShutdown.Send);
                // Until the other end closes too: closing first could take the answer back.
                await stream.CopyToAsync(Stream.Null, _end.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or SocketException)
            {
                // Whoever asked has gone.
            }
        }
    }

    private async Task<string> RequestAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!IsWhole(text.ToString()) && await stream.ReadAsync(buffer, _end.Token) is > 0 and var count) text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        return text.ToString();
    }

    private static bool IsWhole(string text)
    {
        if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is not (>= 0 and var end)) return false;
        var line = text[..end].Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        return line is null || text.Length >= end + 4 + int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
