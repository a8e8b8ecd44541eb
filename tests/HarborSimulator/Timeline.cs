namespace HarborSimulator;

/// <summary>The simulated clock and what will happen on it, in order of time and then of planning.</summary>
internal sealed class Timeline(DateTime start)
{
    private readonly PriorityQueue<Func<CancellationToken, Task>, (DateTime Time, long Order)> _events = new();
    private long _order;

    /// <summary>Simulated UTC, without a kind, as Harbor's columns hold it.</summary>
    public DateTime Now { get; private set; } = start;

    /// <summary>Now in whole microseconds: what Harbor's ORM writes.</summary>
    public DateTime Micro => new(Now.Ticks - Now.Ticks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Unspecified);

    /// <summary>Now cut to the second: what Harbor's raw updates write.</summary>
    public DateTime Second => new(Now.Ticks - Now.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Unspecified);

    /// <summary>Now in unix seconds: what a job's revision holds.</summary>
    public long Unix => UnixOf(Now);

    public static long UnixOf(DateTime time) => (long)Math.Floor((time - DateTime.UnixEpoch).TotalSeconds);

    public static DateTime OfUnix(long seconds) => new(DateTime.UnixEpoch.Ticks + seconds * TimeSpan.TicksPerSecond, DateTimeKind.Unspecified);

    public void At(DateTime time, Func<CancellationToken, Task> happens) => _events.Enqueue(happens, (time < Now ? Now : time, _order++));

    public void In(TimeSpan wait, Func<CancellationToken, Task> happens) => At(Now + wait, happens);

    /// <summary>Lets everything happen that is planned up to a time, that time included.</summary>
    public async Task AdvanceToAsync(DateTime time, CancellationToken cancellationToken)
    {
        while (_events.TryPeek(out _, out var next) && next.Time <= time)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var happens = _events.Dequeue();
            Now = next.Time;
            await happens(cancellationToken);
        }
        if (time > Now) Now = time;
    }
}
