using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HarborScanExporter.Benchmarks.Attacks;

/// <summary>What became of the requests of one kind.</summary>
internal sealed record Asked(int Answered, int Failed, TimeSpan Longest, string? FirstFailure);

/// <summary>
/// Asks a path again and again as an orchestrator or Prometheus does: on a new connection each time, reading the answer at once. It has a
/// thread of its own, so that an attack from this process takes nothing from it but the processor.
/// </summary>
/// <param name="target">The server.</param>
/// <param name="path">What is asked.</param>
/// <param name="expected">What a good answer has in it.</param>
/// <param name="interval">Time between two requests.</param>
internal sealed class HonestClient(IPEndPoint target, string path, string expected, TimeSpan interval)
{
    private const int TimeoutMilliseconds = 15_000;

    /// <summary>Asks until it is cancelled.</summary>
    public Task<Asked> AskAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<Asked>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            var asked = new Asked(0, 0, TimeSpan.Zero, null);
            while (!cancellationToken.IsCancellationRequested)
            {
                var begun = Stopwatch.GetTimestamp();
                var failure = Ask();
                var took = Stopwatch.GetElapsedTime(begun);
                asked = new Asked(asked.Answered + (failure is null ? 1 : 0), asked.Failed + (failure is null ? 0 : 1), took > asked.Longest ? took : asked.Longest, asked.FirstFailure ?? failure);
                cancellationToken.WaitHandle.WaitOne(interval);
            }
            done.SetResult(asked);
        }) { IsBackground = true, Name = $"honest {path}" }.Start();
        return done.Task;
    }

    /// <summary>Why the answer is no good one; null when it is.</summary>
    private string? Ask()
    {
        try
        {
            using var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = TimeoutMilliseconds, SendTimeout = TimeoutMilliseconds };
            socket.Connect(target);
            socket.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: exporter\r\nConnection: close\r\n\r\n"));
            using var answer = new MemoryStream();
            var buffer = new byte[64 * 1024];
            for (int read; (read = socket.Receive(buffer)) > 0;) answer.Write(buffer, 0, read);
            var text = Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length);
            if (text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) && text.Contains(expected, StringComparison.Ordinal)) return null;
            return text.Length == 0 ? "no answer" : text[..Math.Min(text.Length, 200)];
        }
        catch (SocketException error)
        {
            return error.Message;
        }
    }
}
