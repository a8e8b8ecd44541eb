namespace HarborScanExporter.Database.Session;

/// <summary>
/// How long the reads of one collection take, and which of them each collector needs. What several need is read once, when the first asks, and counts for
/// each of them; a read within another counts for itself alone. Reads come one after the other.
/// </summary>
internal sealed class ReadTimes(TimeProvider time)
{
    /// <summary>The read of tasks.</summary>
    public const string Tasks = "tasks";

    /// <summary>The read of executions.</summary>
    public const string Executions = "executions";

    private readonly Dictionary<string, TimeSpan> _took = new(StringComparer.Ordinal);
    private readonly HashSet<string> _needed = new(StringComparer.Ordinal);
    private string? _asking;
    private string? _current;
    private long _since;

    /// <summary>Runs what asks for reads.</summary>
    /// <param name="asking">Its name, which is that of no read.</param>
    /// <param name="run">Asks, and does work of its own.</param>
    /// <returns>How many seconds that work and all the reads it needed took.</returns>
    public async Task<double> AskAsync(string asking, Func<Task> run)
    {
        _asking = asking;
        _needed.Clear();
        _needed.Add(asking);
        await MeasureAsync(asking, async () =>
        {
            await run();
            return 0;
        });
        return _needed.Sum(read => _took.GetValueOrDefault(read).TotalSeconds);
    }

    /// <summary>Says that what runs needs these reads; within another read it says nothing.</summary>
    public void Need(params ReadOnlySpan<string> reads)
    {
        if (_asking is null || _current != _asking) return;
        foreach (var read in reads) _needed.Add(read);
    }

    /// <summary>Measures a read.</summary>
    public async Task<T> MeasureAsync<T>(string read, Func<Task<T>> run)
    {
        var outer = Switch(read);
        try
        {
            return await run();
        }
        finally
        {
            Switch(outer);
        }
    }

    private string? Switch(string? to)
    {
        var now = time.GetTimestamp();
        if (_current is not null) _took[_current] = _took.GetValueOrDefault(_current) + time.GetElapsedTime(_since, now);
        (var from, _current, _since) = (_current, to, now);
        return from;
    }
}
