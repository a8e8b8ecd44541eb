namespace HarborScanExporter.Database.Queries;

/// <summary>Which rows that are over a read of a whole table names one by one.</summary>
/// <param name="Changed">Those changed after this; seconds since 1970.</param>
/// <param name="AboveTask">And tasks above this id.</param>
/// <param name="AboveExecution">And executions above this id.</param>
internal sealed record FinishedSince(double Changed, long AboveTask, long AboveExecution)
{
    /// <summary>None: nothing is remembered of this read.</summary>
    public static FinishedSince Never { get; } = new(double.PositiveInfinity, long.MaxValue, long.MaxValue);
}
