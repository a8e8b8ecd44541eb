using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using Npgsql;

namespace HarborScanExporter.Database.Queries;

/// <summary>
/// Reads which other tasks name the reports of given tasks, by Harbor's own index of what tasks name. Harbors without that index (before 2.8.1) make a
/// new report for each scan, so that no two tasks name the same.
/// </summary>
internal static class ReportSharingLookup
{
    // A row on which this expression fails cannot be in a table that has the index on it.
    private const string IndexSql = """
        select exists (
            select from pg_index i join pg_class c on c.oid = i.indexrelid
            where i.indrelid = to_regclass(@Table) and c.relname = 'idx_task_extra_attrs_report_uuids' and i.indisvalid)
        """;

    private const string GuardedSql = """
        select uuid as Uuid, task as TaskId, next_created as NextCreated, newest_execution as NewestExecution
        from harbor_scan.report_sharing(@Uuids, @Tasks)
        """;

    private const string SharingSql = """
        select n.uuid as Uuid, n.task as TaskId,
               date_part('epoch', min(t.creation_time) filter (where t.id > n.task)) as NextCreated,
               (max(t.execution_id) filter (where t.id > n.task))::bigint as NewestExecution
        from unnest(@Uuids, @Tasks) as n(uuid, task)
            join lateral (
                select o.id, o.execution_id, o.creation_time
                from task o
                where (o.extra_attrs::jsonb -> 'report_uuids') @> jsonb_build_array(n.uuid) and o.id <> n.task
            ) t on true
        group by n.uuid, n.task
        """;

    /// <summary>The sharing of each report of each task that another task names too; one that is missing is not shared.</summary>
    /// <param name="connection">The connection of a transaction.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="tables">What the session found of Harbor's tables.</param>
    /// <param name="named">Tasks with one of the reports that each names.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<IReadOnlyDictionary<(long Task, string Uuid), ReportSharing>> ReadAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, HarborTables tables, IReadOnlyCollection<(long Task, string Uuid)> named,
        CancellationToken cancellationToken)
    {
        if (named.Count == 0 || !await connection.QueryFirstAsync<bool>(IndexSql, new TableParameters { Table = "task", CancellationToken = cancellationToken }, transaction))
            return new Dictionary<(long, string), ReportSharing>();
        var parameters = new SharingParameters { Uuids = [.. named.Select(one => one.Uuid)], Tasks = [.. named.Select(one => one.Task)], CancellationToken = cancellationToken };
        var rows = tables.GuardsAttributes
            ? await connection.QueryAsync<SharingRow>(GuardedSql, parameters, transaction)
            : await connection.QueryAsync<SharingRow>(SharingSql, parameters, transaction);
        return rows.ToDictionary(row => (row.TaskId, row.Uuid), row => new ReportSharing(true, Epoch.Usable(row.NextCreated), row.NewestExecution));
    }

    internal sealed record SharingRow
    {
        public string Uuid { get; init; } = "";

        public long TaskId { get; init; }

        public double? NextCreated { get; init; }

        public long? NewestExecution { get; init; }
    }

    internal sealed record TableParameters
    {
        public required string Table { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record SharingParameters
    {
        public required string[] Uuids { get; init; }

        public required long[] Tasks { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
