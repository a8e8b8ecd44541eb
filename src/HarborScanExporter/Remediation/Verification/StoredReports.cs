using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>Whether the results of scans are stored, as the repairing role may read it.</summary>
internal static class StoredReports
{
    private const string ScanReportsSql = "select uuid from scan_report where uuid = any(@Uuids) and report is not null";

    private const string HasSbomsSql = "select to_regclass(@Table) is not null";

    private const string SbomReportsSql = "select uuid from sbom_report where uuid = any(@Uuids) and report is not null";

    /// <summary>Those of these tasks whose every report is stored; a task that names none is not among them.</summary>
    public static async Task<IReadOnlySet<long>> OfAsync(RepairTransaction transaction, IReadOnlyCollection<TaskNow> tasks, CancellationToken cancellationToken)
    {
        var named = tasks.ToDictionary(task => task.Id, task => TaskAttributes.Parse(task.ExtraAttributes).ReportUuids);
        string[] uuids = [.. named.Values.SelectMany(its => its).Where(uuid => uuid.Length > 0).Distinct(StringComparer.Ordinal)];
        if (uuids.Length == 0) return new HashSet<long>();
        var parameters = new ReportParameters { Uuids = uuids, CancellationToken = cancellationToken };
        var (connection, inside) = (transaction.Connection, transaction.Transaction);
        var stored = (await connection.QueryAsync<string>(ScanReportsSql, parameters, inside)).ToHashSet(StringComparer.Ordinal);
        if (await connection.QueryFirstAsync<bool>(HasSbomsSql, new TableParameters { Table = "public.sbom_report", CancellationToken = cancellationToken }, inside))
            stored.UnionWith(await connection.QueryAsync<string>(SbomReportsSql, parameters, inside));
        return named.Where(its => its.Value.Count > 0 && its.Value.All(stored.Contains)).Select(its => its.Key).ToHashSet();
    }

    internal sealed record ReportParameters
    {
        public required string[] Uuids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record TableParameters
    {
        public required string Table { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
