using Dapper;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Robot accounts that Harbor made for a scan and did not remove after it.</summary>
internal sealed class RobotsCollector : ICollector
{
    public static readonly Family Leaked = new("harbor_scan_leaked_robots", "Robot accounts made for scans, older than a day, that no open task names; as of the last reconciliation.");

    private const double Day = 24 * 3600;

    /// <summary>A robot is made in the transaction of its task: a task this much younger than a day names none that is a day old.</summary>
    private const double Slack = 3600;

    private const string Sql = $"select count(*) from robot r where {RobotLookup.IsLeaked}";

    public string Name => CollectorNames.Robots;

    public string Cost => "nothing; each reconciliation reads robot, and by primary key the open tasks older than 23 hours";

    public bool OnByDefault => true;

    public bool ReadsWholeTables => true;

    public IReadOnlyList<Family> Families { get; } = [Leaked];

    public async Task CollectAsync(Collection collection, Samples samples, CancellationToken cancellationToken)
    {
        var now = collection.Facts.Now;
        long[] old = [.. (await collection.OpenTasksAsync(cancellationToken))
            .Where(task => task.Created is not { } created || now - created > Day - Slack).Select(task => task.Id)];
        var attributes = await collection.ReadAsync((from, token) => ReportLookup.AttributesAsync(from, old, token), cancellationToken);
        var parameters = new Parameters
        {
            CreatedBefore = now - Day,
            Named = [.. attributes.Values.Select(named => named.RobotId).OfType<long>().Distinct()],
            CancellationToken = cancellationToken,
        };
        var leaked = await collection.ReadAsync(
            (from, _) => from.Connection.QueryFirstAsync<long>(Sql, parameters, from.Transaction), cancellationToken);
        samples.Add(Leaked, leaked);
    }

    internal sealed record Parameters
    {
        public required double CreatedBefore { get; init; }

        public required long[] Named { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
