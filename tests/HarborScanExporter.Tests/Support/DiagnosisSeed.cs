using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Support;

/// <summary>What the judges are given: rows, what Redis holds of their jobs, and a whole diagnosis, with defaults of a Harbor that works.</summary>
internal static class DiagnosisSeed
{
    /// <summary>2026-09-21 12:00:00 UTC, by both clocks.</summary>
    public const double Now = 1_789_992_000;

    public const double Minute = 60;
    public const double Hour = 3600;
    public const double RunningLimit = 2 * Hour;
    public const double Never = 26 * Hour;

    public const string Job = "d318c1b17dff242a33f02544";

    public static readonly Limits Defaults = new() { MaxJobDuration = 24 * Hour, LostAfter = 2 * Hour + 600, RunningLimit = RunningLimit, Settle = 300 };

    public static readonly RowEvidence Rows = new() { Now = Now, OpenTasks = 3, AcknowledgedBacklog = false, Hooks = new HookActivity(Now - 10 * Hour, Now) };

    /// <summary>A pool that has lived for two days.</summary>
    public static readonly WorkerPool Alive = new("9f1c000000000000000000a1", Now - 2, Now - 48 * Hour, 10, "jobservice-1");

    /// <summary>A readable Redis with that pool and lists read in whole.</summary>
    public static readonly JobServiceEvidence Service = new()
    {
        State = EvidenceState.Usable,
        Address = "redis:6379/2",
        Now = Now,
        Pools = [Alive],
        Workers = 10,
        ListsReadWhole = true,
    };

    /// <summary>A readable Redis without any pool.</summary>
    public static readonly JobServiceEvidence Down = Service with { Pools = [], Workers = 0 };

    /// <summary>A pool that beat so long ago.</summary>
    public static WorkerPool Dead(double beat) => new("dead0000000000000000dead", Now - beat, Now - 48 * Hour, 10, "jobservice-0");

    /// <summary>A pool of which only its list is left.</summary>
    public static WorkerPool Unknown { get; } = new("gone0000000000000000gone", null, null, 0, null);

    public static ScanTask Waiting(double age, long revision = 0) => new()
    {
        Id = 307257,
        ExecutionId = 164617,
        Type = ScanType.ImageScan,
        Status = ScanStatus.Pending,
        StatusCode = 0,
        StatusRevision = revision,
        RunCount = revision > 0 ? 1 : 0,
        JobId = Job,
        Created = Now - age,
    };

    public static ScanTask Running(double age) => Waiting(age + 60, revision: (long)(Now - age - 60)) with
    {
        Status = ScanStatus.Running,
        StatusCode = 2,
        Updated = Now - age,
    };

    /// <summary>A record whose status is so old.</summary>
    /// <param name="status">Harbor's word.</param>
    /// <param name="age">Seconds since it changed.</param>
    /// <param name="acknowledged">The word core has taken; null for none.</param>
    public static JobRecord Record(string status, double age = 0, string? acknowledged = null) =>
        new(status, (long)(Now - age), Now - age, acknowledged is null ? null : ((long)(Now - age), ScanStatus.CodeOf(acknowledged)));

    public static ScanExecution Execution(string type = ScanType.ScanAll, string status = ScanStatus.Running, double age = 28 * Hour, long id = 812, string trigger = "MANUAL") =>
        new() { Id = id, Type = type, Status = status, Trigger = trigger, Started = Now - age };

    public static JudgedTask Judged(Judgement judgement, ScanTask? task = null, JobEvidence? job = null, TaskAttributes? named = null, params ScanReport[] reports) => new()
    {
        Task = task ?? Waiting(5 * 24 * Hour),
        Judgement = judgement,
        Job = job,
        Named = named,
        Reports = reports,
        Stored = reports.Length > 0 && reports.All(report => report.Stored),
    };

    /// <summary>A diagnosis of a 2.13.0 that found nothing beside these tasks.</summary>
    public static Diagnosed Diagnosed(params JudgedTask[] tasks) => new()
    {
        Now = Now,
        SchemaVersion = 160,
        Tasks = tasks,
        Executions = [],
        WrongCodes = [],
        SweepBlocked = new Dictionary<string, IReadOnlyList<long>>(),
        JobService = Service,
    };
}
