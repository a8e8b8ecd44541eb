using Dapper;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>A task as it is now.</summary>
internal sealed record TaskNow
{
    public long Id { get; init; }

    public string Status { get; init; } = "";

    public long Code { get; init; }

    /// <summary>0 for NULL.</summary>
    public long Revision { get; init; }

    /// <summary>update_time in seconds since 1970 as the row holds it.</summary>
    public double? Updated { get; init; }

    /// <summary>creation_time in seconds since 1970 as the row holds it.</summary>
    public double? Created { get; init; }

    /// <summary>extra_attrs as a text: which reports the task names.</summary>
    public string? ExtraAttributes { get; init; }
}

/// <summary>An execution as it is now.</summary>
/// <param name="Status">Its status; empty for NULL.</param>
/// <param name="Tasks">The status that its tasks ask for; null when it has none.</param>
internal sealed record ExecutionNow(string Status, string? Tasks);

/// <summary>Reads the rows that a few repairs changed, by key.</summary>
internal static class RowsNow
{
    private const string TasksSql = """
        select t.id::bigint as Id, t.status as Status, t.status_code::bigint as Code, coalesce(t.status_revision, 0)::bigint as Revision,
               date_part('epoch', t.update_time) as Updated, date_part('epoch', t.creation_time) as Created, n.extra_attrs as ExtraAttributes
        from task t
            left join harbor_scan.task_attributes(@Ids) n on n.id = t.id
        where t.id = any(@Ids)
        """;

    private const string ExecutionsSql = """
        select id::bigint as Id, coalesce(status, '') as Status
        from execution
        where id = any(@Ids)
        """;

    private const string StatusesSql = """
        select execution_id::bigint as ExecutionId, status as Status
        from task
        where execution_id = any(@Ids)
        group by execution_id, status
        """;

    /// <summary>The tasks; those that are gone are missing.</summary>
    public static async Task<IReadOnlyDictionary<long, TaskNow>> TasksAsync(RepairTransaction transaction, long[] ids, CancellationToken cancellationToken) =>
        ids.Length == 0 ? new Dictionary<long, TaskNow>()
            : (await transaction.Connection.QueryAsync<TaskNow>(TasksSql, Parameters(ids, cancellationToken), transaction.Transaction)).ToDictionary(row => row.Id);

    /// <summary>The executions; those that are gone are missing.</summary>
    public static async Task<IReadOnlyDictionary<long, ExecutionNow>> ExecutionsAsync(RepairTransaction transaction, long[] ids, CancellationToken cancellationToken)
    {
        if (ids.Length == 0) return new Dictionary<long, ExecutionNow>();
        var rows = await transaction.Connection.QueryAsync<ExecutionRow>(ExecutionsSql, Parameters(ids, cancellationToken), transaction.Transaction);
        var statuses = (await transaction.Connection.QueryAsync<StatusRow>(StatusesSql, Parameters(ids, cancellationToken), transaction.Transaction))
            .ToLookup(row => row.ExecutionId, row => row.Status);
        return rows.ToDictionary(row => row.Id, row => new ExecutionNow(row.Status, ExecutionStatus.Of(statuses[row.Id])));
    }

    private static Keys Parameters(long[] ids, CancellationToken cancellationToken) => new() { Ids = ids, CancellationToken = cancellationToken };

    internal sealed record ExecutionRow
    {
        public long Id { get; init; }

        public string Status { get; init; } = "";
    }

    internal sealed record StatusRow
    {
        public long ExecutionId { get; init; }

        public string Status { get; init; } = "";
    }

    internal sealed record Keys
    {
        public required long[] Ids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
