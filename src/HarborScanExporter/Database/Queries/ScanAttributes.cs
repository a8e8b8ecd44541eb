using Dapper;
using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Database.Queries;

/// <summary>
/// Reads the extra_attrs of scans by key. They are fetched as text and never parsed in SQL, as one row with <c>\u0000</c> in it
/// would fail the statement.
/// </summary>
internal static class ScanAttributes
{
    private const string GuardedTasksSql = "select id as Id, extra_attrs as Text from harbor_scan.task_attributes(@Ids)";

    private const string TasksSql = "select id::bigint as Id, extra_attrs::text as Text from task where id = any(@Ids)";

    private const string GuardedExecutionsSql = "select id as Id, extra_attrs as Text from harbor_scan.execution_attributes(@Ids)";

    private const string ExecutionsSql = "select id::bigint as Id, extra_attrs::text as Text from execution where id = any(@Ids)";

    /// <summary>Those of these tasks, by id; one that is gone is missing.</summary>
    public static async Task<IReadOnlyDictionary<long, string?>> OfTasksAsync(Snapshot snapshot, long[] ids, CancellationToken cancellationToken)
    {
        if (ids.Length == 0) return new Dictionary<long, string?>();
        var parameters = new Parameters { Ids = ids, CancellationToken = cancellationToken };
        return ById(snapshot.Tables.GuardsAttributes
            ? await snapshot.Connection.QueryAsync<Row>(GuardedTasksSql, parameters, snapshot.Transaction)
            : await snapshot.Connection.QueryAsync<Row>(TasksSql, parameters, snapshot.Transaction));
    }

    /// <summary>Those of these executions, by id; one that is gone is missing.</summary>
    public static async Task<IReadOnlyDictionary<long, string?>> OfExecutionsAsync(Snapshot snapshot, long[] ids, CancellationToken cancellationToken)
    {
        if (ids.Length == 0) return new Dictionary<long, string?>();
        var parameters = new Parameters { Ids = ids, CancellationToken = cancellationToken };
        return ById(snapshot.Tables.GuardsAttributes
            ? await snapshot.Connection.QueryAsync<Row>(GuardedExecutionsSql, parameters, snapshot.Transaction)
            : await snapshot.Connection.QueryAsync<Row>(ExecutionsSql, parameters, snapshot.Transaction));
    }

    private static Dictionary<long, string?> ById(IEnumerable<Row> rows) => rows.ToDictionary(row => row.Id, row => row.Text);

    internal sealed record Row
    {
        public long Id { get; init; }

        public string? Text { get; init; }
    }

    internal sealed record Parameters
    {
        public required long[] Ids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
