using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>Reads what tasks name in extra_attrs, and the reports behind it, by key.</summary>
internal static class ReportLookup
{
    private const string ScanReportsSql = $"""
        select uuid as Uuid, digest as Digest, {ReportBeginning.Columns}, ctid::text as Address
        from scan_report
        where uuid = any(@Uuids)
        """;

    private const string AddressedReportsSql = $"""
        select *
        from (select uuid as Uuid, digest as Digest, {ReportBeginning.Columns}, ctid::text as Address
              from scan_report where ctid = any(@Addresses::tid[]) offset 0) addressed
        where Uuid = any(@Uuids)
        """;

    private const string SbomReportsSql = $"""
        select r.uuid as Uuid, a.digest as Digest, {ReportBeginning.Columns}
        from sbom_report r left join artifact a on a.id = r.artifact_id
        where r.uuid = any(@Uuids)
        """;

    /// <summary>What these tasks name.</summary>
    public static async Task<IReadOnlyDictionary<long, TaskAttributes>> AttributesAsync(Snapshot snapshot, long[] tasks, CancellationToken cancellationToken) =>
        (await ScanAttributes.OfTasksAsync(snapshot, tasks, cancellationToken)).OrderBy(task => task.Key)
            .ToDictionary(task => task.Key, task => TaskAttributes.Parse(task.Value));

    /// <summary>The reports with these uuids, vulnerability reports and, where this Harbor has them and they can be read, SBOMs.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="uuids">What the tasks name.</param>
    /// <param name="withSboms">Whether SBOMs can be read.</param>
    /// <param name="addresses">Where the vulnerability reports stood; null where each is asked for once.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<IReadOnlyDictionary<string, ScanReport>> ReportsAsync(
        Snapshot snapshot, string[] uuids, bool withSboms, RowAddresses<string>? addresses, CancellationToken cancellationToken)
    {
        var reports = new Dictionary<string, ScanReport>(StringComparer.Ordinal);
        var known = addresses?.Of(uuids) ?? [];
        Dictionary<string, string> kept = [];
        Dictionary<string, long> large = [];
        if (known.Count > 0)
        {
            var parameters = new AddressParameters { Addresses = [.. known.Values], Uuids = [.. known.Keys], CancellationToken = cancellationToken };
            foreach (var row in await snapshot.Connection.QueryAsync<ReportRow>(AddressedReportsSql, parameters, snapshot.Transaction))
                Take(row);
        }
        if (Missing() is { Uuids.Length: > 0 } notThere)
        {
            foreach (var row in await snapshot.Connection.QueryAsync<ReportRow>(ScanReportsSql, notThere, snapshot.Transaction))
                Take(row);
        }
        addresses?.Keep(kept);
        foreach (var (uuid, beginning) in await ReportBeginning.OfLargeAsync(snapshot.Connection, snapshot.Transaction, large, cancellationToken))
            reports[uuid] = reports[uuid] with { Generated = ReportTime.Of(beginning) };
        if (withSboms && Missing() is { Uuids.Length: > 0 } others)
        {
            foreach (var row in await snapshot.Connection.QueryAsync<ReportRow>(SbomReportsSql, others, snapshot.Transaction)) reports[row.Uuid] = row.ToReport();
        }
        return reports;

        void Take(ReportRow row)
        {
            reports[row.Uuid] = row.ToReport();
            if (row.Address is { } address) kept[row.Uuid] = address;
            if (row is { Stored: true, Beginning: null, Size: { } size }) large[row.Uuid] = size;
        }

        ReportParameters Missing() => new() { Uuids = [.. uuids.Where(uuid => !reports.ContainsKey(uuid))], CancellationToken = cancellationToken };
    }

    internal sealed record ReportRow
    {
        public string Uuid { get; init; } = "";

        public string? Digest { get; init; }

        public bool Stored { get; init; }

        /// <summary>The first characters of a small result.</summary>
        public string? Beginning { get; init; }

        /// <summary>Bytes that the result takes in the table; null when there is none.</summary>
        public long? Size { get; init; }

        /// <summary>Null where it is not asked for.</summary>
        public string? Address { get; init; }

        public ScanReport ToReport() => new(Uuid, Digest, Stored) { Generated = ReportTime.Of(Beginning) };
    }

    internal sealed record ReportParameters
    {
        public required string[] Uuids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record AddressParameters
    {
        public required string[] Addresses { get; init; }

        public required string[] Uuids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
