using Dapper;
using HarborScanExporter.Database;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Rescanning;

/// <summary>Reads which repaired scans of the last day may be scanned again, by the scraping role.</summary>
internal static class RescanLookup
{
    private const string Sql = """
        with rescanned as (
            select artifact_id, vendor_type = 'SBOM' as is_sbom, count(*) as scans
            from harbor_scan.repair
            where at > clock_timestamp() - interval '1 day' and action = 'rescan' and state <> 'failed'
            group by 1, 2
        )
        select r.id as Repair, r.task_id as TaskId, r.execution_id as ExecutionId, r.artifact_id as ArtifactId, t.vendor_type as Type, t.status as Status,
               t.extra_attrs::text as ExtraAttributes, a.repository_name as Repository, a.digest as Digest,
               coalesce(s.scans, 0) as Scans
        from harbor_scan.repair r
            join task t on t.id = r.task_id
            left join artifact a on a.id = r.artifact_id
            left join rescanned s on s.artifact_id = r.artifact_id and s.is_sbom = (t.vendor_type = 'SBOM')
        where r.at > clock_timestamp() - interval '1 day'
          and r.state = 'done'
          and r.action in ('finish_task', 'stop_job')
          and r.status in ('Error', 'Stopped')
          and r.execution_id is not null
          and r.artifact_id is not null
          and not exists (select from harbor_scan.repair d where d.task_id = r.task_id and d.action = 'rescan' and d.state in ('intended', 'done', 'no_effect'))
        order by r.id
        limit @Most
        """;

    /// <summary>At most so many of them, the oldest repairs.</summary>
    public static async Task<IReadOnlyList<Rescannable>> ReadAsync(Snapshot snapshot, int most, bool withSboms, CancellationToken cancellationToken)
    {
        var rows = (await snapshot.Connection.QueryAsync<Row>(Sql, new Parameters { Most = most, CancellationToken = cancellationToken }, snapshot.Transaction)).AsList();
        var named = rows.ToDictionary(row => row.Repair, row => TaskAttributes.Parse(row.ExtraAttributes).ReportUuids);
        string[] uuids = [.. named.Values.SelectMany(its => its).Where(uuid => uuid.Length > 0).Distinct(StringComparer.Ordinal)];
        var reports = await ReportLookup.ReportsAsync(snapshot, uuids, withSboms, null, cancellationToken);
        // A newer scan of the same artifact replaces the reports (harbor-facts 5.1), and a stored one was a result after all.
        bool IsMissing(Row row) => named[row.Repair] is { Count: > 0 } its
            && its.All(reports.ContainsKey) && its.Any(uuid => !reports[uuid].Stored);
        return
        [
            .. rows.Where(row => row.Status is not ScanStatus.Success && IsMissing(row)).Select(row => new Rescannable(
                row.Repair, row.TaskId, row.ExecutionId, row.ArtifactId, row.Type, ScanStatus.IsFinal(row.Status), row.Repository, row.Digest, row.Scans)),
        ];
    }

    internal sealed record Row
    {
        public long Repair { get; init; }

        public long TaskId { get; init; }

        public long ExecutionId { get; init; }

        public long ArtifactId { get; init; }

        public string Type { get; init; } = "";

        public string Status { get; init; } = "";

        public string? ExtraAttributes { get; init; }

        public string? Repository { get; init; }

        public string? Digest { get; init; }

        public long Scans { get; init; }
    }

    internal sealed record Parameters
    {
        public required int Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
