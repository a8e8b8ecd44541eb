using System.Threading.Channels;

namespace HarborScanExporter.Remediation.Triggers;

/// <summary>What became of a wake.</summary>
internal enum WakeOutcome
{
    /// <summary>A look at Harbor follows.</summary>
    Accepted,

    /// <summary>One that was to follow anyway serves it too.</summary>
    Merged,

    /// <summary>Nothing follows: the exporter ends.</summary>
    Closed,
}

/// <summary>Between the alerts and the loop: at most one look waits to be taken, however many alerts ask for it.</summary>
internal sealed class Wakes
{
    private readonly Channel<bool> _pending = Channel.CreateBounded<bool>(1);
    private readonly Lock _lock = new();
    private SortedSet<string> _alerts = new(StringComparer.Ordinal);

    /// <summary>Asks for a look.</summary>
    /// <param name="alerts">Names of alerts that are on the list.</param>
    public WakeOutcome Add(IEnumerable<string> alerts)
    {
        lock (_lock)
        {
            _alerts.UnionWith(alerts);
            if (_pending.Writer.TryWrite(true)) return WakeOutcome.Accepted;
            return _pending.Reader.Completion.IsCompleted ? WakeOutcome.Closed : WakeOutcome.Merged;
        }
    }

    /// <summary>Waits for a wake and takes it.</summary>
    /// <returns>The alerts that asked.</returns>
    public async Task<IReadOnlySet<string>> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _pending.Reader.ReadAsync(cancellationToken);
            lock (_lock)
            {
                // One that came between the two lines before was taken with the one before it.
                if (_alerts.Count == 0) continue;
                var alerts = _alerts;
                _alerts = new SortedSet<string>(StringComparer.Ordinal);
                return alerts;
            }
        }
    }

    /// <summary>Nobody takes wakes any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _pending.Writer.TryComplete();
            _pending.Reader.TryRead(out _);
        }
    }
}
