using System.Text.RegularExpressions;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>The addresses of runbooks: one page for each alert, named like it.</summary>
internal static partial class Runbooks
{
    /// <summary>The alerts that a dashboard may link to.</summary>
    public static readonly IReadOnlySet<string> Names = new HashSet<string>(StringComparer.Ordinal)
    {
        "HarborScanStuck",
        "HarborScanStuckLong",
        "HarborScanLost",
        "HarborScanUnreported",
        "HarborScanHung",
        "HarborScanAllBlocked",
        "HarborScanSweepBlocked",
        "HarborScanSweepOverdue",
        "HarborScanInconsistentRows",
        "HarborScanNoSuccess",
        "HarborScanErrorRatio",
        "HarborScanQueueNotMoving",
        "HarborScanQueuePausedLong",
        "HarborScanQueuePausedNearLimit",
        "HarborScanQueueOld",
        "HarborScanBacklogGrowing",
        "HarborScanJobserviceDown",
        "HarborScanNoWorkers",
        "HarborScanGhostWorkers",
        "HarborScanOrphanHooks",
        "HarborScanUnknownToJobservice",
        "HarborScanRobotsLeaked",
        "HarborScanExporterDown",
        "HarborScanExporterBlind",
        "HarborScanTargetVanished",
        "HarborScanCollectorFailing",
        "HarborScanReconciliationStale",
        "HarborScanReconciliationDrift",
        "HarborScanExpensiveScrape",
        "HarborScanJobserviceUnreadable",
        "HarborScanRedisDatabaseWrong",
        "HarborScanMetricsMissing",
        "HarborScanSnapshotStale",
        "HarborScanClockSkew",
        "HarborScanWatchdog",
        "HarborScanRemediationFailing",
        "HarborScanRemediationReverted",
        "HarborScanRemediationBreakerOpen",
        "HarborScanRemediationCapReached",
        "HarborScanRemediationAuditFailing",
        "HarborScanRemediationPausedLong",
    };

    public static bool IsRunbook(string url) => Address().IsMatch(url) && Names.Contains(Address().Match(url).Groups["name"].Value);

    /// <summary>The names of all runbook pages that a text links to.</summary>
    public static IEnumerable<string> NamedIn(string text) => Linked().Matches(text).Select(match => match.Groups["name"].Value);

    [GeneratedRegex(@"^https://github\.com/harbor-scan-exporter/harbor-scan-exporter/blob/main/alerts/runbooks/(?<name>\w+)\.md$")]
    private static partial Regex Address();

    [GeneratedRegex(@"alerts/runbooks/(?<name>\w*)")]
    private static partial Regex Linked();
}
