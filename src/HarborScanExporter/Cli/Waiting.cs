using HarborScanExporter.Text;

namespace HarborScanExporter.Cli;

/// <summary>Shows a person at a terminal that a wait goes on, once it lasts longer than a second; elsewhere it shows nothing.</summary>
internal sealed class Waiting(Terminal terminal, TimeProvider time)
{
    private const string Rub = "\r\u001b[2K";
    private const int BarWidth = 30;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(125);

    /// <summary>Waits for work of unknown length.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; what the work still does is nobody's business then.</exception>
    public async Task<T> ForAsync<T>(Task<T> work, string what, CancellationToken cancellationToken)
    {
        await ShowAsync(work, (frame, passed) => $"{"|/-\\"[frame % 4]} {what}, {Words.Duration(passed.TotalSeconds)}", cancellationToken);
        return await work;
    }

    /// <summary>Waits for a pause of known length.</summary>
    public async Task UntilAsync(Task pause, TimeSpan length, string what, CancellationToken cancellationToken)
    {
        await ShowAsync(pause, (_, passed) =>
        {
            var full = (int)(BarWidth * Math.Min(1, passed / length));
            return $"[{new string('#', full)}{new string('.', BarWidth - full)}] {what}: {Words.Duration(Math.Max(0, Math.Ceiling((length - passed).TotalSeconds)))}";
        }, cancellationToken);
        await pause;
    }

    private async Task ShowAsync(Task work, Func<int, TimeSpan, string> line, CancellationToken cancellationToken)
    {
        if (!terminal.IsErrorSeen)
        {
            await work.WaitAsync(cancellationToken);
            return;
        }
        var begun = time.GetTimestamp();
        var drawn = 0;
        try
        {
            while (await Task.WhenAny(work, Task.Delay(drawn == 0 ? Patience : Frame, time, cancellationToken)) != work)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await terminal.Error.WriteAsync($"{Rub}{line(drawn++, time.GetElapsedTime(begun))}");
                await terminal.Error.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            if (drawn > 0) await terminal.Error.WriteAsync(Rub);
        }
    }
}
