using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Findings;

/// <summary>Findings on the whole system: one instead of hundreds on tasks (failure-modes FM-15 to FM-18, FM-22, FM-27).</summary>
internal static class SystemFindings
{
    /// <summary>A queue this much below Harbor's limit is about to be failed by its reaper.</summary>
    private const double NearLimit = 4 * 3600;

    /// <summary>All of them.</summary>
    /// <param name="diagnosed">The diagnosis.</param>
    /// <param name="leakedRobots">Scan robots that no open task names; null when they were not counted.</param>
    /// <param name="limits">The limits of the settings.</param>
    public static IEnumerable<Finding> Of(Diagnosed diagnosed, long? leakedRobots, Limits limits)
    {
        var service = diagnosed.JobService;
        var open = diagnosed.Tasks.Count;
        if (service.State is EvidenceState.Unreachable or EvidenceState.Refused or EvidenceState.Empty or EvidenceState.Foreign or EvidenceState.Stale) yield return Blind(service, open);
        if (service is { IsUsable: true, IsUp: false }) yield return Down(service, open);
        // known_jobs stays away until the job service is restarted; it is worth a word while it shows in open scans.
        var traceless = diagnosed.Tasks.Count(task => task.Job == JobEvidence.Nothing);
        if (service is { IsUsable: true, EmptiedUnderPools: true } && traceless > 0) yield return Emptied(traceless);
        if (diagnosed.PausedQueues?.Contains(JobType.Scan) == true) yield return Paused(diagnosed, limits);
        if (diagnosed.ReadOnly == true) yield return ReadOnly(open);
        if (service.IsUsable && service.Scans.Oldest is { } oldest && service.Now - oldest > limits.MaxJobDuration - NearLimit) yield return OldQueue(service, oldest, limits);
        if (service.Ghosts.Count > 0) yield return Ghosts(service);
        if (diagnosed.OrphanHooks is { Count: > 0 } hooks) yield return Hooks(hooks);
        if (leakedRobots is > 0 and var robots) yield return Robots(robots);
        if (diagnosed.BlockingScanAll is { } scanAll && diagnosed.Executions.All(found => found.Execution.Id != scanAll.Id)) yield return ScanAll(scanAll, diagnosed);
    }

    private static Finding Blind(JobServiceEvidence service, int open) => new()
    {
        Id = "system-redis",
        Kind = FindingKind.System,
        Verdict = service.State switch
        {
            EvidenceState.Unreachable => SystemWord.RedisUnreachable,
            EvidenceState.Refused => SystemWord.RedisRefused,
            EvidenceState.Stale => SystemWord.RedisStale,
            _ => SystemWord.RedisWrongDatabase,
        },
        Severity = Severity.Warning,
        Count = open,
        What = service.State switch
        {
            EvidenceState.Empty => "The job service cannot be seen in this Redis database.",
            EvidenceState.Foreign => "This Redis belongs to the job service of another Harbor.",
            EvidenceState.Stale => "This Redis stands still while Harbor goes on.",
            _ => "The job service's Redis cannot be read.",
        },
        Evidence = [service.Problem!],
        Blocked = new Blocked { Text = $"{Words.Count(open, "open scan")} cannot be judged with proof; only what Harbor will never heal is called stuck." },
        Healing = new Healing(null, null, "The next collection tries again; no restart is needed."),
        Repair = "Run harbor-scan-exporter doctor: it names what to mend.",
        Avoid = ["Do not repair any row meanwhile: without Redis nothing proves that a scan is dead."],
    };

    private static Finding Down(JobServiceEvidence service, int open)
    {
        var last = service.Pools.Max(pool => pool.Heartbeat);
        return new Finding
        {
            Id = "system-jobservice",
            Kind = FindingKind.System,
            Verdict = SystemWord.JobServiceDown,
            Severity = Severity.Critical,
            Count = open,
            Since = last,
            What = $"The job service is down{(last is { } since ? $" since {Words.Time(since)}" : "")}: no worker pool has a fresh heartbeat.",
            Evidence =
            [
                service.Pools.Count == 0 ? "Redis lists no worker pool." : $"{Words.Count(service.Pools.Count, "worker pool is", "worker pools are")} listed, the newest heartbeat {(last is { } beat ? $"of {Words.Time(beat)}" : "is missing")}.",
                $"{Words.Count(service.Scans.Length, "job")} wait{(service.Scans.Length == 1 ? "s" : "")} in the queue {JobType.Scan}.",
            ],
            Blocked = new Blocked { Text = $"No scan starts or ends; {Words.Count(open, "scan")} wait{(open == 1 ? "s" : "")} for it." },
            Healing = new Healing(true, null, "When it runs again: one that was frozen goes on with what it holds, and what a dead one held is queued anew within about eleven minutes."),
            Repair = "Start the job service, and look at its log.",
            Avoid = ["Do not repair rows meanwhile: these scans are alive and wait.", "Do not empty Redis: it is the queue."],
        };
    }

    private static Finding Emptied(int lost) => new()
    {
        Id = "system-emptied",
        Kind = FindingKind.System,
        Verdict = SystemWord.RedisEmptied,
        Severity = Severity.Critical,
        Count = lost,
        What = "The job service's Redis was emptied while the job service ran: every job that waited in it is lost, and the instances that ran scans broke down.",
        Evidence = ["A live worker pool announced job types at its start that known_jobs no longer holds.", $"{Words.Count(lost, "open scan has", "open scans have")} no trace in Redis."],
        Blocked = new Blocked { Text = "Lost scans block their digests; see their own findings. A scan that ran at the time ended with its worker, or was storing its result and ends within minutes." },
        Healing = new Healing(false, null, "Never: no job in it comes back."),
        Repair = "Repair the lost scans, then restart the job service so that it writes its schedules and job types again.",
        Avoid = ["Do not empty Redis again."],
    };

    private static Finding Paused(Diagnosed diagnosed, Limits limits)
    {
        var waiting = diagnosed.Tasks.Count(task => task.Judgement == Judgement.Paused);
        return new Finding
        {
            Id = "system-paused",
            Kind = FindingKind.System,
            Verdict = SystemWord.QueuePaused,
            Severity = Severity.Info,
            Count = waiting,
            Since = diagnosed.ScansPausedSince,
            What = $"An operator has paused the queue {JobType.Scan}: {Words.Count(waiting, "scan")} wait{(waiting == 1 ? "s" : "")} in it.",
            Evidence = [diagnosed.JobService.IsUsable ? "Redis holds the queue's pause." : "job_queue_status holds the queue's pause."],
            Blocked = new Blocked { Text = "No scan of any type starts." },
            Healing = new Healing(null, null, $"When it is resumed. What has waited {Words.Duration(limits.MaxJobDuration)} by then becomes Error."),
            Repair = "Resume the queue: PUT /api/v2.0/jobservice/queues/IMAGE_SCAN with the action resume.",
            Avoid = ["Do not stop the queue: that leaves rows with a wrong code."],
        };
    }

    private static Finding ReadOnly(int open) => new()
    {
        Id = "system-read-only",
        Kind = FindingKind.System,
        Verdict = SystemWord.ReadOnly,
        Severity = Severity.Warning,
        Count = open,
        What = "Harbor is in read-only mode, in which core refuses the status of every scan.",
        Evidence = ["Harbor's setting read_only is true."],
        Blocked = new Blocked { Text = $"{Words.Count(open, "open scan")} cannot end in the database, though the work goes on." },
        Healing = new Healing(true, null, "Within an hour after it is switched off, for jobs whose record has not expired by then."),
        Repair = "Switch read-only mode off and wait an hour.",
        Avoid = ["Do not repair rows while Harbor is read-only."],
    };

    private static Finding OldQueue(JobServiceEvidence service, double oldest, Limits limits)
    {
        var isOver = service.Now - oldest > limits.MaxJobDuration;
        return new Finding
        {
            Id = "system-queue",
            Kind = FindingKind.System,
            Verdict = isOver ? SystemWord.QueuedOver24h : SystemWord.QueueOld,
            Severity = Severity.Warning,
            Count = service.Scans.Length,
            Since = oldest,
            What = isOver
                ? $"Jobs wait in the queue for longer than the {Words.Duration(limits.MaxJobDuration)} after which Harbor fails them: they will run without their robot account, and fail."
                : $"Jobs have waited in the queue nearly as long as the {Words.Duration(limits.MaxJobDuration)} after which Harbor fails them.",
            Evidence = [$"The oldest of {Words.Count(service.Scans.Length, "job")} was enqueued {Words.Time(oldest)}, {Words.Duration(service.Now - oldest)} ago."],
            Blocked = new Blocked { Text = "Their artifacts show Queued, then Error." },
            Healing = new Healing(false, null, "The jobs run later, but without the robot account that was removed when they were failed."),
            Repair = "Raise max_job_duration_hours above the longest wait, add workers, then scan again what ended in Error.",
            Avoid = ["Do not write these rows: their jobs still stand in the queue."],
        };
    }

    private static Finding Ghosts(JobServiceEvidence service) => new()
    {
        Id = "system-ghosts",
        Kind = FindingKind.System,
        Verdict = SystemWord.GhostWorkers,
        Severity = Severity.Warning,
        Count = service.Ghosts.Count,
        What = $"{Words.Count(service.Ghosts.Count, "worker is", "workers are")} held by scans that are over for Harbor.",
        Evidence = [.. service.Ghosts.Take(20).Select(ghost => $"Pool {ghost.Pool} holds job {ghost.JobId}, whose record {(ghost.Status is { } status ? $"says {status}" : "has expired")}.")],
        Blocked = new Blocked { Text = $"{Words.Number(service.Workers)} workers do the work of {Words.Number(Math.Max(0, service.Workers - service.Ghosts.Count))}." },
        Healing = new Healing(null, null, "Only when the scanner answers at last."),
        Repair = "Mend the scanner, then restart the job service when no other job runs: what its workers held is then run again.",
    };

    private static Finding Hooks(IReadOnlyList<string> hooks) => new()
    {
        Id = "system-hooks",
        Kind = FindingKind.System,
        Verdict = SystemWord.OrphanHooks,
        Severity = Severity.Info,
        Count = hooks.Count,
        What = $"The job service sends the status of {Words.Count(hooks.Count, "job")} again and again, and no task has {(hooks.Count == 1 ? "it" : "them")}.",
        Evidence = [$"For example job {string.Join(", ", hooks.Take(5))}."],
        Blocked = new Blocked { Text = "Nobody; but the statuses of living scans may arrive late." },
        Healing = new Healing(null, null, "When the job's record expires; one without expiry is sent for years."),
        Repair = "Remove the record and the tracking of these jobs from Redis, once it is certain that no task has them.",
        Avoid = ["Do not make rows for them."],
    };

    private static Finding Robots(long robots) => new()
    {
        Id = "system-robots",
        Kind = FindingKind.System,
        Verdict = SystemWord.LeakedRobots,
        Severity = Severity.Info,
        Count = robots,
        What = $"{Words.Count(robots, "robot account was", "robot accounts were")} made for scans and not removed after them.",
        Evidence = ["They are hidden, older than a day, and no open task names them."],
        Blocked = new Blocked { Text = "Nobody; but they can still pull, and those of SBOM scans push." },
        Healing = new Healing(false, null, "Never since Harbor 2.11; before, they expire after 30 days and their rows stay."),
        Repair = "Remove them by Harbor's API: DELETE /api/v2.0/robots/{id}.",
        Avoid = ["Do not remove the robot of an open task."],
    };

    private static Finding ScanAll(ScanExecution scanAll, Diagnosed diagnosed)
    {
        var stuck = diagnosed.Tasks.Count(task => task.Task.ExecutionId == scanAll.Id && task.Judgement.IsStuck);
        return new Finding
        {
            Id = "system-scan-all",
            Kind = FindingKind.System,
            Verdict = SystemWord.ScanAllBlocked,
            Severity = Severity.Critical,
            Type = ScanType.ScanAll,
            ExecutionId = scanAll.Id,
            Count = stuck,
            Since = scanAll.Started,
            What = $"A manual scan-all is refused because of execution {scanAll.Id}, whose open tasks are all stuck.",
            Evidence = [$"Execution {scanAll.Id} is the newest manual scan-all and Running; {Words.Count(stuck, "task")} of it {(stuck == 1 ? "is" : "are")} open and stuck."],
            Blocked = new Blocked { ScanAll = true, Text = "A manual scan-all is refused; scheduled ones still start." },
            Healing = new Healing(null, null, "When its stuck tasks end."),
            Repair = "Repair its stuck tasks; the execution follows.",
            Avoid = ["Do not delete the execution."],
        };
    }
}
