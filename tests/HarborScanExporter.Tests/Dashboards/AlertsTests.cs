using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>The dashboards and the alerts point at each other.</summary>
public sealed partial class AlertsTests
{
    [Fact]
    public void Every_runbook_that_a_dashboard_may_name_is_a_page_of_the_repository() =>
        Assert.All(Runbooks.Names, name => Assert.True(File.Exists(Repository.PathOf("alerts", "runbooks", $"{name}.md")), name));

    [Fact]
    public void Every_dashboard_that_an_alert_names_exists()
    {
        var named = DashboardAddress().Matches(Repository.Read("alerts", "harbor-scan.rules.yml")).Select(match => match.Groups["uid"].Value).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(Dashboard.All.Select(dashboard => dashboard.Uid)));
    }

    [GeneratedRegex(@"^\s*dashboard_url:.*/d/(?<uid>[\w-]+)", RegexOptions.Multiline)]
    private static partial Regex DashboardAddress();
}
