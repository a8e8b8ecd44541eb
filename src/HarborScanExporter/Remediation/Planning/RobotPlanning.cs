using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Decides on a robot account that a scan left behind (harbor-facts 5.6, S19).</summary>
internal static class RobotPlanning
{
    /// <summary>The verdict of the audit and of plans.</summary>
    public const string Leaked = "leaked_robot";

    /// <summary>A robot is made in the transaction of its task and before its job is queued; this much covers the clocks.</summary>
    private const double Slack = 600;

    /// <summary>The decision. A robot that a job may still sign in with stays.</summary>
    public static Decision Decide(LeakedRobot robot, Look look, PastOfThings past, RemediationSettings settings)
    {
        var service = look.Diagnosed.JobService;
        if (!settings.Robots) return Refuse(SkipReason.SwitchedOff, $"Leaked robot accounts are not removed. Set {Setting.Names.RemediationRobots} to on.");
        if (!look.HasApi) return Refuse(SkipReason.NeedsApi, "Only Harbor's API removes a robot account with its permissions. Set HARBOR_API_USERNAME.");
        if (!service.ListsReadWhole) return Refuse(SkipReason.NoProof, "The queue was read in part only: a job in it may need the account.");
        if ((robot.EndedBy is null ? OfUnknownTask(robot, look) : OfEndedTask(robot, look)) is { } refusal) return refusal;
        if (past.Forbids(past.OfRobot(robot.Id), 0) is { } forbidden) return Refuse(forbidden.Reason, forbidden.Text) with { HoldsFor = forbidden.HoldsFor };
        return new PlannedRepair
        {
            Action = RepairAction.DeleteRobot,
            FindingId = SystemWord.LeakedRobots,
            Verdict = Leaked,
            Text = $"Harbor's API removes robot account {robot.Id}, which a scan left behind.",
            Evidence =
            [
                robot.EndedBy is { } repair
                    ? $"It was made for the scan that repair {repair} ended; the scan is over, and no queue, worker or open record holds its job."
                    : $"It was made for a scan at {Words.Time(robot.Created)}; no open task names it, and nothing as old waits.",
            ],
            RobotId = robot.Id,
        };
    }

    /// <summary>Whose it was no row tells any more: no job that may be as old as it may wait, and no task of its time be open that names no account.</summary>
    private static Refusal? OfUnknownTask(LeakedRobot robot, Look look)
    {
        var scans = look.Diagnosed.JobService.Scans;
        if (scans.Length > 0 && (scans.Oldest is not { } oldest || oldest <= robot.Created + Slack))
            return Refuse(SkipReason.JobQueued, "A job as old as the account waits in the queue and may need it.");
        if (look.OpenWithoutRobot.Any(created => created is not { } made || Math.Abs(made - robot.Created) <= Slack))
            return Refuse(SkipReason.TaskFirst, "An open scan of which nobody can tell the account was made with it.");
        return null;
    }

    /// <summary>Its task was ended by a repair; what Redis holds of the job says whether anything may still sign in.</summary>
    private static Refusal? OfEndedTask(LeakedRobot robot, Look look) => robot.Job switch
    {
        null => Refuse(SkipReason.NoProof, "Redis was not asked about the job that it was made for."),
        { Holder: not null } => Refuse(SkipReason.WorkerHolds, "A worker, or the list of a pool, holds the job that it was made for."),
        { IsQueued: true } => Refuse(SkipReason.JobQueued, "The job that it was made for waits in the queue."),
        { Record.IsFinal: false } => Refuse(SkipReason.RecordOpen, "The record of the job that it was made for is open."),
        // Redis was emptied a moment ago under a worker that lives: it may still be at the scan and sign in with the account.
        { Record: null } when EvidenceJudge.MayRunInMemory(robot.Created, look.Diagnosed.JobService.EmptiedFor, look.Diagnosed.JobService) =>
            Refuse(SkipReason.NoProof, "Redis was emptied while a worker may have been at the job that it was made for."),
        { Record: null or { IsFinal: true } } => null,
    };

    private static Refusal Refuse(string reason, string text) => new(SystemWord.LeakedRobots, Leaked, reason, text);
}
