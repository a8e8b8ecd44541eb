using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>What the database is, when it was read, and what operators have switched in Harbor.</summary>
internal sealed class DatabaseCollector : ICollector
{
    public static readonly Family Info = new("harbor_scan_database_info",
        "Harbor's database: its schema version, the Harbor releases that have it, and the PostgreSQL version.", "schema_version", "harbor_version", "server_version");

    public static readonly Family SnapshotTimestamp = new("harbor_scan_snapshot_timestamp_seconds",
        "The database's clock when this snapshot was read; on a standby the time of its last replayed transaction.");

    public static readonly Family QueuePaused = new("harbor_scan_queue_paused",
        "1 while an operator has paused the job queue; absent where neither Redis nor Harbor (before 2.7) nor its grants tell.", "queue");

    public static readonly Family ReadOnly = new("harbor_scan_read_only",
        "1 while Harbor is in read-only mode, in which every scan's status update is refused; absent without the optional view of deploy/sql and without Harbor's API.");

    private static readonly string[] Queues = [JobType.Scan, JobType.Sweep];

    public string Name => CollectorNames.Database;

    public string Cost => "two reads of one row each";

    public IReadOnlyList<Family> Families { get; } = [Info, SnapshotTimestamp, QueuePaused, ReadOnly];

    public void Write(HarborObservation seen, Samples samples)
    {
        var facts = seen.Facts!;
        var version = facts.SchemaVersion;
        samples.Add(Info, 1, $"{version}", HarborSchema.Releases(version), facts.ServerVersion);
        samples.Add(SnapshotTimestamp, facts.Now);
        var paused = HarborObservation.Paused(seen.OperatorState!.Value, seen.JobService!.Value);
        foreach (var queue in paused is null ? [] : Queues) samples.Add(QueuePaused, paused!.Contains(queue) ? 1 : 0, queue);
        samples.AddIfKnown(ReadOnly, seen.ReadOnly!.Value is { } readOnly ? (readOnly ? 1 : 0) : null);
    }
}
