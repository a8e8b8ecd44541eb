using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>What was done to one thing before, and whether that forbids another repair (conventions 5.7, 5.10).</summary>
internal sealed class PastOfThings
{
    private static readonly string Rescan = RepairAction.Rescan.Word();
    private static readonly string Sweep = RepairAction.Sweep.Word();

    private readonly RepairHistory _history;
    private readonly RemediationSettings _settings;
    private readonly ILookup<long, PastRepair> _ofTasks;
    private readonly ILookup<long, PastRepair> _ofExecutions;
    private readonly ILookup<long, PastRepair> _ofRobots;

    public PastOfThings(RepairHistory history, RemediationSettings settings)
    {
        (_history, _settings) = (history, settings);
        _ofTasks = history.OfCandidates.Where(past => past.TaskId is not null).ToLookup(past => past.TaskId!.Value);
        _ofExecutions = history.OfCandidates.Where(past => past is { TaskId: null, ExecutionId: not null }).ToLookup(past => past.ExecutionId!.Value);
        _ofRobots = history.OfCandidates.Where(past => past is { TaskId: null, RobotId: not null }).ToLookup(past => past.RobotId!.Value);
    }

    public double Now => _history.Now;

    /// <summary>Repairs of a task's row.</summary>
    public IReadOnlyList<PastRepair> OfTask(long id) => [.. _ofTasks[id].Where(past => past.Action != Rescan)];

    /// <summary>Scans anew of a task's artifact; they are no repair of its row.</summary>
    public IReadOnlyList<PastRepair> RescansOf(long task) => [.. _ofTasks[task].Where(past => past.Action == Rescan)];

    /// <summary>Repairs of an execution's row.</summary>
    public IReadOnlyList<PastRepair> OfExecution(long id) => [.. _ofExecutions[id].Where(past => past.Action != Sweep)];

    /// <summary>Removals of an execution.</summary>
    public IReadOnlyList<PastRepair> SweepsOf(long execution) => [.. _ofExecutions[execution].Where(past => past.Action == Sweep)];

    public IReadOnlyList<PastRepair> OfRobot(long id) => [.. _ofRobots[id]];

    /// <summary>A row that another transaction held is tried again no sooner, in seconds: a batch waits half a second for each.</summary>
    private const double HeldSettle = 10;

    /// <summary>Why the past forbids a repair now; null when it does not.</summary>
    /// <param name="past">All that was done to the thing.</param>
    /// <param name="revision">The row's revision; a repair that a person took back is never repeated at the same one.</param>
    /// <param name="answered">An act that is followed up now and so forbids nothing.</param>
    public (string Reason, string Text, double? HoldsFor)? Forbids(IReadOnlyList<PastRepair> past, long revision, PastRepair? answered = null)
    {
        if (past.FirstOrDefault(one => one.State == RepairState.Undone && one.Revision == revision && !one.HasMovedOn) is { } undone)
            return (SkipReason.Undone, $"A person took repair {undone.Id} of the same row back. Repair it by hand, or wait for the row to move on.", null);
        if (past.FirstOrDefault(one => one.State == RepairState.Intended) is { } open)
            return (SkipReason.InProgress, $"Repair {open.Id} of it is under way.", null);
        // A repair taken back is a line of its own, and none of ours.
        PastRepair[] others = [.. past.Where(one => one != answered && one.Action != AuditLine.Undo)];
        var done = others.Where(one => one.State is RepairState.Done or RepairState.NoEffect).ToArray();
        if (done.Length >= _settings.MaxAttempts)
            return (SkipReason.Attempts, $"It was repaired {Words.Number(done.Length)} times and is stuck again ({Setting.Names.RemediationMaxAttempts}). A person has to look.", null);
        // A lost race, a held lock and a pause changed nothing and say nothing against another try.
        var newest = others.Where(one => one.Failure is not (RepairFailure.LostRace or RepairFailure.Locked or RepairFailure.Paused)).MaxBy(one => one.At);
        if (newest is not null && newest.At + _settings.Cooldown.TotalSeconds - _history.Now is > 0 and var left)
            return (SkipReason.CoolingDown, $"Repair {newest.Id} of it is {Words.Duration(_history.Now - newest.At)} old ({Setting.Names.RemediationCooldown}).", left);
        var held = others.Where(one => one.Failure == RepairFailure.Locked).MaxBy(one => one.At);
        if (held is not null && held.At + HeldSettle - _history.Now is > 0 and var rest)
            return (SkipReason.CoolingDown, "Another transaction held it a moment ago.", rest);
        return null;
    }
}
