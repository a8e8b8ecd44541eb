using HarborScanExporter.Diagnosis;
using HarborScanExporter.Scraping;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Remediation;

/// <summary>Decides on a robot account that a scan left behind (harbor-facts 5.6, S19).</summary>
internal static class RobotPlanning
{
    /// <summary>The verdict of the audit and of plans.</summary>
    public const string Leaked = "leaked_robot";

    /// <summary>A robot is made before its job is queued; this much covers the clocks.</summary>
    private const double Slack = 600;

    /// <summary>The decision. A robot that a job in Redis may still sign in with stays: no job as old as it may wait or run.</summary>
    public static Decision Decide(LeakedRobot robot, Look look, PastOfThings past, RemediationSettings settings)
    {
        var service = look.Diagnosed.JobService;
        if (!settings.Robots) return Refuse(SkipReason.SwitchedOff, $"Leaked robot accounts are not removed. Set {Setting.Names.RemediationRobots} to on.");
        if (!look.HasApi) return Refuse(SkipReason.NeedsApi, "Only Harbor's API removes a robot account with its permissions. Set HARBOR_API_USERNAME.");
        if (!service.ListsReadWhole) return Refuse(SkipReason.NoProof, "The queue was read in part only: a job in it may need the account.");
        if (service.Scans.Length > 0 && (service.Scans.Oldest is not { } oldest || oldest <= robot.Created + Slack))
            return Refuse(SkipReason.JobQueued, "A job as old as the account waits in the queue and may need it.");
        // What runs does not tell since when it was queued.
        if (look.Diagnosed.Tasks.Any(task => (task.Task.Created ?? 0) <= robot.Created + Slack))
            return Refuse(SkipReason.TaskFirst, "A scan as old as the account is not over.");
        if (past.Forbids(past.OfRobot(robot.Id), 0) is { } forbidden) return Refuse(forbidden.Reason, forbidden.Text) with { HoldsFor = forbidden.HoldsFor };
        return new PlannedRepair
        {
            Action = RepairAction.DeleteRobot,
            FindingId = SystemWord.LeakedRobots,
            Verdict = Leaked,
            Text = $"Harbor's API removes robot account {robot.Id}, which a scan left behind.",
            Evidence = [$"It was made for a scan at {Words.Time(robot.Created)}; no open task names it, and nothing as old waits or runs."],
            RobotId = robot.Id,
        };
    }

    private static Refusal Refuse(string reason, string text) => new(SystemWord.LeakedRobots, Leaked, reason, text);
}
