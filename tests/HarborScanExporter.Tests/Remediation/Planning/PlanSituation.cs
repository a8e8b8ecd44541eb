using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>An open scan of a situation: its row, what Redis holds of its job (null: not asked), and how long that has been missing.</summary>
internal sealed record OpenScan(ScanTask Task, JobEvidence? Job, bool Stored = false, double AbsentFor = 3600)
{
    /// <summary>For how long it has been stuck; null for as long as everything else.</summary>
    public double? SeenFor { get; init; }

    /// <summary>When its report was made; null when the report does not say.</summary>
    public double? Generated { get; init; }
}

/// <summary>
/// All that a plan rests on, made of parts. What is stuck is judged as the product judges it, so that a test leads from the evidence to the
/// action. Times are seconds since 1970.
/// </summary>
internal sealed record PlanSituation
{
    /// <summary>The clock of the database and of Redis.</summary>
    public const double Now = 1_790_000_000;

    public const double Minute = 60;
    public const double Hour = 3600;
    public const double Day = 24 * Hour;

    /// <summary>A job id as Harbor makes them.</summary>
    public const string JobId = "d318c1b17dff242a33f02544";

    public static readonly WorkerPool Live = new("9f1c000000000000000000a1", Now - 3, Now - 2 * Day, 10, "jobservice-1");

    public static readonly RemediationSettings Armed = new()
    {
        Mode = RemediationMode.Execute,
        MaxPerRun = 50,
        MaxPerHour = 500,
        MaxPerDay = 2000,
        MaxShare = 0.5,
        Cooldown = TimeSpan.FromHours(1),
        MaxAttempts = 2,
        Robots = true,
        PauseFile = "/run/pause",
    };

    public IReadOnlyList<OpenScan> Scans { get; init; } = [];

    public IReadOnlyList<InconsistentExecution> Executions { get; init; } = [];

    public IReadOnlyList<WrongCodeTask> WrongCodes { get; init; } = [];

    public IReadOnlyList<LeakedRobot> Robots { get; init; } = [];

    public IReadOnlyList<double?> OpenWithoutRobot { get; init; } = [];

    public JobServiceEvidence Service { get; init; } = new() { State = EvidenceState.Usable, Now = Now, Pools = [Live], ListsReadWhole = true };

    public long Schema { get; init; } = 140;

    public bool HasApi { get; init; }

    /// <summary>For how long every finding has been seen as it is.</summary>
    public double SeenFor { get; init; } = 3600;

    public bool? ReadOnly { get; init; } = false;

    public bool Standby { get; init; }

    public double? NewestSuccess { get; init; }

    public IReadOnlySet<string>? PausedQueues { get; init; }

    public IReadOnlyDictionary<string, long> JobOwners { get; init; } = new Dictionary<string, long>();

    public RepairHistory History { get; init; } = new() { Now = Now, ReadOnly = false };

    public PlanTerms Terms { get; init; } = new() { Settings = Armed };

    public RemediationSettings Settings
    {
        init => Terms = Terms with { Settings = value };
    }

    /// <summary>The past of the things that are stuck.</summary>
    public IReadOnlyList<PastRepair> Past
    {
        init => History = History with { OfCandidates = value };
    }

    public Look Look
    {
        get
        {
            var service = Service with
            {
                Jobs = Scans.Where(scan => scan.Job is not null && scan.Task.JobId.Length > 0).GroupBy(scan => scan.Task.JobId)
                    .ToDictionary(group => group.Key, group => group.First().Job!),
            };
            var rows = new RowEvidence { Now = Now, OpenTasks = Scans.Count, AcknowledgedBacklog = false, ReadOnly = ReadOnly ?? false };
            var limits = new Limits { MaxJobDuration = Day, LostAfter = 2 * Hour, RunningLimit = 2 * Hour, Settle = 5 * Minute };
            var judging = new Judging(rows, service, limits, Scans.ToDictionary(scan => scan.Task.Id, scan => scan.AbsentFor));
            var diagnosed = new Diagnosed
            {
                Now = Now,
                SchemaVersion = Schema,
                Tasks =
                [
                    .. Scans.Select(scan => new JudgedTask
                    {
                        Task = scan.Task,
                        Judgement = judging.Judge(scan.Task, scan.Stored),
                        Job = Judging.JobOf(scan.Task, service),
                        SeenFor = scan.AbsentFor,
                        Named = new TaskAttributes(7, 3, []),
                        Reports = scan.Stored ? [new ScanReport("7f1c", "sha256:1", true) { Generated = scan.Generated }] : [],
                        Stored = scan.Stored,
                    }),
                ],
                Executions = Executions,
                WrongCodes = [.. WrongCodes.CountBy(task => (task.Type, task.ExecutionId)).Select(counted => new WrongCodes(counted.Key.Type, counted.Key.ExecutionId, counted.Value))],
                SweepBlocked = new Dictionary<string, IReadOnlyList<long>>(),
                JobService = service,
                PausedQueues = PausedQueues,
                ReadOnly = ReadOnly,
                NewestSuccess = NewestSuccess,
            };
            string[] findings =
            [
                .. Executions.Select(found => FindingId.OfExecution(found.Execution.Id)),
                .. WrongCodes.Select(task => FindingId.OfCodes(task.ExecutionId)).Distinct(),
            ];
            return new Look
            {
                Diagnosed = diagnosed,
                Facts = new DatabaseFacts { SchemaVersion = Schema, Now = Now, Standby = Standby },
                Findings = new Dictionary<string, Finding>(),
                SeenFor = findings.Select(id => (id, SeenFor)).Concat(Scans.Select(scan => (FindingId.OfTask(scan.Task.Id), scan.SeenFor ?? SeenFor)))
                    .ToDictionary(seen => seen.Item1, seen => seen.Item2),
                LifeAge = new VerdictSightings(new FakeTimeProvider()).LifeAge(diagnosed, History.NewestOwnSuccess),
                JobOwners = JobOwners,
                WrongCodes = WrongCodes,
                LeakedRobots = Robots,
                OpenWithoutRobot = OpenWithoutRobot,
                HasApi = HasApi,
            };
        }
    }

    public RepairPlan Plan() => Planner.Of(Look, History, Terms);

    /// <summary>The plan in words, a line each: what forbids all, what is done, what is left alone.</summary>
    public string Told() => Told(Plan());

    public static string Told(RepairPlan plan) => string.Join('\n',
    [
        .. plan.Blocks.Select(block => $"block {block.Reason}"),
        .. plan.Repairs.Select(repair => string.Join(' ', new[] { repair.Action.Word(), repair.Status, repair.FindingId }.OfType<string>())),
        .. plan.Refusals.Select(refusal => refusal.Reason == "live" ? $"live {refusal.Verdict} {refusal.Count}" : $"{refusal.Reason} {refusal.FindingId}"),
    ]);

    /// <summary>A task that waits.</summary>
    public static ScanTask Pending(long id = 1, double age = 5 * Hour, long revision = 0, string jobId = JobId, string type = "IMAGE_SCAN") => new()
    {
        Id = id,
        ExecutionId = 100 + id,
        Type = type,
        Status = "Pending",
        StatusCode = 0,
        StatusRevision = revision,
        RunCount = revision > 0 ? 1 : 0,
        JobId = jobId,
        Created = Now - age,
        Updated = Now - age,
        ExecutionStarted = Now - age,
    };

    /// <summary>A task at which a worker was said to begin so long ago.</summary>
    public static ScanTask Running(long id = 1, double age = 5 * Hour, string jobId = JobId, string type = "IMAGE_SCAN") => new()
    {
        Id = id,
        ExecutionId = 100 + id,
        Type = type,
        Status = "Running",
        StatusCode = 2,
        StatusRevision = (long)(Now - age - 60),
        RunCount = 1,
        JobId = jobId,
        Created = Now - age - 60,
        Started = Now - age - 60,
        Updated = Now - age,
        ExecutionStarted = Now - age - 60,
    };

    /// <summary>An execution and what is wrong with it.</summary>
    public static InconsistentExecution InconsistentRow(string kind, string type = "IMAGE_SCAN", string status = "Running", int open = 0, long tasks = 1) =>
        new(new ScanExecution { Id = 500, Type = type, Status = status, Trigger = "MANUAL", Started = Now - 5 * Hour, Updated = Now - 5 * Hour }, kind, open, tasks);

    /// <summary>A task that is final by its status alone.</summary>
    public static WrongCodeTask WrongCode(JobEvidence? job, long id = 31, int code = 0, double age = 5 * Hour, string status = "Stopped") =>
        new(id, 600, "IMAGE_SCAN", JobId, new Fence(status, code, 0, Now - age), job);

    /// <summary>The job's record.</summary>
    public static JobRecord Record(string status, double age = Hour, string? acknowledged = null) =>
        new(status, (long)(Now - 5 * Hour), Now - age, acknowledged is null ? null : ((long)(Now - 5 * Hour), ScanStatus.CodeOf(acknowledged)));

    public static JobEvidence Held(double since, WorkerPool? by = null) =>
        new() { Holder = by ?? Live, WorkerStarted = Now - since, Record = Record("Running", since, "Running") };

    /// <summary>A line of the audit about task 1.</summary>
    public static PastRepair Repair(string action, string state, double age, string? failure = null, long revision = 0, long id = 1, long? task = 1) => new()
    {
        Id = id,
        Action = action,
        State = state,
        Failure = failure,
        TaskId = task,
        ExecutionId = 101,
        Revision = revision,
        At = Now - age,
        EndedAt = state == "intended" ? null : Now - age,
    };
}
