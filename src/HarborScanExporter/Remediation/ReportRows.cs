using Dapper;

namespace HarborScanExporter.Remediation;

/// <summary>Asks which reports exist, inside a transaction of the repairing role.</summary>
internal static class ReportRows
{
    private const string HasSbomsSql = "select to_regclass(@Name) is not null";

    private const string ReportsSql = "select uuid from scan_report where uuid = any(@Uuids)";

    private const string SbomsSql = "select uuid from sbom_report where uuid = any(@Uuids)";

    /// <summary>Those of these uuids that a vulnerability report or an SBOM has.</summary>
    public static async Task<IReadOnlySet<string>> ExistingAsync(RepairTransaction transaction, IEnumerable<string> uuids, CancellationToken cancellationToken)
    {
        var parameters = new UuidParameters
        {
            Uuids = [.. uuids.Where(uuid => uuid.Length > 0).Distinct(StringComparer.Ordinal)],
            CancellationToken = cancellationToken,
        };
        var existing = (await transaction.Connection.QueryAsync<string>(ReportsSql, parameters, transaction.Transaction)).ToHashSet(StringComparer.Ordinal);
        var named = new NameParameters { Name = "sbom_report", CancellationToken = cancellationToken };
        if (await transaction.Connection.QueryFirstAsync<bool>(HasSbomsSql, named, transaction.Transaction))
            existing.UnionWith(await transaction.Connection.QueryAsync<string>(SbomsSql, parameters, transaction.Transaction));
        return existing;
    }

    internal sealed record UuidParameters
    {
        public required string[] Uuids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record NameParameters
    {
        public required string Name { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
