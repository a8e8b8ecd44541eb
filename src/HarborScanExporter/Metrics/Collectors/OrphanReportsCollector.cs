using Dapper;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Reports that no task names, which Harbor shows as an error though the report may be good.</summary>
internal sealed class OrphanReportsCollector : ICollector
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

    public string Name => CollectorNames.OrphanReports;

    public string Cost => "nothing; each reconciliation reads scan_report and sbom_report, and task with its attributes once more for each";

    public bool OnByDefault => false;

    public bool ReadsWholeTables => true;

    public IReadOnlyList<Family> Families { get; } = [DiagnosisCollector.Inconsistencies];

    public async Task CollectAsync(Collection collection, Samples samples, CancellationToken cancellationToken)
    {
        var parameters = new Parameters { Types = [.. ScanType.All], CancellationToken = cancellationToken };
        var reports = await collection.ReadAsync(
            (from, _) => from.Tables.GuardsAttributes
                ? from.Connection.QueryFirstAsync<long>(GuardedScanReportsSql, parameters, from.Transaction)
                : from.Connection.QueryFirstAsync<long>(ScanReportsSql, parameters, from.Transaction),
            cancellationToken);
        var sboms = collection.Facts.CanReadSbomReport
            ? await collection.ReadAsync(
                (from, _) => from.Tables.GuardsAttributes
                    ? from.Connection.QueryFirstAsync<long>(GuardedSbomReportsSql, parameters, from.Transaction)
                    : from.Connection.QueryFirstAsync<long>(SbomReportsSql, parameters, from.Transaction),
                cancellationToken)
            : 0;
        // A report knows its kind, not the scan that made it: a vulnerability report counts as IMAGE_SCAN also when a scan-all made it.
        samples.Add(DiagnosisCollector.Inconsistencies, reports, ScanType.ImageScan, Inconsistency.OrphanReport);
        samples.Add(DiagnosisCollector.Inconsistencies, 0, ScanType.ScanAll, Inconsistency.OrphanReport);
        samples.Add(DiagnosisCollector.Inconsistencies, sboms, ScanType.Sbom, Inconsistency.OrphanReport);
    }

    internal sealed record Parameters
    {
        public required string[] Types { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
