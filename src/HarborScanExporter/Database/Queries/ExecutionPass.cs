using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>The executions of one type and status.</summary>
internal sealed record ExecutionGroup(string Type, string? Status, long Executions);

/// <summary>What the table <c>execution</c> says: counted groups, and the executions of interest one by one.</summary>
internal sealed class ExecutionPass
{
    /// <summary>The vendor types that are read.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. ScanType.All, JobType.Sweep];

    // Harbor has no index on the status: this reads the whole table, once.
    private const string Sql = $"""
        select vendor_type as Type,
               status as Status,
               count(*) as Executions,
               array_agg(concat_ws({PackedRow.Separator}, id,
                                   coalesce(date_part('epoch', start_time)::text, ''),
                                   coalesce(date_part('epoch', update_time)::text, ''),
                                   coalesce(date_part('epoch', end_time)::text, ''),
                                   trigger))
                   filter (where status = 'Running' or vendor_type in ('SCAN_ALL', 'EXECUTION_SWEEP')) as Details,
               array_agg(id::bigint) filter (where (coalesce(update_time, start_time) > to_timestamp(@RecentFrom) at time zone 'utc' or id > @TailFrom)
                                               and status is distinct from 'Running') as Recent
        from execution
        where vendor_type = any(@Types)
        group by 1, 2
        """;

    public required IReadOnlyList<ExecutionGroup> Groups { get; init; }

    /// <summary>The executions that were read one by one: those Running, scan-alls and sweeps at least.</summary>
    public required IReadOnlyDictionary<long, ScanExecution> Detailed { get; init; }

    /// <summary>Executions that are over and changed lately; only of a read of the whole table.</summary>
    public IReadOnlyList<FinishedRow> Finished { get; init; } = [];

    /// <summary>The scan-all that started last, of any trigger.</summary>
    public ScanExecution? NewestScanAll => Newest(execution => execution.Type == ScanType.ScanAll);

    /// <summary>The scan-all that Harbor looks at before it lets a person start another.</summary>
    public ScanExecution? NewestManualScanAll => Newest(execution => execution is { Type: ScanType.ScanAll, Trigger: "MANUAL" });

    /// <summary>The sweep that started last.</summary>
    public ScanExecution? NewestSweep => Newest(execution => execution.Type == JobType.Sweep);

    /// <summary>The sweep that ended well last.</summary>
    public ScanExecution? NewestSuccessfulSweep => Detailed.Values
        .Where(execution => execution is { Type: JobType.Sweep, Status: ScanStatus.Success })
        .MaxBy(execution => (execution.Ended ?? execution.Updated ?? double.MinValue, execution.Id));

    /// <summary>Reads the whole table once.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="finished">Which finished executions to name one by one.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<ExecutionPass> ReadAsync(Snapshot snapshot, FinishedSince finished, CancellationToken cancellationToken)
    {
        var parameters = new Parameters { Types = [.. Types], RecentFrom = finished.Changed, TailFrom = finished.AboveExecution, CancellationToken = cancellationToken };
        var groups = (await snapshot.Connection.QueryAsync<GroupRow>(Sql, parameters, snapshot.Transaction)).AsList();
        var detailed = groups.SelectMany(Details).ToDictionary(execution => execution.Id);
        long[] scanAlls = [.. detailed.Values.Where(execution => execution.Type == ScanType.ScanAll).Select(execution => execution.Id)];
        foreach (var (id, attributes) in await ScanAttributes.OfExecutionsAsync(snapshot, scanAlls, cancellationToken))
            detailed[id] = detailed[id] with { Summary = ScanAllSummary.Parse(attributes) };
        return new ExecutionPass
        {
            Groups = [.. groups.Select(group => new ExecutionGroup(group.Type, group.Status, group.Executions))],
            Detailed = detailed,
            Finished = [.. groups.SelectMany(group => (group.Recent ?? []).Select(id => new FinishedRow(id, id, group.Type, group.Status, false)))],
        };
    }

    private ScanExecution? Newest(Func<ScanExecution, bool> wanted) =>
        Detailed.Values.Where(wanted).MaxBy(execution => (execution.Started ?? double.MinValue, execution.Id));

    private static IEnumerable<ScanExecution> Details(GroupRow counted) =>
        from text in counted.Details ?? []
        let row = new PackedRow(text)
        select new ScanExecution
        {
            Id = row.Number(0),
            Type = counted.Type,
            Status = counted.Status,
            Started = row.Time(1),
            Updated = row.Time(2),
            Ended = row.Time(3),
            Trigger = row.Text(4),
        };

    internal sealed record GroupRow
    {
        public string Type { get; init; } = "";

        public string? Status { get; init; }

        public long Executions { get; init; }

        /// <summary>One <see cref="PackedRow"/> for each Running execution, scan-all and sweep.</summary>
        public string[]? Details { get; init; }

        /// <summary>The ids of those that finished lately.</summary>
        public long[]? Recent { get; init; }
    }

    internal sealed record Parameters
    {
        public required string[] Types { get; init; }

        public required double RecentFrom { get; init; }

        public required long TailFrom { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
