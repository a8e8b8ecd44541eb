using System.Text.Json.Nodes;

namespace HarborScanExporter.Tests.Dashboards;

public sealed class LinksTests
{
    [Fact]
    public void Every_runbook_that_a_dashboard_links_to_has_an_alert()
    {
        var linked = Dashboard.All.SelectMany(dashboard => Runbooks.NamedIn(Texts(dashboard.Json))).ToHashSet(StringComparer.Ordinal);
        Assert.Contains("HarborScanStuck", linked);
        Assert.Empty(linked.Except(Runbooks.Names));
    }

    [Fact]
    public void Every_alert_on_data_is_linked_from_a_panel_that_shows_it()
    {
        var linked = Dashboard.All.SelectMany(dashboard => dashboard.Panels)
            .SelectMany(panel => Dashboard.Objects(panel.Json["links"])).SelectMany(link => Runbooks.NamedIn(Dashboard.Text(link["url"])));
        // The watchdog always fires; nothing is to be seen of it.
        Assert.Equal(Runbooks.Names.Except(["HarborScanWatchdog"]).Order(StringComparer.Ordinal),
            linked.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_link_to_a_dashboard_names_one()
    {
        var linked = Dashboard.All
            .SelectMany(dashboard => dashboard.Links.Concat(dashboard.Panels.SelectMany(panel => Dashboard.Objects(panel.Json["links"]))))
            .Select(link => Dashboard.Text(link["url"])).Where(url => url.StartsWith("/d/", StringComparison.Ordinal))
            .Select(url => url["/d/".Length..]).ToList();
        Assert.NotEmpty(linked);
        Assert.Empty(linked.Except(Dashboard.All.Select(dashboard => dashboard.Uid)));
    }

    [Fact]
    public void A_runbook_of_no_alert_is_found() =>
        Assert.Equal(
            ["HarborScanGone"],
            Runbooks.NamedIn("[see](https://example.org/alerts/runbooks/HarborScanGone.md)").Except(Runbooks.Names));

    private static string Texts(JsonNode json) => json.ToJsonString();
}
