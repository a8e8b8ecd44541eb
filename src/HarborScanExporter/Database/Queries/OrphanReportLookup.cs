using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>Counts the reports that no task names, which Harbor shows as an error though the report may be good. Reads whole tables.</summary>
internal static class OrphanReportLookup
{
    // extra_attrs is read as text: a value that is no JSON array, or that holds \u0000, must not fail the statement. It is split, as matching a
    // pattern takes several times as long, and reports are counted by those that are named, so that the small side is the one kept in memory.
    private const string Names = """
        from task
        cross join unnest(string_to_array(split_part(split_part(split_part(extra_attrs::text, '"report_uuids"', 2), ']', 1), '[', 2), ',')) as named (uuid)
        """;

    private const string AreNamed = """
        on r.uuid = btrim(named.uuid, E' \t\r\n"')
        where vendor_type = any(@Types) and ltrim(split_part(extra_attrs::text, '"report_uuids"', 2), E': \t\r\n') like '[%'
        """;

    private const string ScanReportsSql = $"select (select count(*) from scan_report) - count(distinct r.uuid) {Names} join scan_report r {AreNamed}";

    private const string SbomReportsSql = $"select (select count(*) from sbom_report) - count(distinct r.uuid) {Names} join sbom_report r {AreNamed}";

    private const string GuardedScanReportsSql = "select (select count(*) from scan_report) - harbor_scan.named_scan_reports() where @Types is not null";

    private const string GuardedSbomReportsSql = "select (select count(*) from sbom_report) - harbor_scan.named_sbom_reports() where @Types is not null";

    /// <summary>Those of vulnerabilities.</summary>
    public static Task<long> ScanReportsAsync(Snapshot snapshot, CancellationToken cancellationToken) => snapshot.Tables.GuardsAttributes
        ? snapshot.Connection.QueryFirstAsync<long>(GuardedScanReportsSql, Of(cancellationToken), snapshot.Transaction)
        : snapshot.Connection.QueryFirstAsync<long>(ScanReportsSql, Of(cancellationToken), snapshot.Transaction);

    /// <summary>Those of SBOMs.</summary>
    public static Task<long> SbomReportsAsync(Snapshot snapshot, CancellationToken cancellationToken) => snapshot.Tables.GuardsAttributes
        ? snapshot.Connection.QueryFirstAsync<long>(GuardedSbomReportsSql, Of(cancellationToken), snapshot.Transaction)
        : snapshot.Connection.QueryFirstAsync<long>(SbomReportsSql, Of(cancellationToken), snapshot.Transaction);

    private static Parameters Of(CancellationToken cancellationToken) => new() { Types = [.. ScanType.All], CancellationToken = cancellationToken };

    internal sealed record Parameters
    {
        public required string[] Types { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
