using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database;

/// <summary>Reads what tasks name in extra_attrs, and the reports behind it, by key. The column is fetched as text and never parsed in SQL:
/// one row with <c>\u0000</c> in it would fail the statement.</summary>
internal static class ReportLookup
{
    private const string AttributesSql = """
        select id::bigint as Id, extra_attrs::text as ExtraAttributes
        from task
        where id = any(@Ids)
        order by id
        """;

    private const string ScanReportsSql = """
        select uuid as Uuid, digest as Digest, report is not null as Stored
        from scan_report
        where uuid = any(@Uuids)
        """;

    private const string SbomReportsSql = """
        select r.uuid as Uuid, a.digest as Digest, r.report is not null as Stored
        from sbom_report r left join artifact a on a.id = r.artifact_id
        where r.uuid = any(@Uuids)
        """;

    /// <summary>What these tasks name.</summary>
    public static async Task<IReadOnlyDictionary<long, TaskAttributes>> AttributesAsync(Snapshot snapshot, long[] tasks, CancellationToken cancellationToken) =>
        tasks.Length == 0
            ? new Dictionary<long, TaskAttributes>()
            : (await snapshot.Connection.QueryAsync<AttributesRow>(
                AttributesSql, new TaskParameters { Ids = tasks, CancellationToken = cancellationToken }, snapshot.Transaction))
                .ToDictionary(row => row.Id, row => TaskAttributes.Parse(row.ExtraAttributes));

    /// <summary>The reports with these uuids, vulnerability reports and, where this Harbor has them and they can be read, SBOMs.</summary>
    public static async Task<IReadOnlyDictionary<string, ScanReport>> ReportsAsync(
        Snapshot snapshot, string[] uuids, bool withSboms, CancellationToken cancellationToken)
    {
        var reports = new Dictionary<string, ScanReport>(StringComparer.Ordinal);
        if (uuids.Length == 0) return reports;
        var parameters = new ReportParameters { Uuids = uuids, CancellationToken = cancellationToken };
        foreach (var row in await snapshot.Connection.QueryAsync<ReportRow>(ScanReportsSql, parameters, snapshot.Transaction))
            reports[row.Uuid] = new ScanReport(row.Uuid, row.Digest, row.Stored);
        if (!withSboms) return reports;
        foreach (var row in await snapshot.Connection.QueryAsync<ReportRow>(SbomReportsSql, parameters, snapshot.Transaction))
            reports[row.Uuid] = new ScanReport(row.Uuid, row.Digest, row.Stored);
        return reports;
    }

    internal sealed record AttributesRow
    {
        public long Id { get; init; }

        public string? ExtraAttributes { get; init; }
    }

    internal sealed record ReportRow
    {
        public string Uuid { get; init; } = "";

        public string? Digest { get; init; }

        public bool Stored { get; init; }
    }

    internal sealed record TaskParameters
    {
        public required long[] Ids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record ReportParameters
    {
        public required string[] Uuids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
