using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>The job service as its Redis shows it: pools, workers, queues, and what its workers and hooks are held up by.</summary>
internal sealed class JobServiceCollector : ICollector
{
    public static readonly Family Up = new("harbor_scan_jobservice_up",
        "1 when the job service's Redis answers and a worker pool's heartbeat is younger than 30 seconds; absent without HARBOR_REDIS_URL.");

    public static readonly Family Evidence = new("harbor_scan_jobservice_evidence",
        "How far the job service's Redis can be asked: 1 for the state that holds, 0 for the others. Do not sum over state.", "state");

    public static readonly Family Pools = new("harbor_scan_jobservice_pools", "Worker pools (instances of the job service) by the age of their heartbeat.", "state");

    public static readonly Family Workers = new("harbor_scan_jobservice_workers", "Workers of live pools, over the jobs of every type.", "state");

    public static readonly Family QueueLength = new("harbor_scan_queue_length", "Jobs that wait in the queue; IMAGE_SCAN holds the scans of all types.", "queue");

    public static readonly Family QueueOldestAge = new("harbor_scan_queue_oldest_age_seconds",
        "Age of the oldest waiting job among the 500 at either end of the queue, since it was enqueued; 0 when none waits, absent when its entries are too large to read.", "queue");

    public static readonly Family GhostWorkers = new("harbor_scan_ghost_workers", "Workers of live pools that are held by a scan whose record is over for five minutes or has expired.");

    public static readonly Family OrphanHooks = new("harbor_scan_orphan_hooks",
        "Jobs whose status the job service sends again and again though no task has them; absent before Harbor 2.5, which has no index to ask by.");

    private static readonly EvidenceState[] States = [EvidenceState.Usable, EvidenceState.Unreachable, EvidenceState.Refused, EvidenceState.Empty, EvidenceState.Foreign, EvidenceState.Stale];

    public string Name => CollectorNames.JobService;

    public string Cost => "of Redis the queue's two ends, the lists in progress, at most 5,000 records of open tasks and 500 of others; of the database a read by index of jobs that no open task has";

    public IReadOnlyList<Family> Families { get; } = [Up, Evidence, Pools, Workers, QueueLength, QueueOldestAge, GhostWorkers, OrphanHooks];

    public void Write(HarborObservation seen, Samples samples)
    {
        var service = seen.JobService!.Value;
        samples.Add(Up, service.IsUp ? 1 : 0);
        foreach (var state in States) samples.Add(Evidence, service.State == state ? 1 : 0, state.Word());
        if (service.State is EvidenceState.Unreachable or EvidenceState.Refused or EvidenceState.Foreign or EvidenceState.Stale)
        {
            // That there is nothing of ours to read is told though the topic counts as failed.
            return;
        }
        samples.Add(Pools, service.Pools.Count(pool => pool.IsAliveAt(service.Now)), "alive");
        samples.Add(Pools, service.Pools.Count(pool => !pool.IsAliveAt(service.Now)), "dead");
        samples.Add(Workers, service.BusyWorkers, "busy");
        samples.Add(Workers, Math.Max(0, service.Workers - service.BusyWorkers), "idle");
        AddQueue(samples, JobType.Scan, service.Scans, service.Now);
        AddQueue(samples, JobType.Sweep, service.Sweeps, service.Now);
        samples.Add(GhostWorkers, service.Ghosts.Count);
        samples.AddIfKnown(OrphanHooks, seen.OrphanHooks!.Value?.Count);
    }

    private static void AddQueue(Samples samples, string queue, QueueEvidence evidence, double now)
    {
        samples.Add(QueueLength, evidence.Length, queue);
        // Of a queue whose entries were left out nobody knows.
        samples.AddIfKnown(QueueOldestAge, evidence.Oldest is { } oldest ? Math.Max(0, now - oldest) : evidence.Length == 0 || evidence.WasRead ? 0 : null, queue);
    }
}
