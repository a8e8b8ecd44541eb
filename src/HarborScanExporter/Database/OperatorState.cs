using Dapper;

namespace HarborScanExporter.Database;

/// <summary>What operators have switched in Harbor: paused queues and read-only mode. Null where this Harbor or its grants cannot say.</summary>
/// <param name="PausedQueues">The job types whose queue is paused; null when unknown.</param>
/// <param name="ReadOnly">Whether Harbor is read-only; null when unknown.</param>
internal sealed record OperatorState(IReadOnlySet<string>? PausedQueues, bool? ReadOnly)
{
    private const string PausedSql = """
        select job_type
        from job_queue_status
        where paused = @Paused
        order by job_type
        """;

    private const string ReadOnlySql = """
        select bool_or(read_only)
        from harbor_scan.read_only
        where read_only or @Either
        """;

    /// <summary>Reads both, as far as they can be read.</summary>
    public static async Task<OperatorState> ReadAsync(Snapshot snapshot, DatabaseFacts facts, CancellationToken cancellationToken)
    {
        IReadOnlySet<string>? paused = null;
        bool? readOnly = null;
        if (facts.CanReadQueueStatus)
        {
            paused = (await snapshot.Connection.QueryAsync<string>(
                PausedSql, new PausedParameters { Paused = true, CancellationToken = cancellationToken }, snapshot.Transaction)).ToHashSet(StringComparer.Ordinal);
        }
        if (facts.CanReadMode)
        {
            readOnly = await snapshot.Connection.QueryFirstOrDefaultAsync<bool>(
                ReadOnlySql, new ReadOnlyParameters { Either = true, CancellationToken = cancellationToken }, snapshot.Transaction);
        }
        return new OperatorState(paused, readOnly);
    }

    internal sealed record PausedParameters
    {
        public required bool Paused { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record ReadOnlyParameters
    {
        public required bool Either { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
