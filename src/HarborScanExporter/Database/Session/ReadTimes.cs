namespace HarborScanExporter.Database.Session;

/// <summary>How long the reads of one table take together, where several statements read it. They come one after the other.</summary>
internal sealed class ReadTimes(TimeProvider time)
{
    /// <summary>The reads of tasks.</summary>
    public const string Tasks = "tasks";

    /// <summary>The reads of executions.</summary>
    public const string Executions = "executions";

    private readonly Dictionary<string, TimeSpan> _took = new(StringComparer.Ordinal);

    /// <summary>How long the reads of that name took by now.</summary>
    public TimeSpan Of(string read) => _took.GetValueOrDefault(read);

    /// <summary>Measures a read, also one that fails.</summary>
    public async Task<T> MeasureAsync<T>(string read, Func<Task<T>> run)
    {
        var begun = time.GetTimestamp();
        try
        {
            return await run();
        }
        finally
        {
            _took[read] = Of(read) + time.GetElapsedTime(begun);
        }
    }
}
