using Dapper;
using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Database.Queries;

/// <summary>A task whose status is final and whose code is below 3.</summary>
internal sealed record WrongCodeRow
{
    public long Id { get; init; }

    public long ExecutionId { get; init; }

    public string Type { get; init; } = "";

    public string JobId { get; init; } = "";

    public string Status { get; init; } = "";

    public long Code { get; init; }

    public long Revision { get; init; }

    /// <summary>Seconds since 1970, as the row holds it.</summary>
    public double? Updated { get; init; }
}

/// <summary>Reads the tasks with a wrong code of given executions, by the index of their executions.</summary>
internal static class WrongCodeLookup
{
    private const string Sql = """
        select id::bigint as Id, execution_id::bigint as ExecutionId, vendor_type as Type, coalesce(job_id, '') as JobId, status as Status,
               status_code::bigint as Code, coalesce(status_revision, 0)::bigint as Revision, date_part('epoch', update_time) as Updated
        from task
        where execution_id = any(@Executions) and id > @After and status_code < 3 and status in ('Success', 'Error', 'Stopped')
        order by id
        limit @Most
        """;

    /// <summary>At most so many of them with a greater id, the oldest.</summary>
    public static async Task<IReadOnlyList<WrongCodeRow>> ReadAsync(Snapshot snapshot, long[] executions, long after, int most, CancellationToken cancellationToken) =>
        executions.Length == 0 ? [] : (await snapshot.Connection.QueryAsync<WrongCodeRow>(
            Sql, new Parameters { Executions = executions, After = after, Most = most, CancellationToken = cancellationToken }, snapshot.Transaction)).AsList();

    internal sealed record Parameters
    {
        public required long[] Executions { get; init; }

        public required long After { get; init; }

        public required int Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
