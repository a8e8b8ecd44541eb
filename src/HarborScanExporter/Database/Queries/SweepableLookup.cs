using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>Counts the executions that Harbor's next sweep would remove. Reads the table of executions once for each type.</summary>
internal static class SweepableLookup
{
    // Harbor removes what started strictly before the newest executions it keeps of one vendor.
    private const string Sql = """
        select count(*)
        from (
            select status, start_time,
                   nth_value(start_time, @Retained) over (partition by vendor_id order by start_time desc
                                                          rows between unbounded preceding and unbounded following) as kept_from
            from execution
            where vendor_type = @Type
        ) ranked
        where status in ('Success', 'Error', 'Stopped') and start_time < kept_from
        """;

    /// <summary>Counts them by type; those of types that this Harbor does not sweep are 0.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> CountAsync(Snapshot snapshot, long schemaVersion, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var type in ScanType.All)
        {
            counts[type] = HarborSchema.Retained(schemaVersion, type) is { } retained
                ? await snapshot.Connection.QueryFirstAsync<long>(Sql, new Parameters { Type = type, Retained = retained, CancellationToken = cancellationToken }, snapshot.Transaction)
                : 0;
        }
        return counts;
    }

    internal sealed record Parameters
    {
        public required string Type { get; init; }

        public required int Retained { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
