using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>
/// One read of Harbor, as data: each part its value or its failure. While it is read its parts come one after the other; a part that is null was not read, for
/// want of time or because nobody wants it. Whatever is told of Harbor is a function of this.
/// </summary>
internal sealed record HarborObservation
{
    /// <summary>What stands at the other end; null when the database was not reached.</summary>
    public DatabaseFacts? Facts { get; set; }

    /// <summary>What <c>execution</c> says.</summary>
    public Part<ExecutionPass>? Executions { get; set; }

    /// <summary>What <c>task</c> says.</summary>
    public Part<TaskPass>? Tasks { get; set; }

    /// <summary>The scan tasks that are not over.</summary>
    public Part<IReadOnlyList<ScanTask>>? OpenTasks { get; set; }

    /// <summary>What only whole tables tell.</summary>
    public WholeTables Whole { get; set; } = WholeTables.Unread;

    /// <summary>What the audit of repairs holds; null while repairs are off.</summary>
    public Part<AuditCounts>? Audit { get; set; }

    /// <summary>Paused queues and read-only mode, as rows tell.</summary>
    public Part<OperatorState>? OperatorState { get; set; }

    /// <summary>Executions in doubt, and blocked sweeps.</summary>
    public Part<ExecutionsInDoubt>? ExecutionsInDoubt { get; set; }

    /// <summary>What Redis says. Never fails for the sake of Redis.</summary>
    public Part<JobServiceEvidence>? JobService { get; set; }

    /// <summary>Whether Harbor is read-only: the rows' word, else that of Harbor's API; null when neither tells.</summary>
    public Part<bool?>? ReadOnly { get; set; }

    /// <summary>Jobs whose hooks nobody takes and that no task names; null where that cannot be asked.</summary>
    public Part<IReadOnlyList<string>?>? OrphanHooks { get; set; }

    /// <summary>Which tasks are stuck, which rows contradict each other.</summary>
    public Part<Diagnosed>? Diagnosis { get; set; }

    /// <summary>What its statements have read of the tables that grow; null where every look reads them whole.</summary>
    public IReadOnlyCollection<TableWork>? Work { get; set; }

    /// <summary>What is told of it.</summary>
    public IReadOnlyList<Topic> Topics { get; init; } = [];

    /// <summary>Why all of it failed, or was left before its end; null when only parts may have.</summary>
    public Exception? Failure { get; init; }

    /// <summary>Whether somebody did not wait for its end.</summary>
    public bool IsCutShort { get; init; }

    /// <summary>What came of each topic.</summary>
    public IEnumerable<TopicOutcome> Outcomes => Topics.Select(topic => topic.OutcomeOf(this));

    /// <summary>The first reason for which it failed, in whole or in part, one of <see cref="FailureReason.All"/>; null when everything of the database was read.</summary>
    public string? Reason => FirstFailure is { } failure ? FailureReason.Of(failure) : null;

    /// <summary>How many of its parts have been read by now, or have failed.</summary>
    public int Progress => new object?[] { Executions, Tasks, OpenTasks, Whole.LeakedRobots, Whole.Sweepable, Whole.OrphanReports, Audit, OperatorState, ExecutionsInDoubt, JobService, ReadOnly, OrphanHooks, Diagnosis }
        .Count(part => part is not null);

    /// <summary>The diagnosis, when it was made.</summary>
    public Diagnosed? Diagnosed => Diagnosis is { Failure: null } made ? made.Value : null;

    /// <summary>The paused queues: what Redis says where it can be read, else what Harbor's rows say; null when neither can.</summary>
    public static IReadOnlySet<string>? Paused(OperatorState state, JobServiceEvidence service)
    {
        if (!service.IsUsable) return state.PausedQueues;
        var paused = new HashSet<string>(StringComparer.Ordinal);
        if (service.Scans.Paused) paused.Add(JobType.Scan);
        if (service.Sweeps.Paused) paused.Add(JobType.Sweep);
        return paused;
    }

    private Exception? FirstFailure => Failure ?? Outcomes.FirstOrDefault(outcome => outcome is { Failure: not null, Topic.CountsForUp: true })?.Failure;

    /// <summary>Takes what an exporter that remembers rows read of them.</summary>
    public void Take(Passes passes, ReadTimes times)
    {
        Executions = Part<ExecutionPass>.Of(passes.Executions, times.Of(ReadTimes.Executions));
        Tasks = Part<TaskPass>.Of(passes.Tasks, times.Of(ReadTimes.Tasks));
    }
}

/// <summary>What the audit of repairs holds.</summary>
/// <param name="Counts">Its lines, counted.</param>
/// <param name="OfLate">Its last hours.</param>
internal sealed record AuditCounts(IReadOnlyList<RepairCount> Counts, RepairsOfLate OfLate);
