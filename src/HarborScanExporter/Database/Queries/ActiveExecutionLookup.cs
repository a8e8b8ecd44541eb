using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>Reads executions of scans and sweeps by ranges of their primary key.</summary>
internal static class ActiveExecutionLookup
{
    /// <summary>Ids so close are read as one range: a page of the table holds about twenty rows.</summary>
    public const int Gap = 16;

    /// <summary>Finished rows are only looked at for their status.</summary>
    public const int FinishedGap = 48;

    private const string Columns = """
        e.id::bigint as Id, e.vendor_type as Type, e.status as Status, e.trigger as Trigger, date_part('epoch', e.start_time) as Started,
        date_part('epoch', e.update_time) as Updated, date_part('epoch', e.end_time) as Ended
        """;

    private const string Sql = $"""
        select whole.*
        from unnest(@Lows, @Highs) as r (low, high)
        cross join lateral (select {Columns}, case when r.low = r.high then e.ctid::text end as Address
                            from execution e
                            where e.id >= r.low and e.id <= r.high and e.vendor_type = any(@Types) offset 0) whole
        union all
        select opened.*, null
        from unnest(@FinishedLows, @FinishedHighs) as r (low, high)
        cross join lateral (select {Columns}
                            from execution e
                            where e.id >= r.low and e.id <= r.high and e.status = 'Running' and e.vendor_type = any(@Types) offset 0) opened
        union all
        select addressed.*
        from (select {Columns}, e.ctid::text as Address from execution e where e.ctid = any(@Addresses::tid[]) and e.vendor_type = any(@Types) offset 0) addressed
        where addressed.Id = any(@Ids)
        """;

    /// <summary>The executions in these ranges.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="whole">Of these ranges every one.</param>
    /// <param name="finished">Of these only those Running.</param>
    /// <param name="addresses">Where the single ones among the first stood.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static Task<IReadOnlyList<ScanExecution>> ReadAsync(
        Snapshot snapshot, IdRanges whole, IdRanges finished, RowAddresses<long> addresses, CancellationToken cancellationToken) =>
        AddressedRanges.ReadAsync<ScanExecution>(
            addresses, whole, finished, (ranges, over, known, read) => RangesAsync(snapshot, ranges, over, known, read, cancellationToken));

    private static async Task<List<ScanExecution>> RangesAsync(
        Snapshot snapshot, IdRanges whole, IdRanges finished, Dictionary<long, string> known, Dictionary<long, string> read, CancellationToken cancellationToken)
    {
        var parameters = new RangeParameters
        {
            Lows = whole.Lows,
            Highs = whole.Highs,
            FinishedLows = finished.Lows,
            FinishedHighs = finished.Highs,
            Addresses = [.. known.Values],
            Ids = [.. known.Keys],
            Types = [.. ExecutionPass.Types],
            CancellationToken = cancellationToken,
        };
        var rows = (await snapshot.Connection.QueryAsync<ExecutionLookup.ExecutionRow>(Sql, parameters, snapshot.Transaction)).AsList();
        // Of a scan-all alone they say something here.
        var attributes = await ScanAttributes.OfExecutionsAsync(
            snapshot, [.. rows.Where(row => row.Type == ScanType.ScanAll).Select(row => row.Id).Distinct()], cancellationToken);
        List<ScanExecution> executions = [];
        foreach (var row in rows)
        {
            executions.Add(row.ToExecution() with { Summary = ScanAllSummary.Parse(attributes.GetValueOrDefault(row.Id)) });
            if (row.Address is { } address) read[row.Id] = address;
        }
        return executions;
    }

    internal sealed record RangeParameters
    {
        public required long[] Lows { get; init; }

        public required long[] Highs { get; init; }

        public required long[] FinishedLows { get; init; }

        public required long[] FinishedHighs { get; init; }

        public required string[] Addresses { get; init; }

        public required long[] Ids { get; init; }

        public required string[] Types { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
