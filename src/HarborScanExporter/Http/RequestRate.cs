namespace HarborScanExporter.Http;

/// <summary>A bucket of requests that fills by and by.</summary>
/// <param name="perMinute">How many come in within a minute, and at once after a quiet one.</param>
/// <param name="time">The clock that measures.</param>
internal sealed class RequestRate(int perMinute, TimeProvider time)
{
    private readonly Lock _lock = new();
    private double _left = perMinute;
    private long _filled = time.GetTimestamp();

    /// <summary>Takes one; false when there is none.</summary>
    /// <param name="refusedFor">Until there is one again.</param>
    public bool TryTake(out TimeSpan refusedFor)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _left = Math.Min(perMinute, _left + (time.GetElapsedTime(_filled, now).TotalMinutes * perMinute));
            _filled = now;
            refusedFor = TimeSpan.Zero;
            if (_left >= 1)
            {
                _left--;
                return true;
            }
            refusedFor = TimeSpan.FromMinutes((1 - _left) / perMinute);
            return false;
        }
    }
}

/// <summary>The buckets of this process: a flood of one kind leaves the others alone.</summary>
internal sealed class RequestRates(TimeProvider time)
{
    /// <summary>Two Alertmanagers send less; a loop of a script more.</summary>
    public const int PerMinute = 60;

    public RequestRate Alerts { get; } = new(PerMinute, time);

    /// <summary>What asks for a plan, for a run that is rolled back, or what was repaired.</summary>
    public RequestRate Looks { get; } = new(PerMinute, time);

    /// <summary>What asks for a repair, or takes one back.</summary>
    public RequestRate Writes { get; } = new(PerMinute, time);
}
