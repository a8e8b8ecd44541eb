using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics;

/// <summary>What this process did about repairs since its start, and whether it may; what the audit holds is read from there.</summary>
internal sealed class RemediationCounters(ExporterSettings settings)
{
    public static readonly Family Armed = new("harbor_scan_remediation_armed", "1 for the mode of repairs that the settings allow, 0 for the others.", "mode");

    public static readonly Family Requests = new("harbor_scan_remediation_requests_total", "Requests for a repair that this process took: alerts, people and scripts.");

    public static readonly Family Rejected = new("harbor_scan_remediation_requests_rejected_total", "Requests for a repair that started none, by reason.", "reason");

    public static readonly Family Skipped = new("harbor_scan_remediation_skipped_total",
        "What runs of this process left alone, by reason; one run counts a thing once, the next run counts it again.", "reason");

    public static readonly Family AuditFailures = new("harbor_scan_remediation_audit_failures_total",
        "Repairs of this process that were not done because the audit could not be read or written.");

    public static readonly Family Paused = new("harbor_scan_remediation_paused", "1 while the pause file exists.");

    /// <summary>Every family of the process.</summary>
    public static IReadOnlyList<Family> Families { get; } = [Armed, Requests, Rejected, Skipped, AuditFailures, Paused];

    private readonly Dictionary<string, long> _rejected = RejectReason.All.ToDictionary(reason => reason, _ => 0L, StringComparer.Ordinal);
    private readonly Dictionary<string, long> _skipped = SkipReason.All.ToDictionary(reason => reason, _ => 0L, StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _requests;
    private long _auditFailures;

    public void Requested() => Interlocked.Increment(ref _requests);

    public void AuditFailed() => Interlocked.Increment(ref _auditFailures);

    /// <param name="reason">One of <see cref="RejectReason"/>.</param>
    public void Reject(string reason)
    {
        lock (_lock) _rejected[reason]++;
    }

    /// <param name="reason">One of <see cref="SkipReason"/>.</param>
    /// <param name="count">How many things.</param>
    public void Skip(string reason, long count = 1)
    {
        lock (_lock) _skipped[reason] += count;
    }

    /// <summary>Writes all families, those at 0 too; while repairs are off, that they are.</summary>
    public void Write(Samples samples)
    {
        var mode = settings.Remediation.Mode;
        foreach (var word in RemediationModeWords.All) samples.Add(Armed, word == mode.Word() ? 1 : 0, word);
        if (mode == RemediationMode.Off) return;
        samples.Add(Requests, Interlocked.Read(ref _requests));
        samples.Add(AuditFailures, Interlocked.Read(ref _auditFailures));
        samples.Add(Paused, settings.Remediation.PauseFile is { } file && File.Exists(file) ? 1 : 0);
        lock (_lock)
        {
            foreach (var (reason, count) in _rejected) samples.Add(Rejected, count, reason);
            foreach (var (reason, count) in _skipped) samples.Add(Skipped, count, reason);
        }
    }
}

/// <summary>Why a request started no repair: the closed set of <c>reason</c>.</summary>
internal static class RejectReason
{
    public const string BadBody = "bad_body";
    public const string TooLarge = "too_large";
    public const string Version = "version";
    public const string Resolved = "resolved";
    public const string NotAllowed = "not_allowed";
    public const string Off = "off";
    public const string Ceiling = "ceiling";
    public const string Paused = "paused";
    public const string Busy = "busy";
    public const string Rate = "rate";

    public static IReadOnlyList<string> All { get; } = [BadBody, TooLarge, Version, Resolved, NotAllowed, Off, Ceiling, Paused, Busy, Rate];
}

/// <summary>Why a thing was left alone: the closed set of <c>reason</c>.</summary>
internal static class SkipReason
{
    // Nothing at all is written.
    public const string Off = "off";
    public const string Paused = "paused";
    public const string BreakerOpen = "breaker_open";
    public const string Standby = "standby";
    public const string NoEvidence = "no_evidence";
    public const string NoWorkers = "no_workers";
    public const string ReadOnly = "read_only";
    public const string QueuePaused = "queue_paused";
    public const string UnknownSchema = "unknown_schema";
    public const string StaleLook = "stale_look";
    public const string Share = "share";

    // One thing is left alone.
    public const string SecondLook = "second_look";
    public const string NoProof = "no_proof";
    public const string NeedsApi = "needs_api";
    public const string WorkerHolds = "worker_holds";
    public const string RecordOpen = "record_open";
    public const string Stranded = "stranded";
    public const string JobQueued = "job_queued";
    public const string SharedJob = "shared_job";
    public const string TaskFirst = "task_first";
    public const string InProgress = "in_progress";
    public const string CoolingDown = "cooling_down";
    public const string Attempts = "attempts";
    public const string Undone = "undone";
    public const string SwitchedOff = "switched_off";
    public const string HarborSweeps = "harbor_sweeps";
    public const string ArtifactGone = "artifact_gone";
    public const string QueueFull = "queue_full";
    public const string TooLarge = "too_large";
    public const string NotLookedAt = "not_looked_at";
    public const string Live = "live";

    // It is repaired later.
    public const string NextBatch = "next_batch";
    public const string CapHour = "cap_hour";
    public const string CapDay = "cap_day";

    /// <summary>All of them, in the order of the exposition.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Off, Paused, BreakerOpen, Standby, NoEvidence, NoWorkers, ReadOnly, QueuePaused, UnknownSchema, StaleLook, Share,
        SecondLook, NoProof, NeedsApi, WorkerHolds, RecordOpen, Stranded, JobQueued, SharedJob, TaskFirst, InProgress, CoolingDown, Attempts, Undone,
        SwitchedOff, HarborSweeps, ArtifactGone, QueueFull, TooLarge, NotLookedAt, Live, NextBatch, CapHour, CapDay,
    ];
}
