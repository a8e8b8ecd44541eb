using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>What operators have switched in Harbor: paused queues and read-only mode. Null where this Harbor or its grants cannot say.</summary>
/// <param name="Paused">The job types whose queue is paused, each with the time of its pause in seconds since 1970; null when unknown.</param>
/// <param name="ReadOnly">Whether Harbor is read-only; null when unknown.</param>
internal sealed record OperatorState(IReadOnlyDictionary<string, double?>? Paused, bool? ReadOnly)
{
    /// <summary>The job types whose queue is paused; null when unknown.</summary>
    public IReadOnlySet<string>? PausedQueues => Paused?.Keys.ToHashSet(StringComparer.Ordinal);

    private const string PausedSql = """
        select job_type as Type, date_part('epoch', update_time) as Since
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
        Dictionary<string, double?>? paused = null;
        bool? readOnly = null;
        if (facts.CanReadQueueStatus)
        {
            paused = (await snapshot.Connection.QueryAsync<PausedRow>(
                PausedSql, new PausedParameters { Paused = true, CancellationToken = cancellationToken }, snapshot.Transaction))
                .ToDictionary(row => row.Type, row => Epoch.Usable(row.Since), StringComparer.Ordinal);
        }
        if (facts.CanReadMode)
        {
            readOnly = await snapshot.Connection.QueryFirstOrDefaultAsync<bool>(
                ReadOnlySql, new ReadOnlyParameters { Either = true, CancellationToken = cancellationToken }, snapshot.Transaction);
        }
        return new OperatorState(paused, readOnly);
    }

    internal sealed record PausedRow
    {
        public string Type { get; init; } = "";

        public double? Since { get; init; }
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
