using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Support;

/// <summary>
/// A clock that only the test moves, and that tells what waits for it: a loop that sleeps until its next turn has done its turn, and does nothing more
/// until the clock is moved.
/// </summary>
internal sealed class WaitedTime : FakeTimeProvider
{
    private readonly Lock _counting = new();
    private readonly Dictionary<TimeSpan, int> _begun = [];
    private readonly List<TimeSpan> _waiting = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        // What is told to wait must be woken by the next move of the clock.
        var timer = base.CreateTimer(callback, state, dueTime, period);
        lock (_counting)
        {
            _begun[dueTime] = _begun.GetValueOrDefault(dueTime) + 1;
            _waiting.Add(dueTime);
        }
        return new Wait(this, dueTime, timer);
    }

    /// <summary>How many waits of exactly this length have begun so far.</summary>
    public int Begun(TimeSpan length)
    {
        lock (_counting) return _begun.GetValueOrDefault(length);
    }

    /// <summary>Returns when so many waits of exactly this length have begun.</summary>
    public Task HasBegunAsync(TimeSpan length, int times) => Eventually.HoldsAsync(
        () => Task.FromResult(Begun(length) >= times), TimeSpan.FromSeconds(60), () => $"{Begun(length)} of {times} waits for {length} have begun.");

    /// <summary>Whether something waits for at least so long now.</summary>
    public bool IsWaitedFor(TimeSpan atLeast)
    {
        lock (_counting) return _waiting.Exists(length => length >= atLeast);
    }

    /// <summary>Returns when something waits for at least so long.</summary>
    public Task IsWaitedForAsync(TimeSpan atLeast) => Eventually.HoldsAsync(
        () => Task.FromResult(IsWaitedFor(atLeast)), TimeSpan.FromSeconds(60), () => $"Nothing waits for {atLeast}.");

    /// <summary>A wait is over when it is disposed, as a delay does at its end.</summary>
    private sealed class Wait(WaitedTime time, TimeSpan length, ITimer timer) : ITimer
    {
        private bool _isOver;

        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose()
        {
            timer.Dispose();
            End();
        }

        public async ValueTask DisposeAsync()
        {
            await timer.DisposeAsync();
            End();
        }

        private void End()
        {
            lock (time._counting)
            {
                if (!_isOver) time._waiting.Remove(length);
                _isOver = true;
            }
        }
    }
}
