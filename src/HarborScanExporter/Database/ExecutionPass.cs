using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database;

/// <summary>Executions counted by type and status; a Running one, a scan-all and a sweep are groups of their own.</summary>
internal sealed record ExecutionGroup
{
    public string Type { get; init; } = "";

    public string? Status { get; init; }

    public long? Id { get; init; }

    public long Executions { get; init; }

    public string? Trigger { get; init; }

    public string? ExtraAttributes { get; init; }

    public double? Started { get; init; }

    public double? Updated { get; init; }

    public double? Ended { get; init; }
}

/// <summary>The one read of the whole table <c>execution</c>.</summary>
internal sealed class ExecutionPass
{
    /// <summary>The vendor type of the job that sweeps executions.</summary>
    public const string Sweep = "EXECUTION_SWEEP";

    private const string Sql = """
        select vendor_type as Type,
               status as Status,
               case when status = 'Running' or vendor_type in ('SCAN_ALL', 'EXECUTION_SWEEP') then id end::bigint as Id,
               count(*) as Executions,
               max(trigger) as Trigger,
               max(case when vendor_type = 'SCAN_ALL' then extra_attrs::text end) as ExtraAttributes,
               max(case when isfinite(start_time) and start_time >= '1970-01-01' then extract(epoch from start_time)::float8 end) as Started,
               max(case when isfinite(update_time) and update_time >= '1970-01-01' then extract(epoch from update_time)::float8 end) as Updated,
               max(case when isfinite(end_time) and end_time >= '1970-01-01' then extract(epoch from end_time)::float8 end) as Ended
        from execution
        where vendor_type = any(@Types)
        group by 1, 2, 3
        """;

    private ExecutionPass(IReadOnlyList<ExecutionGroup> groups)
    {
        Groups = groups;
        Detailed = groups.Where(group => group.Id is not null).ToDictionary(group => group.Id!.Value, ToExecution);
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

    private static ScanExecution ToExecution(ExecutionGroup group) => new()
    {
        Id = group.Id!.Value,
        Type = group.Type,
        Status = group.Status,
        Trigger = group.Trigger,
        Started = group.Started,
        Updated = group.Updated,
        Ended = group.Ended,
        Summary = ScanAllSummary.Parse(group.ExtraAttributes),
    };

    internal sealed record Parameters
    {
        public required string[] Types { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
