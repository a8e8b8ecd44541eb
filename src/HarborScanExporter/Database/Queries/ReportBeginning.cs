using Dapper;
using Npgsql;

namespace HarborScanExporter.Database.Queries;

/// <summary>
/// The beginning of reports, which says when they were made. A report is small unless its vulnerabilities stand in it; the server can only take one
/// apart whole, so that of large ones a bounded amount is read.
/// </summary>
internal static class ReportBeginning
{
    /// <summary>Whether a result is stored, its size, and the beginning of one that stands in its row, where reading it costs nothing more.</summary>
    public const string Columns = """
        report is not null as Stored, pg_column_size(report)::bigint as Size,
            case when pg_column_size(report) <= 2000 then left(report::text, 1000) end as Beginning
        """;

    /// <summary>Bytes of large reports that one look reads, as they lie in the table: a tenth of a second for the server.</summary>
    public const long MostBytes = 8 * 1024 * 1024;

    private const string LargeSql = "select uuid as Uuid, left(report::text, 1000) as Beginning from scan_report where uuid = any(@Uuids)";

    /// <summary>The beginnings of large vulnerability reports, the smallest first; of those that are left out nothing is known.</summary>
    /// <param name="connection">The connection of a transaction.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="large">Their sizes, by uuid.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<IReadOnlyDictionary<string, string>> OfLargeAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyDictionary<string, long> large, CancellationToken cancellationToken)
    {
        var bytes = 0L;
        string[] read = [.. large.OrderBy(report => report.Value).ThenBy(report => report.Key, StringComparer.Ordinal)
            .TakeWhile(report => (bytes += report.Value) <= MostBytes).Select(report => report.Key)];
        return read.Length == 0
            ? new Dictionary<string, string>()
            : (await connection.QueryAsync<Row>(LargeSql, new Parameters { Uuids = read, CancellationToken = cancellationToken }, transaction))
                .Where(row => row.Beginning is not null).ToDictionary(row => row.Uuid, row => row.Beginning!, StringComparer.Ordinal);
    }

    internal sealed record Row
    {
        public string Uuid { get; init; } = "";

        public string? Beginning { get; init; }
    }

    internal sealed record Parameters
    {
        public required string[] Uuids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
