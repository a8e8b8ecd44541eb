using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>Which executions Harbor's sweep should remove and cannot.</summary>
internal static class SweepBlockLookup
{
    // Harbor sweeps what started strictly before the newest executions that it keeps of the same vendor.
    private const string Sql = """
        select e.id::bigint
        from execution e
        where e.id = any(@Ids)
          and e.vendor_type = @Type
          and e.status in ('Success', 'Error', 'Stopped')
          and e.start_time < (select k.start_time
                              from execution k
                              where k.vendor_type = e.vendor_type and k.vendor_id = e.vendor_id
                              order by k.start_time desc
                              offset @KeptBefore limit 1)
        order by e.id
        """;

    /// <summary>Those of these executions that are final and beyond the retention of this Harbor, by type.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="executions">Executions that have a task of code below 3.</param>
    /// <param name="schemaVersion">Decides the retention.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<long>>> IdsAsync(
        Snapshot snapshot, long[] executions, long schemaVersion, CancellationToken cancellationToken)
    {
        var blocked = new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
        foreach (var type in ScanType.All)
        {
            if (executions.Length == 0 || HarborSchema.Retained(schemaVersion, type) is not { } retained) continue;
            var parameters = new Parameters { Ids = executions, Type = type, KeptBefore = retained - 1, CancellationToken = cancellationToken };
            blocked[type] = (await snapshot.Connection.QueryAsync<long>(Sql, parameters, snapshot.Transaction)).AsList();
        }
        return blocked;
    }

    internal sealed record Parameters
    {
        public required long[] Ids { get; init; }

        public required string Type { get; init; }

        public required int KeptBefore { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
