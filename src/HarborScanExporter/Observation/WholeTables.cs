using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using HarborScanExporter.Settings;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>What only whole tables tell; where rows are remembered from look to look, the reconciliation reads it.</summary>
/// <param name="LeakedRobots">Robot accounts of scans that are over, which findings tell too; null while nothing was read.</param>
/// <param name="Sweepable">Executions that Harbor's next sweep would remove, by type; null when nobody wants it.</param>
/// <param name="OrphanReports">Reports that no task names; likewise.</param>
internal sealed record WholeTables(Part<long>? LeakedRobots, Part<IReadOnlyDictionary<string, long>>? Sweepable, Part<OrphanReportCounts>? OrphanReports)
{
    /// <summary>Nothing was read.</summary>
    public static WholeTables Unread { get; } = new(null, null, null);

    /// <summary>Of robots and what else is wanted nothing was read, as no reconciliation has come to it yet.</summary>
    public static WholeTables NotYet(IReadOnlySet<string> topics)
    {
        var failure = new NotReconciledException();
        return new WholeTables(
            Part<long>.FailedBy(failure),
            topics.Contains(CollectorNames.Sweepable) ? Part<IReadOnlyDictionary<string, long>>.FailedBy(failure) : null,
            topics.Contains(CollectorNames.OrphanReports) ? Part<OrphanReportCounts>.FailedBy(failure) : null);
    }

    /// <summary>Reads robots and what else is wanted, one after the other; a failure of one is its own.</summary>
    /// <param name="topics">What is wanted.</param>
    /// <param name="snapshot">Where to read.</param>
    /// <param name="facts">Its first query.</param>
    /// <param name="openTasks">The open tasks.</param>
    /// <param name="time">Measures.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<WholeTables> ReadAsync(
        IReadOnlySet<string> topics, Snapshot snapshot, DatabaseFacts facts, Part<IReadOnlyList<ScanTask>> openTasks, TimeProvider time, CancellationToken cancellationToken)
    {
        var robots = await Part<long>.ReadAsync(time, () => LeakedRobotsAsync(snapshot, openTasks.Value, facts.Now, cancellationToken), openTasks);
        var sweepable = topics.Contains(CollectorNames.Sweepable)
            ? await Part<IReadOnlyDictionary<string, long>>.ReadAsync(time, () => snapshot.ReadAsync((from, token) => SweepableLookup.CountAsync(from, facts.SchemaVersion, token), cancellationToken))
            : null;
        var orphans = topics.Contains(CollectorNames.OrphanReports)
            ? await Part<OrphanReportCounts>.ReadAsync(time, () => OrphanReportsAsync(snapshot, facts, cancellationToken))
            : null;
        return new WholeTables(robots, sweepable, orphans);
    }

    private static async Task<long> LeakedRobotsAsync(Snapshot snapshot, IReadOnlyList<ScanTask> open, double now, CancellationToken cancellationToken)
    {
        long[] old = [.. open.Where(task => task.Created is not { } created || now - created > RobotLookup.LeakedAfter - RobotLookup.Slack).Select(task => task.Id)];
        var attributes = await snapshot.ReadAsync((from, token) => ReportLookup.AttributesAsync(from, old, token), cancellationToken);
        long[] named = [.. attributes.Values.Select(its => its.RobotId).OfType<long>().Distinct()];
        return await snapshot.ReadAsync((from, token) => RobotLookup.CountLeakedAsync(from, now - RobotLookup.LeakedAfter, named, token), cancellationToken);
    }

    private static async Task<OrphanReportCounts> OrphanReportsAsync(Snapshot snapshot, DatabaseFacts facts, CancellationToken cancellationToken)
    {
        var reports = await snapshot.ReadAsync(OrphanReportLookup.ScanReportsAsync, cancellationToken);
        var sboms = facts.CanReadSbomReport ? await snapshot.ReadAsync(OrphanReportLookup.SbomReportsAsync, cancellationToken) : 0;
        return new OrphanReportCounts(reports, sboms);
    }
}

/// <summary>Reports that no task names.</summary>
/// <param name="Scans">Of vulnerabilities.</param>
/// <param name="Sboms">Of SBOMs.</param>
internal sealed record OrphanReportCounts(long Scans, long Sboms);
