using Dapper;

namespace HarborScanExporter.Remediation;

/// <summary>Asks which reports exist and which hold a result, inside a transaction of the repairing role.</summary>
internal static class ReportRows
{
    private const string HasSbomsSql = "select to_regclass(@Name) is not null";

    private const string ReportsSql = "select uuid from scan_report where uuid = any(@Uuids)";

    private const string SbomsSql = "select uuid from sbom_report where uuid = any(@Uuids)";

    private const string StoredReportsSql = "select uuid from scan_report where uuid = any(@Uuids) and report is not null";

    private const string StoredSbomsSql = "select uuid from sbom_report where uuid = any(@Uuids) and report is not null";

    /// <summary>Those of these uuids that a vulnerability report or an SBOM has.</summary>
    public static async Task<IReadOnlySet<string>> ExistingAsync(RepairTransaction transaction, IEnumerable<string> uuids, CancellationToken cancellationToken)
    {
        var parameters = UuidParameters.Of(uuids, cancellationToken);
        var existing = (await transaction.Connection.QueryAsync<string>(ReportsSql, parameters, transaction.Transaction)).ToHashSet(StringComparer.Ordinal);
        if (await HasSbomsAsync(transaction, cancellationToken))
            existing.UnionWith(await transaction.Connection.QueryAsync<string>(SbomsSql, parameters, transaction.Transaction));
        return existing;
    }

    /// <summary>Those of these uuids whose vulnerability report or SBOM holds the scanner's result.</summary>
    public static async Task<IReadOnlySet<string>> StoredAsync(RepairTransaction transaction, IEnumerable<string> uuids, CancellationToken cancellationToken)
    {
        var parameters = UuidParameters.Of(uuids, cancellationToken);
        if (parameters.Uuids.Length == 0) return new HashSet<string>();
        var stored = (await transaction.Connection.QueryAsync<string>(StoredReportsSql, parameters, transaction.Transaction)).ToHashSet(StringComparer.Ordinal);
        if (await HasSbomsAsync(transaction, cancellationToken))
            stored.UnionWith(await transaction.Connection.QueryAsync<string>(StoredSbomsSql, parameters, transaction.Transaction));
        return stored;
    }

    /// <summary>SBOMs came with Harbor 2.11.</summary>
    private static Task<bool> HasSbomsAsync(RepairTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstAsync<bool>(
            HasSbomsSql, new NameParameters { Name = "sbom_report", CancellationToken = cancellationToken }, transaction.Transaction);

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
