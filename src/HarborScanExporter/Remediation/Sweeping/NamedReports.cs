using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Sweeping;

/// <summary>Whether a task is the last that shows a report; without it Harbor shows the report as Error (harbor-facts 6.2, S18).</summary>
internal static class NamedReports
{
    /// <summary>Whether the task names reports, all of them legibly, and none of them exists.</summary>
    public static bool AreGone(TaskAttributes named, Func<string, bool> exists) =>
        named.ReportUuids.Count > 0 && named.ReportUuids.All(uuid => uuid.Length > 0 && !exists(uuid));
}
