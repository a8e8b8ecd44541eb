namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Rules about each panel.</summary>
internal static class PanelRules
{
    private static readonly HashSet<string> CoreTypes = new(StringComparer.Ordinal)
    {
        "row", "text", "stat", "gauge", "bargauge", "timeseries", "barchart", "table", "state-timeline", "status-history", "heatmap",
        "histogram", "piechart",
    };

    /// <summary>Those of Grafana's value formats that a metric in base units can need.</summary>
    private static readonly HashSet<string> Units = new(StringComparer.Ordinal)
    {
        "none", "short", "percentunit", "s", "dtdurations", "bytes", "ops", "reqps", "dateTimeAsIso", "dateTimeFromNow", "bool",
        "bool_yes_no", "bool_on_off",
    };

    public static IEnumerable<string> HasATitle(Dashboard dashboard) =>
        dashboard.Panels.Where(panel => panel.Title.Length == 0).Select(panel => $"{panel} of type {panel.Type} has no title");

    /// <summary>A row is a heading: its title is all it can say.</summary>
    public static IEnumerable<string> HasADescription(Dashboard dashboard) =>
        dashboard.Panels.Where(panel => panel.Type != "row" && Dashboard.Text(panel.Json["description"]).Length == 0)
            .Select(panel => $"{panel} has no description");

    public static IEnumerable<string> HasAUnit(Dashboard dashboard) =>
        Drawing(dashboard).Where(panel => !Units.Contains(Dashboard.Text(panel.Defaults?["unit"])))
            .Select(panel => $"{panel} has no unit of Grafana's");

    public static IEnumerable<string> AsksTheChosenDataSource(Dashboard dashboard) =>
        Drawing(dashboard).Where(panel => !Templated(panel.Json["datasource"]?["uid"]))
            .Select(panel => $"{panel} does not ask $datasource");

    public static IEnumerable<string> HasTargets(Dashboard dashboard) =>
        Drawing(dashboard).Where(panel => panel.Targets.Count == 0 || panel.Targets.Any(target => target.Expression.Length == 0))
            .Select(panel => $"{panel} has no query");

    public static IEnumerable<string> TargetsAskTheChosenDataSource(Dashboard dashboard) =>
        dashboard.Panels.SelectMany(panel => panel.Targets).Where(target => !Templated(target.Json["datasource"]?["uid"]))
            .Select(target => $"{target} does not ask $datasource");

    public static IEnumerable<string> IsOfACoreType(Dashboard dashboard) =>
        dashboard.Panels.Where(panel => !CoreTypes.Contains(panel.Type))
            .Select(panel => $"{panel}: {panel.Type} does not come with Grafana");

    public static IEnumerable<string> AStatHasThresholds(Dashboard dashboard) =>
        Stats(dashboard).Where(panel => Dashboard.Objects(panel.Defaults?["thresholds"]?["steps"]).Count == 0)
            .Select(panel => $"{panel} has no thresholds");

    public static IEnumerable<string> AStatSaysWhenThereIsNoData(Dashboard dashboard) =>
        Stats(dashboard).Where(panel => Dashboard.Text(panel.Defaults?["noValue"]).Length == 0)
            .Select(panel => $"{panel} has no text for no data");

    private static IEnumerable<Panel> Drawing(Dashboard dashboard) => dashboard.Panels.Where(panel => panel.Draws);

    private static IEnumerable<Panel> Stats(Dashboard dashboard) =>
        dashboard.Panels.Where(panel => panel.Type is "stat" or "gauge" or "bargauge");

    private static bool Templated(System.Text.Json.Nodes.JsonNode? uid) => Dashboard.Text(uid) is "$datasource" or "${datasource}";
}
