using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Rules about the dashboard as a whole.</summary>
internal static partial class WholeDashboardRules
{
    /// <summary>Grafana's limit for a uid.</summary>
    private const int LongestUid = 40;

    /// <summary>The model of Grafana 10.0; older ones are migrated when loaded, so what is in the file is not what is shown.</summary>
    private const int OldestSchema = 38;

    private const int Columns = 24;

    private static readonly string[] Questions =
    [
        "1. Is a scan stuck, or only waiting its turn?",
        "2. Which ones, since when, why, and who is blocked?",
        "3. Will Harbor heal it by itself, and when?",
        "4. What is the smallest safe repair?",
        "5. Did the repair hold?",
    ];

    public static IEnumerable<string> HasAStableUid(Dashboard dashboard)
    {
        if (!UidForm().IsMatch(dashboard.Uid) || dashboard.Uid.Length > LongestUid) yield return $"{dashboard.File}: uid '{dashboard.Uid}'";
        if ($"{dashboard.Uid}.json" != dashboard.File) yield return $"{dashboard.File}: named otherwise than its uid '{dashboard.Uid}'";
    }

    public static IEnumerable<string> HasNoId(Dashboard dashboard)
    {
        if (!dashboard.Json.ContainsKey("id") || dashboard.Json["id"] is not null) yield return $"{dashboard.File}: id is not null";
    }

    public static IEnumerable<string> AsksForNoInputs(Dashboard dashboard) =>
        dashboard.Json.Select(member => member.Key).Where(key => key.StartsWith("__", StringComparison.Ordinal))
            .Select(key => $"{dashboard.File}: {key} makes a person answer at import");

    public static IEnumerable<string> IsNotEditable(Dashboard dashboard)
    {
        if (dashboard.Json["editable"] is not JsonValue value || !value.TryGetValue<bool>(out var editable) || editable)
            yield return $"{dashboard.File}: editable";
    }

    public static IEnumerable<string> HasTitleAndDescription(Dashboard dashboard)
    {
        if (dashboard.Title.Length == 0) yield return $"{dashboard.File}: no title";
        if (Dashboard.Text(dashboard.Json["description"]).Length == 0) yield return $"{dashboard.File}: no description";
    }

    public static IEnumerable<string> IsOfARecentSchema(Dashboard dashboard)
    {
        if ((dashboard.Json["schemaVersion"]?.GetValue<int>() ?? 0) < OldestSchema)
            yield return $"{dashboard.File}: schemaVersion below {OldestSchema}";
    }

    /// <summary>Links to a panel name its number, and the tests name its title.</summary>
    public static IEnumerable<string> PanelsAreDistinct(Dashboard dashboard)
    {
        var panels = dashboard.Panels;
        var ids = panels.GroupBy(panel => panel.Json["id"]?.ToString() ?? "").Where(group => group.Count() > 1 || group.Key.Length == 0);
        var titles = panels.GroupBy(panel => panel.Title, StringComparer.Ordinal).Where(group => group.Count() > 1);
        return
        [
            .. ids.Select(group => $"{dashboard.File}: panel id '{group.Key}' is not one panel's"),
            .. titles.Select(group => $"{dashboard.File}: panels titled '{group.Key}'"),
        ];
    }

    public static IEnumerable<string> PanelsFitTheGrid(Dashboard dashboard)
    {
        var taken = new Dictionary<(int X, int Y), string>();
        foreach (var panel in dashboard.Panels)
        {
            var (x, y, w, h) = (Number(panel, "x"), Number(panel, "y"), Number(panel, "w"), Number(panel, "h"));
            if (w < 1 || h < 1 || x < 0 || x + w > Columns) yield return $"{panel}: outside of the grid";
            foreach (var cell in Enumerable.Range(x, Math.Max(w, 0))
                .SelectMany(column => Enumerable.Range(y, Math.Max(h, 0)).Select(line => (column, line))))
            {
                if (taken.TryAdd(cell, panel.Title)) continue;
                yield return $"{panel}: lies over '{taken[cell]}'";
                break;
            }
        }
    }

    /// <summary>The rows, read from the top, begin with the five questions of an operator.</summary>
    public static IEnumerable<string> ReadsAsTheFiveQuestions(Dashboard dashboard)
    {
        var rows = dashboard.Panels.Where(panel => panel.Type == "row").OrderBy(panel => Number(panel, "y")).Select(panel => panel.Title);
        if (!rows.Take(Questions.Length).SequenceEqual(Questions)) yield return $"{dashboard.File}: the rows are not the five questions";
        if (dashboard.Panels.Count == 0 || dashboard.Panels[0].Type != "row")
            yield return $"{dashboard.File}: a panel stands before the first question";
        foreach (var (above, below) in dashboard.Panels.Zip(dashboard.Panels.Skip(1)))
        {
            if (Number(below, "y") < Number(above, "y")) yield return $"{below}: stands in the file after what is below it on the page";
            if (above.Type == "row" && below.Type == "row") yield return $"{above}: nothing answers it";
        }
    }

    public static IEnumerable<string> LinksToTheOtherDashboards(Dashboard dashboard)
    {
        var others = Dashboard.All.Select(other => other.Uid).Where(uid => uid != dashboard.Uid);
        return others.Where(uid => !dashboard.Links.Any(link => Dashboard.Text(link["url"]) == $"/d/{uid}" && KeepsTheView(link)))
            .Select(uid => $"{dashboard.File}: no link to {uid} that keeps time and variables");
    }

    public static IEnumerable<string> LinksToTheAlerts(Dashboard dashboard)
    {
        if (!dashboard.Links.Any(link => Dashboard.Text(link["url"]).StartsWith("/alerting/list", StringComparison.Ordinal)))
            yield return $"{dashboard.File}: no link to the alerts";
    }

    public static IEnumerable<string> LinksToTheRunbooks(Dashboard dashboard)
    {
        if (!dashboard.Links.Any(link => Runbooks.IsRunbook(Dashboard.Text(link["url"]))))
            yield return $"{dashboard.File}: no link to a runbook";
    }

    public static IEnumerable<string> AnnotatesFiringAlerts(Dashboard dashboard)
    {
        var shown = dashboard.Annotations.Where(annotation => annotation["enable"]?.GetValue<bool>() == true
            && Dashboard.Text(annotation["datasource"]?["uid"]) == "$datasource");
        if (!shown.Select(annotation => PromQl.Read(Dashboard.Text(annotation["expr"]))).Any(IsFiringAlerts))
            yield return $"{dashboard.File}: no annotation for firing alerts";
    }

    /// <summary>Where something was repaired within a step, whichever replica did it.</summary>
    public static IEnumerable<string> AnnotatesRepairs(Dashboard dashboard)
    {
        var shown = dashboard.Annotations.Where(annotation => annotation["enable"]?.GetValue<bool>() == true
            && Dashboard.Text(annotation["datasource"]?["uid"]) == "$datasource");
        if (!shown.SelectMany(annotation => PromQl.Read(Dashboard.Text(annotation["expr"])).Selectors).Any(IsRepairs))
            yield return $"{dashboard.File}: no annotation for repairs";
    }

    private static bool IsRepairs(PromQlSelector selector) => selector is { Metric: "harbor_scan_remediation_repairs_total", Range: "$__rate_interval" }
        && selector.Calls.Any(call => call.Name == "increase") && selector.Calls.Any(call => call.MergesReplicas);

    private static bool IsFiringAlerts(PromQl expression) => expression.Selectors.Any(selector => selector.Metric == "ALERTS"
        && selector.Matchers.Contains("alertname=~\"HarborScan.*\"") && selector.Matchers.Contains("alertstate=\"firing\""));

    private static bool KeepsTheView(JsonObject link) =>
        link["keepTime"]?.GetValue<bool>() == true && link["includeVars"]?.GetValue<bool>() == true;

    private static int Number(Panel panel, string side) => panel.Json["gridPos"]?[side]?.GetValue<int>() ?? -1;

    [GeneratedRegex("^[a-z][a-z0-9-]+$")]
    private static partial Regex UidForm();
}
