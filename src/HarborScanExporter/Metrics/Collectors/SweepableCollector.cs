using Dapper;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Executions that Harbor's next sweep would remove.</summary>
internal sealed class SweepableCollector : ICollector
{
    public static readonly Family Sweepable = new("harbor_scan_sweepable_executions",
        "Final scan executions beyond Harbor's default retention, which a sweep removes; as of the last reconciliation. Types that this Harbor does not sweep are 0.", "type");

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

    public string Name => CollectorNames.Sweepable;

    public string Cost => "nothing; each reconciliation reads execution once more for each type, sorted";

    public bool OnByDefault => false;

    public bool ReadsWholeTables => true;

    public IReadOnlyList<Family> Families { get; } = [Sweepable];

    public async Task CollectAsync(Collection collection, Samples samples, CancellationToken cancellationToken)
    {
        foreach (var type in ScanType.All)
        {
            if (HarborSchema.Retained(collection.Facts.SchemaVersion, type) is not { } retained)
            {
                samples.Add(Sweepable, 0, type);
                continue;
            }
            var parameters = new Parameters { Type = type, Retained = retained, CancellationToken = cancellationToken };
            var count = await collection.ReadAsync(
                (from, _) => from.Connection.QueryFirstAsync<long>(Sql, parameters, from.Transaction), cancellationToken);
            samples.Add(Sweepable, count, type);
        }
    }

    internal sealed record Parameters
    {
        public required string Type { get; init; }

        public required int Retained { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
