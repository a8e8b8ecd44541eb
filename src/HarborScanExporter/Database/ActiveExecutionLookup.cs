using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database;

/// <summary>Reads executions of scans and sweeps by ranges of their primary key.</summary>
internal static class ActiveExecutionLookup
{
    /// <summary>Ids so close are read as one range: a page of the table holds about twenty rows.</summary>
    public const int Gap = 16;

    /// <summary>Finished rows are only looked at for their status.</summary>
    public const int FinishedGap = 48;

    private const string Columns = """
        e.id::bigint as Id, e.vendor_type as Type, e.status as Status, e.trigger as Trigger, date_part('epoch', e.start_time) as Started,
        date_part('epoch', e.update_time) as Updated, date_part('epoch', e.end_time) as Ended,
        case when e.vendor_type = 'SCAN_ALL' then e.extra_attrs::text end as ExtraAttributes
        """;

    private const string Sql = $"""
        select whole.*
        from unnest(@Lows, @Highs) as r (low, high)
        cross join lateral (select {Columns} from execution e where e.id >= r.low and e.id <= r.high and e.vendor_type = any(@Types) offset 0) whole
        union all
        select opened.*
        from unnest(@FinishedLows, @FinishedHighs) as r (low, high)
        cross join lateral (select {Columns}
                            from execution e
                            where e.id >= r.low and e.id <= r.high and e.status = 'Running' and e.vendor_type = any(@Types) offset 0) opened
        """;

    /// <summary>The executions in these ranges.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="whole">Of these ranges every one.</param>
    /// <param name="finished">Of these only those Running.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<IReadOnlyList<ScanExecution>> ReadAsync(Snapshot snapshot, IdRanges whole, IdRanges finished, CancellationToken cancellationToken)
    {
        var parameters = new RangeParameters
        {
            Lows = whole.Lows,
            Highs = whole.Highs,
            FinishedLows = finished.Lows,
            FinishedHighs = finished.Highs,
            Types = [.. ExecutionPass.Types],
            CancellationToken = cancellationToken,
        };
        return [.. (await snapshot.Connection.QueryAsync<ExecutionLookup.ExecutionRow>(Sql, parameters, snapshot.Transaction)).Select(row => row.ToExecution())];
    }

    internal sealed record RangeParameters
    {
        public required long[] Lows { get; init; }

        public required long[] Highs { get; init; }

        public required long[] FinishedLows { get; init; }

        public required long[] FinishedHighs { get; init; }

        public required string[] Types { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
