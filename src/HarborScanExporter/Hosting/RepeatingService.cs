namespace HarborScanExporter.Hosting;

/// <summary>
/// The one loop for work in the background: round after round until the exporter stops. A round says itself what it knows to go wrong and waits for
/// its next turn; what it does not know is said once, waited out and tried again, so that no part of the exporter ends before the exporter does.
/// </summary>
/// <param name="part">What works here, as a log names it.</param>
/// <param name="round">One round with the wait for its turn.</param>
/// <param name="time">Measures the pauses.</param>
/// <param name="logger">Takes what went wrong.</param>
/// <param name="end">Is done when the exporter stops; null when nothing is.</param>
internal sealed partial class RepeatingService(
    string part, Func<CancellationToken, Task> round, TimeProvider time, ILogger<RepeatingService> logger, Action? end = null) : BackgroundService
{
    /// <summary>After the first failure; each further one in a row doubles it.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>What works here, as a log names it.</summary>
    public string Part => part;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RepeatAsync(stoppingToken);
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // Whatever a round threw, it was told to stop.
        }
        finally
        {
            end?.Invoke();
        }
    }

    private async Task RepeatAsync(CancellationToken stoppingToken)
    {
        var (pause, told) = (ShortestPause, "");
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await round(stoppingToken);
                if (told.Length > 0) LogRecovered(part);
                (pause, told) = (ShortestPause, "");
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                var fault = $"{error.GetType().FullName}: {error.Message}";
                if (told != fault) LogBroken(error, part);
                told = fault;
                await Task.Delay(pause, time, stoppingToken);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    [LoggerMessage(60, LogLevel.Error, "{Part} failed for a reason that is not known. It is tried again, at least every minute; the same failure is said once.")]
    private partial void LogBroken(Exception error, string part);

    [LoggerMessage(61, LogLevel.Information, "{Part} works again.")]
    private partial void LogRecovered(string part);
}
