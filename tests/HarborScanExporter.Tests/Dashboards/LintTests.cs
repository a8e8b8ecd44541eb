using System.Text.Json.Nodes;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Every rule holds for every dashboard, and finds each fault that is put into a copy.</summary>
public sealed class LintTests
{
    private const string Selector = "harbor_scan_tasks{job=~\"$job\", instance=~\"$instance\", harbor=~\"$harbor\"}";
    private const string Counter = "harbor_scan_collections_total{job=~\"$job\", instance=~\"$instance\", harbor=~\"$harbor\"}";

    [Fact]
    public void There_are_the_overview_the_dashboard_of_repairs_and_that_of_stuck_scans() =>
        Assert.Equal(
            [("harbor-scan-overview", "Harbor scans: overview"), ("harbor-scan-repairs", "Harbor scans: repairs"), ("harbor-scan-stuck", "Harbor scans: stuck and inconsistent")],
            Dashboard.All.Select(dashboard => (dashboard.Uid, dashboard.Title)));

    [Fact]
    public void No_two_dashboards_share_a_uid() =>
        Assert.Equal(Dashboard.All.Count, Dashboard.All.Select(dashboard => dashboard.Uid).Distinct().Count());

    [Fact]
    public void A_dashboard_has_a_stable_uid_of_40_characters_or_fewer() =>
        Holds(WholeDashboardRules.HasAStableUid,
            dashboard => dashboard.Json["uid"] = null,
            dashboard => dashboard.Json["uid"] = new string('a', 41),
            dashboard => dashboard.Json["uid"] = "Harbor Scans");

    [Fact]
    public void A_dashboard_has_no_id() =>
        Holds(WholeDashboardRules.HasNoId, dashboard => dashboard.Json["id"] = 7, dashboard => dashboard.Json.Remove("id"));

    [Fact]
    public void A_dashboard_asks_for_no_inputs() =>
        Holds(WholeDashboardRules.AsksForNoInputs, dashboard => dashboard.Json["__inputs"] = new JsonArray());

    [Fact]
    public void A_dashboard_is_not_editable() =>
        Holds(WholeDashboardRules.IsNotEditable, dashboard => dashboard.Json["editable"] = true,
            dashboard => dashboard.Json.Remove("editable"));

    [Fact]
    public void A_dashboard_has_a_title_and_a_description() =>
        Holds(WholeDashboardRules.HasTitleAndDescription, dashboard => dashboard.Json["title"] = "",
            dashboard => dashboard.Json.Remove("description"));

    [Fact]
    public void A_dashboard_is_of_a_recent_schema() =>
        Holds(WholeDashboardRules.IsOfARecentSchema, dashboard => dashboard.Json["schemaVersion"] = 27,
            dashboard => dashboard.Json.Remove("schemaVersion"));

    [Fact]
    public void Panels_have_ids_and_titles_of_their_own() =>
        Holds(WholeDashboardRules.PanelsAreDistinct,
            dashboard => dashboard.Panels[2].Json["id"] = dashboard.Panels[1].Json["id"]!.GetValue<int>(),
            dashboard => dashboard.Panels[2].Json["title"] = dashboard.Panels[1].Title);

    [Fact]
    public void Panels_fit_the_grid_and_do_not_overlap() =>
        Holds(WholeDashboardRules.PanelsFitTheGrid,
            dashboard => dashboard.Panels[1].Json["gridPos"]!["w"] = 25,
            dashboard => dashboard.Panels[2].Json["gridPos"] = dashboard.Panels[1].Json["gridPos"]!.DeepClone(),
            dashboard => dashboard.Panels[1].Json.Remove("gridPos"));

    [Fact]
    public void A_dashboard_reads_from_top_to_bottom_as_the_five_questions() =>
        Holds(WholeDashboardRules.ReadsAsTheFiveQuestions,
            dashboard => dashboard.Panels.First(panel => panel.Type == "row").Json["title"] = "Summary",
            dashboard => ((JsonArray)dashboard.Json["panels"]!).RemoveAt(0),
            dashboard => dashboard.Panels.Last(panel => panel.Type != "row").Json["gridPos"]!["y"] = 0,
            dashboard => RemovePanels(dashboard, panel => panel.Type != "row"));

    [Fact]
    public void A_dashboard_links_to_the_other_dashboards_and_keeps_the_view() =>
        Holds(WholeDashboardRules.LinksToTheOtherDashboards,
            dashboard => RemoveLinks(dashboard, "/d/"),
            dashboard => dashboard.Links[0]["keepTime"] = false,
            dashboard => dashboard.Links[0]["url"] = "/d/harbor-scan-gone");

    [Fact]
    public void A_dashboard_links_to_the_alerts() =>
        Holds(WholeDashboardRules.LinksToTheAlerts, dashboard => RemoveLinks(dashboard, "/alerting"));

    [Fact]
    public void A_dashboard_links_to_the_runbooks() =>
        Holds(WholeDashboardRules.LinksToTheRunbooks, dashboard => RemoveLinks(dashboard, "https://"));

    [Fact]
    public void A_dashboard_annotates_firing_alerts() =>
        Holds(WholeDashboardRules.AnnotatesFiringAlerts,
            dashboard => dashboard.Json.Remove("annotations"),
            dashboard => dashboard.Annotations[0]["enable"] = false,
            dashboard => dashboard.Annotations[0]["datasource"]!["uid"] = "prometheus",
            dashboard => dashboard.Annotations[0]["expr"] = "ALERTS{alertname=~\"HarborScan.*\"}");

    [Fact]
    public void A_dashboard_annotates_repairs() =>
        Holds(WholeDashboardRules.AnnotatesRepairs,
            dashboard => dashboard.Json.Remove("annotations"),
            dashboard => dashboard.Annotations[1]["enable"] = false,
            dashboard => dashboard.Annotations[1]["datasource"]!["uid"] = "prometheus",
            dashboard => dashboard.Annotations[1]["expr"] = "harbor_scan_remediation_repairs_total{job=~\"$job\"} > 0",
            dashboard => dashboard.Annotations[1]["expr"] = $"increase({Counter}[$__rate_interval]) > 0");

    [Fact]
    public void A_dashboard_has_one_data_source_variable_named_datasource() =>
        Holds(VariableRules.OneDataSourceNamedDatasource,
            dashboard => dashboard.Variable("datasource")!["name"] = "ds",
            dashboard => dashboard.Variable("datasource")!["label"] = "Source",
            dashboard => dashboard.Variable("datasource")!["query"] = "loki",
            dashboard => ((JsonArray)dashboard.Json["templating"]!["list"]!).Add(dashboard.Variable("datasource")!.DeepClone()));

    [Fact]
    public void The_job_variable_selects_many_or_all() => HoldsForVariable(VariableRules.JobSelectsManyOrAll, "job");

    [Fact]
    public void The_instance_variable_selects_many_or_all() => HoldsForVariable(VariableRules.InstanceSelectsManyOrAll, "instance");

    [Fact]
    public void The_harbor_variable_selects_many_or_all_or_none() => HoldsForVariable(VariableRules.HarborSelectsManyOrAllOrNone, "harbor");

    [Fact]
    public void Variables_reload_when_the_time_range_changes() =>
        Holds(VariableRules.ReloadWhenTheTimeRangeChanges,
            dashboard => dashboard.Variable("job")!["refresh"] = 1,
            dashboard => dashboard.Variable("harbor")!.Remove("refresh"));

    [Fact]
    public void Variables_ask_the_chosen_data_source() =>
        Holds(VariableRules.AskTheChosenDataSource, dashboard => dashboard.Variable("instance")!["datasource"]!["uid"] = "prometheus");

    [Fact]
    public void Variables_are_label_values_of_a_metric() =>
        Holds(VariableRules.AreLabelValuesOfAMetric,
            dashboard => dashboard.Variable("job")!["query"] = "label_values(job)",
            dashboard => dashboard.Variable("job")!["query"] = "query_result(up)");

    [Fact]
    public void A_panel_has_a_title() =>
        Holds(PanelRules.HasATitle, dashboard => dashboard.Panels[0].Json["title"] = "",
            dashboard => dashboard.Panels[1].Json.Remove("title"));

    [Fact]
    public void A_panel_has_a_description() =>
        Holds(PanelRules.HasADescription,
            dashboard => First(dashboard, "stat").Json.Remove("description"),
            dashboard => First(dashboard, "text").Json["description"] = "");

    [Fact]
    public void A_panel_has_a_unit() =>
        Holds(PanelRules.HasAUnit,
            dashboard => First(dashboard, "timeseries").Defaults!.Remove("unit"),
            dashboard => First(dashboard, "stat").Defaults!["unit"] = "minutes");

    [Fact]
    public void A_panel_asks_the_chosen_data_source() =>
        Holds(PanelRules.AsksTheChosenDataSource,
            dashboard => First(dashboard, "stat").Json["datasource"]!["uid"] = "prometheus",
            dashboard => First(dashboard, "table").Json.Remove("datasource"));

    [Fact]
    public void A_panel_has_targets() =>
        Holds(PanelRules.HasTargets,
            dashboard => First(dashboard, "stat").Json["targets"] = new JsonArray(),
            dashboard => First(dashboard, "table").Targets[0].Json["expr"] = "");

    [Fact]
    public void Targets_ask_the_chosen_data_source() =>
        Holds(PanelRules.TargetsAskTheChosenDataSource, dashboard => First(dashboard, "stat").Targets[0].Json["datasource"]!["uid"] = "P1");

    [Fact]
    public void A_panel_is_of_a_core_type() =>
        Holds(PanelRules.IsOfACoreType, dashboard => First(dashboard, "stat").Json["type"] = "flant-statusmap-panel");

    [Fact]
    public void A_stat_has_thresholds() =>
        Holds(PanelRules.AStatHasThresholds,
            dashboard => First(dashboard, "stat").Defaults!.Remove("thresholds"),
            dashboard => First(dashboard, "stat").Defaults!["thresholds"]!["steps"] = new JsonArray());

    [Fact]
    public void A_stat_says_when_there_is_no_data() =>
        Holds(PanelRules.AStatSaysWhenThereIsNoData, dashboard => First(dashboard, "stat").Defaults!.Remove("noValue"));

    [Fact]
    public void Every_query_selects_the_job() =>
        Holds(QueryRules.SelectsTheJob, Query("harbor_scan_up{instance=~\"$instance\", harbor=~\"$harbor\"}"),
            Query("harbor_scan_up{job=\"$job\"}"));

    [Fact]
    public void Every_query_selects_the_instance() =>
        Holds(QueryRules.SelectsTheInstance, Query($"{Selector} > 0 or harbor_scan_up{{job=~\"$job\"}}"), Query("up"));

    [Fact]
    public void Every_query_selects_the_harbor() =>
        Holds(QueryRules.SelectsTheHarbor, Query("harbor_scan_up{job=~\"$job\", instance=~\"$instance\"}"));

    [Fact]
    public void Rates_are_over_the_rate_interval() =>
        Holds(QueryRules.RatesOverTheRateInterval,
            Query($"rate({Counter}[5m])"),
            Query($"increase({Counter}[$__interval])"),
            Query($"rate(max without (instance, pod) ({Selector})[10m:])"));

    [Fact]
    public void No_gauge_is_rated() =>
        Holds(QueryRules.RatesNoGauge, Query($"increase({Selector}[$__rate_interval])"),
            Query($"irate(max without (instance, pod) ({Selector})[$__range:])"));

    [Fact]
    public void Every_counter_is_rated() =>
        Holds(QueryRules.RatesEveryCounter, Query(Counter), Query($"max_over_time({Counter}[$__range])"));

    [Fact]
    public void Nothing_is_added_up_over_replicas() =>
        Holds(QueryRules.AddsUpNothingOverReplicas,
            Query($"sum({Selector})"),
            Query($"sum by (status) ({Selector})"),
            Query($"avg without (instance) ({Selector})"),
            Query($"max without (instance, pod) (sum by (job) ({Selector}))"),
            Query($"sum(max by (status) ({Selector}))"));

    [Fact]
    public void What_replicas_read_alike_is_merged() =>
        Holds(QueryRules.MergesReplicasOrShowsEach, Query(Selector), Query($"max without (instance) ({Selector})"),
            Query($"max by (status) ({Selector})"));

    private static void Holds(DashboardRule rule, params Action<Dashboard>[] faults)
    {
        Assert.NotEmpty(Dashboard.All);
        Assert.NotEmpty(faults);
        Assert.Empty(Dashboard.All.SelectMany(dashboard => rule(dashboard)));
        foreach (var (fault, number) in faults.Select((fault, index) => (fault, index + 1)))
        {
            foreach (var dashboard in Dashboard.All.Select(one => one.Copy()))
            {
                fault(dashboard);
                Assert.True(rule(dashboard).Any(), $"Fault {number} put into {dashboard.File} is not found.");
            }
        }
    }

    private static void HoldsForVariable(DashboardRule rule, string name) =>
        Holds(rule,
            dashboard => ((JsonArray)dashboard.Json["templating"]!["list"]!).Remove(dashboard.Variable(name)),
            dashboard => dashboard.Variable(name)!["multi"] = false,
            dashboard => dashboard.Variable(name)!["includeAll"] = false,
            dashboard => dashboard.Variable(name)!["allValue"] = name == "harbor" ? ".+" : ".*",
            dashboard => dashboard.Variable(name)!["type"] = "custom",
            dashboard => dashboard.Variable(name)!["label"] = name,
            dashboard => dashboard.Variable(name)!["query"] = "label_values(harbor_scan_up, pod)");

    private static Panel First(Dashboard dashboard, string type) => dashboard.Panels.First(panel => panel.Type == type);

    private static Action<Dashboard> Query(string expression) =>
        dashboard => First(dashboard, "timeseries").Targets[0].Json["expr"] = expression;

    private static void RemoveLinks(Dashboard dashboard, string start)
    {
        foreach (var link in dashboard.Links.Where(link => Dashboard.Text(link["url"]).StartsWith(start, StringComparison.Ordinal)))
            ((JsonArray)dashboard.Json["links"]!).Remove(link);
    }

    private static void RemovePanels(Dashboard dashboard, Func<Panel, bool> which)
    {
        foreach (var panel in dashboard.Panels.Where(which)) ((JsonArray)dashboard.Json["panels"]!).Remove(panel.Json);
    }
}
