using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>The dashboards and the alerts point at each other.</summary>
public sealed partial class AlertsTests
{
    [Fact]
    public void The_alerts_that_dashboards_link_to_are_those_with_a_runbook() =>
        Assert.Equal(
            Directory.GetFiles(Repository.PathOf("alerts", "runbooks"), "HarborScan*.md").Select(Path.GetFileNameWithoutExtension)
                .Order(StringComparer.Ordinal),
            Runbooks.Names.Order(StringComparer.Ordinal));

    [Fact]
    public void Every_dashboard_that_an_alert_names_exists()
    {
        var named = DashboardAddress().Matches(Repository.Read("alerts", "harbor-scan.rules.yml"))
            .Select(match => match.Groups["uid"].Value).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(Dashboard.All.Select(dashboard => dashboard.Uid)));
    }

    [GeneratedRegex(@"^\s*dashboard_url:.*/d/(?<uid>[\w-]+)", RegexOptions.Multiline)]
    private static partial Regex DashboardAddress();
}
