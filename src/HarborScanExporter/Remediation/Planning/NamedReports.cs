using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Whether a task is the last that shows a report; without it Harbor shows the report as Error (harbor-facts 6.2, S18).</summary>
internal static class NamedReports
{
    /// <summary>
    /// Whether the task names reports, all of them legibly, and shows none of them: each is gone, or a task of a newer execution names it too, as on Harbors
    /// that keep a report through a rescan (harbor-facts 0.2).
    /// </summary>
    /// <param name="named">What the task names.</param>
    /// <param name="execution">Its execution.</param>
    /// <param name="exists">Whether a report exists.</param>
    /// <param name="sharing">Which other tasks name a report.</param>
    public static bool AreGone(TaskAttributes named, long execution, Func<string, bool> exists, Func<string, ReportSharing> sharing) =>
        named.ReportUuids.Count > 0 && named.ReportUuids.All(uuid => uuid.Length > 0 && (!exists(uuid) || sharing(uuid).NewestExecution > execution));
}
