using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database;

/// <summary>The executions of one type and status.</summary>
internal sealed record ExecutionGroup
{
    public string Type { get; init; } = "";

    public string? Status { get; init; }

    public long Executions { get; init; }

    /// <summary>One <see cref="PackedRow"/> for each Running execution, scan-all and sweep.</summary>
    public string[]? Details { get; init; }
}

/// <summary>The one read of the whole table <c>execution</c>.</summary>
internal sealed class ExecutionPass
{
    /// <summary>The vendor type of the job that sweeps executions.</summary>
    public const string Sweep = "EXECUTION_SWEEP";

    private const string Sql = $"""
        select vendor_type as Type,
               status as Status,
               count(*) as Executions,
               array_agg(concat_ws({PackedRow.Separator}, id,
                                   coalesce(date_part('epoch', start_time)::text, ''),
                                   coalesce(date_part('epoch', update_time)::text, ''),
                                   coalesce(date_part('epoch', end_time)::text, ''),
                                   trigger,
                                   case when vendor_type = 'SCAN_ALL' then coalesce(extra_attrs::text, '') else '' end))
                   filter (where status = 'Running' or vendor_type in ('SCAN_ALL', 'EXECUTION_SWEEP')) as Details
        from execution
        where vendor_type = any(@Types)
        group by 1, 2
        """;

    private ExecutionPass(IReadOnlyList<ExecutionGroup> groups)
    {
        Groups = groups;
        Detailed = groups.SelectMany(Details).ToDictionary(execution => execution.Id);
    }

    public IReadOnlyList<ExecutionGroup> Groups { get; }

    /// <summary>The executions read one by one.</summary>
    public IReadOnlyDictionary<long, ScanExecution> Detailed { get; }

    /// <summary>The scan-all that started last, of any trigger.</summary>
    public ScanExecution? NewestScanAll => Newest(execution => execution.Type == ScanType.ScanAll);

    /// <summary>The scan-all that Harbor looks at before it lets a person start another.</summary>
    public ScanExecution? NewestManualScanAll => Newest(execution => execution is { Type: ScanType.ScanAll, Trigger: "MANUAL" });

    /// <summary>The sweep that started last.</summary>
    public ScanExecution? NewestSweep => Newest(execution => execution.Type == Sweep);

    /// <summary>Reads the table once.</summary>
    public static async Task<ExecutionPass> ReadAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        new((await snapshot.Connection.QueryAsync<ExecutionGroup>(
            Sql, new Parameters { Types = [.. ScanType.All, Sweep], CancellationToken = cancellationToken }, snapshot.Transaction)).AsList());

    private ScanExecution? Newest(Func<ScanExecution, bool> wanted) =>
        Detailed.Values.Where(wanted).OrderByDescending(execution => execution.Started ?? double.MinValue).ThenByDescending(execution => execution.Id).FirstOrDefault();

    private static IEnumerable<ScanExecution> Details(ExecutionGroup counted) =>
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
            Summary = ScanAllSummary.Parse(row.Text(5)),
        };

    internal sealed record Parameters
    {
        public required string[] Types { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
