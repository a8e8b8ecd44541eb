using Dapper;
using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>A robot account of a task that a repair ended.</summary>
internal sealed record EndedRobotRow
{
    public long Id { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public double Created { get; init; }

    /// <summary>The line of the audit.</summary>
    public long Repair { get; init; }

    public string JobId { get; init; } = "";

    /// <summary>How many of its kind there are, those beyond the bound of the read among them.</summary>
    public long Total { get; init; }
}

/// <summary>Reads the robot accounts that stay when a repair ends a scan (harbor-facts 7.4): Harbor removes them in the end's hook alone.</summary>
internal static class EndedRobotLookup
{
    private const string Sql = """
        select b.id::bigint as Id, date_part('epoch', b.creation_time) as Created, max(r.id) as Repair, max(coalesce(r.job_id, '')) as JobId,
               count(*) over () as Total
        from harbor_scan.repair r
            join robot b on b.id = r.robot_id
            left join task t on t.id = r.task_id
        where r.at > clock_timestamp() - interval '2 days'
          and r.ended_at < clock_timestamp() - interval '10 minutes'
          and r.state = 'done'
          and r.action in ('finish_task', 'stop_job')
          and not b.visible
          and b.description = 'for scan'
          and (t.id is null or (t.status in ('Success', 'Error', 'Stopped') and t.status_code = 3))
          and isfinite(b.creation_time)
          and not exists (select from unnest(@Named) as named (id) where named.id = b.id)
        group by b.id, b.creation_time
        order by b.id
        limit @Most
        """;

    /// <summary>At most so many that are not among the named ones: the repair ended ten minutes ago or earlier, and the task is still over.</summary>
    public static async Task<IReadOnlyList<EndedRobotRow>> ReadAsync(Snapshot snapshot, long[] named, int most, CancellationToken cancellationToken) =>
        (await snapshot.Connection.QueryAsync<EndedRobotRow>(
            Sql, new Parameters { Named = named, Most = most, CancellationToken = cancellationToken }, snapshot.Transaction)).AsList();

    internal sealed record Parameters
    {
        public required long[] Named { get; init; }

        public required int Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
