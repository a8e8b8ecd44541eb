namespace HarborScanExporter.HarborApi;

/// <summary>Lets requests pass one after the other, an interval apart, in the order in which they ask.</summary>
/// <param name="interval">The least time between two.</param>
/// <param name="time">Measures it.</param>
internal sealed class RequestPace(TimeSpan interval, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _step = (long)(interval.TotalSeconds * time.TimestampFrequency);
    private long _free;

    /// <summary>Waits for this request's turn; a turn that was given up is not given to another.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var turn = Math.Max(now, _free);
            _free = turn + _step;
            wait = time.GetElapsedTime(now, turn);
        }
        return wait == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(wait, time, cancellationToken);
    }
}
