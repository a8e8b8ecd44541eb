using Dapper;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Asks which reports exist and which hold a result, inside a transaction of the repairing role.</summary>
internal static class ReportRows
{
    private const string HasSbomsSql = "select to_regclass(@Name) is not null";

    private const string ReportsSql = "select uuid from scan_report where uuid = any(@Uuids)";

    private const string SbomsSql = "select uuid from sbom_report where uuid = any(@Uuids)";

    private const string StoredReportsSql = $"select uuid as Uuid, {ReportBeginning.Columns} from scan_report where uuid = any(@Uuids) and report is not null";

    private const string StoredSbomsSql = $"select uuid as Uuid, {ReportBeginning.Columns} from sbom_report where uuid = any(@Uuids) and report is not null";

    /// <summary>Those of these uuids that a vulnerability report or an SBOM has.</summary>
    public static async Task<IReadOnlySet<string>> ExistingAsync(RepairTransaction transaction, IEnumerable<string> uuids, CancellationToken cancellationToken)
    {
        var parameters = UuidParameters.Of(uuids, cancellationToken);
        var existing = (await transaction.Connection.QueryAsync<string>(ReportsSql, parameters, transaction.Transaction)).ToHashSet(StringComparer.Ordinal);
        if (await HasSbomsAsync(transaction, cancellationToken))
            existing.UnionWith(await transaction.Connection.QueryAsync<string>(SbomsSql, parameters, transaction.Transaction));
        return existing;
    }

    /// <summary>The stored reports among these, vulnerability reports and SBOMs, by uuid and without their digests.</summary>
    public static async Task<IReadOnlyDictionary<string, ScanReport>> StoredAsync(RepairTransaction transaction, IEnumerable<string> uuids, CancellationToken cancellationToken)
    {
        var parameters = UuidParameters.Of(uuids, cancellationToken);
        if (parameters.Uuids.Length == 0) return new Dictionary<string, ScanReport>();
        var rows = (await transaction.Connection.QueryAsync<StoredRow>(StoredReportsSql, parameters, transaction.Transaction)).AsList();
        var large = rows.Where(row => row.Beginning is null).ToDictionary(row => row.Uuid, row => row.Size, StringComparer.Ordinal);
        var beginnings = await ReportBeginning.OfLargeAsync(transaction.Connection, transaction.Transaction, large, cancellationToken);
        if (await HasSbomsAsync(transaction, cancellationToken))
            rows.AddRange(await transaction.Connection.QueryAsync<StoredRow>(StoredSbomsSql, parameters, transaction.Transaction));
        return rows.DistinctBy(row => row.Uuid).ToDictionary(
            row => row.Uuid, row => new ScanReport(row.Uuid, null, Stored: true) { Generated = ReportTime.Of(row.Beginning ?? beginnings.GetValueOrDefault(row.Uuid)) }, StringComparer.Ordinal);
    }

    /// <summary>SBOMs came with Harbor 2.11.</summary>
    private static Task<bool> HasSbomsAsync(RepairTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstAsync<bool>(
            HasSbomsSql, new NameParameters { Name = "sbom_report", CancellationToken = cancellationToken }, transaction.Transaction);

    internal sealed record StoredRow
    {
        public string Uuid { get; init; } = "";

        public bool Stored { get; init; }

        public long Size { get; init; }

        public string? Beginning { get; init; }
    }

    internal sealed record UuidParameters
    {
        public required string[] Uuids { get; init; }

        public required CancellationToken CancellationToken { get; init; }

        public static UuidParameters Of(IEnumerable<string> uuids, CancellationToken cancellationToken) => new()
        {
            Uuids = [.. uuids.Where(uuid => uuid.Length > 0).Distinct(StringComparer.Ordinal)],
            CancellationToken = cancellationToken,
        };
    }

    internal sealed record NameParameters
    {
        public required string Name { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
