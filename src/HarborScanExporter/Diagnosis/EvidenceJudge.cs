using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>Judges an open scan task by what the job service's Redis holds of its job (design 3.2; harbor-facts 8.6).</summary>
internal static class EvidenceJudge
{
    /// <summary>Two looks lie at least this far apart before an absence counts as proven.</summary>
    public const double TwoSightings = 60;

    /// <summary>A live job service empties the lists of dead pools within ten and a half minutes (harbor-facts 6.1).</summary>
    private const double DeadPoolSettle = 15 * 60;

    /// <summary>An acknowledged end is in the row already; this much is left for a standby that lags.</summary>
    private const double AcknowledgedSettle = 15 * 60;

    /// <summary>
    /// A worker whose job has lost its record brings its process down when it next asks the scanner, some seconds later (harbor-facts 0.2); only one that
    /// is storing a result asks no more, and is done within minutes.
    /// </summary>
    private const double PollSettle = 5 * 60;

    /// <summary>The reaper sends an unacknowledged end again within its hour; two rounds and ten minutes.</summary>
    private const double UnacknowledgedSettle = 130 * 60;

    /// <summary>What is missing of the job; a sighting of it is remembered between collections.</summary>
    public static Absence AbsenceOf(JobEvidence job, JobServiceEvidence service) => job switch
    {
        { Holder: { } pool } when pool.IsAliveAt(service.Now) => Absence.None,
        { IsQueued: true } => Absence.None,
        { Holder.Heartbeat: null, Holder: not null } => Absence.Pool,
        { Holder: not null } => Absence.None,
        { Record: null } => Absence.Record,
        { Record.IsFinal: true } => Absence.None,
        _ => service.ListsReadWhole ? Absence.Place : Absence.None,
    };

    /// <summary>
    /// The first rule that fits decides; a row that changed meanwhile is the caller's business. Redis may stand still: of a row that is newer than its newest
    /// sign of life it proves nothing.
    /// </summary>
    /// <param name="task">An open task.</param>
    /// <param name="job">What Redis holds of its job.</param>
    /// <param name="stored">Whether every report the task names is stored.</param>
    /// <param name="seenFor">For how many seconds <see cref="AbsenceOf"/> has said the same of the same row.</param>
    /// <param name="rows">What the database as a whole says.</param>
    /// <param name="service">What Redis as a whole says; usable.</param>
    /// <param name="limits">The limits of the settings.</param>
    public static Judgement Judge(ScanTask task, JobEvidence job, bool stored, double seenFor, RowEvidence rows, JobServiceEvidence service, Limits limits)
    {
        var judgement = ByRules(task, job, stored, seenFor, rows, service, limits);
        if (!judgement.IsStuck || service.IsNewerThan(task, job)) return judgement;
        return task.RowAge(rows.Now) < Limits.Young ? Judgement.Settling : Judgement.Unjudged;
    }

    private static Judgement ByRules(ScanTask task, JobEvidence job, bool stored, double seenFor, RowEvidence rows, JobServiceEvidence service, Limits limits) => job switch
    {
        { Holder: { } pool } when pool.IsAliveAt(service.Now) => Held(task, job, rows, service, limits),
        { IsQueued: true } => service.Scans.Paused ? Judgement.Paused : task.IsRunning ? Judgement.Requeued : Judgement.Queued,
        // Put back into the queue, a job that is over is dropped there without a word: its record decides, not its place.
        { Holder: { } pool, Record: not { IsFinal: true } } => Stranded(pool, seenFor, service),
        { Record: null } => Unknown(task, stored, seenFor, service),
        { Record: { IsFinal: true } record } => Over(record, rows, service),
        _ => Unlisted(task, seenFor, service),
    };

    /// <summary>What rows say for certain of a task beyond those judged in one collection.</summary>
    public static Judgement BeyondBound(ScanTask task, RowEvidence rows, JobServiceEvidence service, Limits limits)
    {
        if (task.IsRunning) return task.RunningAge(rows.Now) > limits.RunningLimit ? Judgement.Unjudged : Judgement.Running;
        if (task.IsAcknowledged) return service.Scans.Paused ? Judgement.Paused : Judgement.Queued;
        return task.RowAge(rows.Now) < Limits.Young ? Judgement.Settling : Judgement.Unjudged;
    }

    /// <summary>A task when Redis is configured and cannot be used: only what Harbor will never heal is called stuck.</summary>
    public static Judgement Blind(ScanTask task, bool stored, RowEvidence rows, Limits limits)
    {
        var age = task.AgeAt(rows.Now);
        if (age > limits.Never) return stored ? Judgement.Unreported : task.IsRunning ? Judgement.Overdue : Judgement.Lost;
        return task.RowAge(rows.Now) < Limits.Young ? Judgement.Settling : Judgement.Unjudged;
    }

    private static Judgement Held(ScanTask task, JobEvidence job, RowEvidence rows, JobServiceEvidence service, Limits limits)
    {
        if (job.Record is { IsFinal: true }) return Judgement.Settling;
        // A row that still waits tells when it was queued, not when its worker began.
        var runs = job.WorkerStarted is { } started ? service.Now - started : task.IsRunning ? task.RunningAge(rows.Now) : 0;
        return runs > limits.RunningLimit ? Judgement.Hung : Judgement.Running;
    }

    private static Judgement Stranded(WorkerPool pool, double seenFor, JobServiceEvidence service)
    {
        if (service.UpSince is not { } upSince) return Judgement.Requeued;
        var since = pool.Heartbeat is { } heartbeat ? service.Now - Math.Max(heartbeat, upSince) : Math.Min(seenFor, service.Now - upSince);
        return since > DeadPoolSettle ? Judgement.NotQueued : Judgement.Requeued;
    }

    private static Judgement Over(JobRecord record, RowEvidence rows, JobServiceEvidence service)
    {
        // An end that does not tell its time may be of this moment.
        var ended = record.Updated ?? service.Now;
        if (record.IsAcknowledged) return service.Now - ended > AcknowledgedSettle ? Judgement.Unreported : Judgement.Settling;
        // While Harbor is read-only or no job service lives, no round of the reaper comes through: that is one finding of its own.
        if (rows.ReadOnly || service.UpSince is not { } upSince) return Judgement.Settling;
        return service.Now - Math.Max(ended, upSince) > UnacknowledgedSettle ? Judgement.Unreported : Judgement.Settling;
    }

    private static Judgement Unlisted(ScanTask task, double seenFor, JobServiceEvidence service)
    {
        if (!service.ListsReadWhole) return task.IsRunning ? Judgement.Unjudged : service.Scans.Paused ? Judgement.Paused : Judgement.Queued;
        return seenFor >= TwoSightings ? Judgement.NotQueued : Judgement.Settling;
    }

    private static Judgement Unknown(ScanTask task, bool stored, double seenFor, JobServiceEvidence service)
    {
        if (stored) return Judgement.Unreported;
        if (seenFor < TwoSightings) return Judgement.Settling;
        return task.IsRunning && (task.Updated ?? task.Started ?? task.Created) is { } began && MayRunInMemory(began, seenFor, service) ? Judgement.Settling : Judgement.Lost;
    }

    /// <summary>
    /// Whether a worker may still be at a scan whose record is gone, and report its end: Redis was emptied a moment ago under a pool that still lives and was up
    /// when the scan began. Job types that are missing in known_jobs show that it was; where none is missing, it was before the newest pool started, which has
    /// announced them all.
    /// </summary>
    /// <param name="began">When the scan began, or when its row was changed since; seconds since 1970.</param>
    /// <param name="goneFor">For how many seconds the loss has been seen.</param>
    /// <param name="service">What Redis as a whole says.</param>
    public static bool MayRunInMemory(double began, double goneFor, JobServiceEvidence service)
    {
        if (goneFor >= PollSettle || service.UpSince is not { } upSince || began < upSince - 1) return false;
        return service.EmptiedUnderPools || service.Pools.Any(newer => newer.Started >= began && service.Now - newer.Started < PollSettle
            && service.Pools.Any(older => older.Id != newer.Id && older.IsAliveAt(service.Now) && older.Started <= began + 1));
    }
}
