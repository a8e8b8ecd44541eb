using Dapper;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>What was read of repaired scans that may be scanned again.</summary>
/// <param name="Found">Those that lack a result, the oldest repairs first.</param>
/// <param name="Unlooked">Repairs after them that were not looked at.</param>
internal sealed record RescannablesRead(IReadOnlyList<Rescannable> Found, long Unlooked)
{
    public static RescannablesRead None { get; } = new([], 0);
}

/// <summary>Reads which repaired scans of the last day may be scanned again, by the scraping role.</summary>
internal static class RescanLookup
{
    /// <summary>Repairs read at once with their reports.</summary>
    private const int Page = 200;

    /// <summary>Repairs of one look; a day's cap is 2,000 by default.</summary>
    private const int MostLooked = 5_000;

    /// <summary>When so many can be scanned, more would wait for later looks in any case.</summary>
    private const int Enough = 200;

    private const string Candidates = """
        r.at > clock_timestamp() - interval '1 day'
          and r.state = 'done'
          and r.action in ('finish_task', 'stop_job')
          and r.status in ('Error', 'Stopped')
          and r.execution_id is not null
          and r.artifact_id is not null
          and r.id > @After
          and t.status is distinct from 'Success'
          and not exists (select from harbor_scan.repair d where d.task_id = r.task_id and d.action = 'rescan' and d.state in ('intended', 'done', 'no_effect'))
        """;

    private const string CountSql = $"""
        select count(*)
        from harbor_scan.repair r
            join task t on t.id = r.task_id
        where {Candidates}
        """;

    private const string Sql = $"""
        with rescanned as (
            select artifact_id, vendor_type = 'SBOM' as is_sbom, count(*) as scans
            from harbor_scan.repair
            where at > clock_timestamp() - interval '1 day' and action = 'rescan' and state <> 'failed'
            group by 1, 2
        )
        select r.id as Repair, r.task_id as TaskId, r.execution_id as ExecutionId, r.artifact_id as ArtifactId, t.vendor_type as Type, t.status as Status,
               date_part('epoch', t.creation_time) as Created, a.repository_name as Repository, a.digest as Digest,
               coalesce(s.scans, 0) as Scans
        from harbor_scan.repair r
            join task t on t.id = r.task_id
            left join artifact a on a.id = r.artifact_id
            left join rescanned s on s.artifact_id = r.artifact_id and s.is_sbom = (t.vendor_type = 'SBOM')
        where {Candidates}
        order by r.id
        limit @Rows
        """;

    /// <summary>Reads on, from the oldest repair, until enough of them can be scanned again: those before may all have been, or be left to a person.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="attempts">Scans of one artifact in a day.</param>
    /// <param name="withSboms">Whether SBOMs can be read.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<RescannablesRead> ReadAsync(Snapshot snapshot, int attempts, bool withSboms, CancellationToken cancellationToken)
    {
        List<Rescannable> found = [];
        var after = 0L;
        for (var looked = 0; looked < MostLooked && found.Count(one => one.CanBeScanned(attempts)) < Enough; looked += Page)
        {
            var rows = (await snapshot.Connection.QueryAsync<Row>(
                Sql, new Parameters { After = after, Rows = Page, CancellationToken = cancellationToken }, snapshot.Transaction)).AsList();
            found.AddRange(await WithoutResultAsync(snapshot, rows, withSboms, cancellationToken));
            if (rows.Count < Page) return new RescannablesRead(found, 0);
            after = rows[^1].Repair;
        }
        return new RescannablesRead(found, await snapshot.Connection.QueryFirstAsync<long>(
            CountSql, new CountParameters { After = after, CancellationToken = cancellationToken }, snapshot.Transaction));
    }

    private static async Task<IReadOnlyList<Rescannable>> WithoutResultAsync(Snapshot snapshot, List<Row> rows, bool withSboms, CancellationToken cancellationToken)
    {
        var attributes = await ReportLookup.AttributesAsync(snapshot, [.. rows.Select(row => row.TaskId).Distinct()], cancellationToken);
        var named = rows.ToDictionary(row => row.Repair, row => attributes.GetValueOrDefault(row.TaskId)?.ReportUuids ?? []);
        string[] uuids = [.. named.Values.SelectMany(its => its).Where(uuid => uuid.Length > 0).Distinct(StringComparer.Ordinal)];
        var reports = await ReportLookup.ReportsAsync(snapshot, uuids, withSboms, null, cancellationToken);
        (long, string)[] asked = [.. from row in rows from uuid in named[row.Repair] where reports.ContainsKey(uuid) select (row.TaskId, uuid)];
        var sharing = await ReportSharingLookup.ReadAsync(snapshot.Connection, snapshot.Transaction, snapshot.Tables, [.. asked.Distinct()], cancellationToken);
        ReportSharing Sharing(Row row, string uuid) => sharing.GetValueOrDefault((row.TaskId, uuid), ReportSharing.None);
        // A newer scan of the same artifact replaces the reports (harbor-facts 5.1) or takes them over (0.2), and a stored one was a result after all.
        bool IsMissing(Row row) => named[row.Repair] is { Count: > 0 } its
            && its.All(uuid => reports.ContainsKey(uuid) && Sharing(row, uuid).NewestExecution is null)
            && its.Any(uuid => !reports[uuid].IsResultOf(Epoch.Usable(row.Created), Sharing(row, uuid)));
        return
        [
            .. rows.Where(IsMissing).Select(row => new Rescannable(
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

        public double? Created { get; init; }

        public string? Repository { get; init; }

        public string? Digest { get; init; }

        public long Scans { get; init; }
    }

    internal sealed record CountParameters
    {
        public required long After { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record Parameters
    {
        public required long After { get; init; }

        public required int Rows { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
