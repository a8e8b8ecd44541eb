using System.Text.Json.Nodes;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Rules about the variables at the head of a dashboard.</summary>
internal static class VariableRules
{
    /// <summary>Grafana's code for a variable that reloads when the time range changes.</summary>
    private const int OnTimeRangeChange = 2;

    public static IEnumerable<string> OneDataSourceNamedDatasource(Dashboard dashboard)
    {
        var sources = dashboard.Variables.Where(variable => Dashboard.Text(variable["type"]) == "datasource").ToList();
        if (sources.Count != 1) yield return $"{dashboard.File}: {sources.Count} variables of type datasource";
        foreach (var source in sources)
        {
            if (Dashboard.Text(source["name"]) != "datasource")
                yield return $"{dashboard.File}: the data source variable is not named datasource";
            if (Dashboard.Text(source["label"]) != "Data source")
                yield return $"{dashboard.File}: the data source variable is not labelled Data source";
            if (Dashboard.Text(source["query"]) != "prometheus")
                yield return $"{dashboard.File}: the data source variable does not offer Prometheus";
        }
    }

    public static IEnumerable<string> JobSelectsManyOrAll(Dashboard dashboard) => SelectsManyOrAll(dashboard, "job", "Job", ".+");

    public static IEnumerable<string> InstanceSelectsManyOrAll(Dashboard dashboard) =>
        SelectsManyOrAll(dashboard, "instance", "Instance", ".+");

    /// <summary>The label harbor exists only where several Harbors share a job, so "all" also matches series without it.</summary>
    public static IEnumerable<string> HarborSelectsManyOrAllOrNone(Dashboard dashboard) =>
        SelectsManyOrAll(dashboard, "harbor", "Harbor", ".*");

    public static IEnumerable<string> ReloadWhenTheTimeRangeChanges(Dashboard dashboard) =>
        Queries(dashboard).Where(variable => variable["refresh"]?.GetValue<int>() != OnTimeRangeChange)
            .Select(variable => $"{Place(dashboard, variable)} does not reload on a time range change");

    public static IEnumerable<string> AskTheChosenDataSource(Dashboard dashboard) =>
        Queries(dashboard).Where(variable => Dashboard.Text(variable["datasource"]?["uid"]) != "$datasource")
            .Select(variable => $"{Place(dashboard, variable)} does not ask $datasource");

    public static IEnumerable<string> AreLabelValuesOfAMetric(Dashboard dashboard) =>
        Queries(dashboard).Where(variable =>
            LabelValues.Read(Dashboard.Text(variable["query"])) is not { Label.Length: > 0, Selector.Length: > 0 })
            .Select(variable => $"{Place(dashboard, variable)} is not label_values(selector, label)");

    /// <summary>The variables that Prometheus fills.</summary>
    public static IEnumerable<JsonObject> Queries(Dashboard dashboard) =>
        dashboard.Variables.Where(variable => Dashboard.Text(variable["type"]) == "query");

    private static IEnumerable<string> SelectsManyOrAll(Dashboard dashboard, string name, string label, string all)
    {
        if (dashboard.Variable(name) is not { } variable)
        {
            yield return $"{dashboard.File}: no variable {name}";
            yield break;
        }
        if (Dashboard.Text(variable["type"]) != "query") yield return $"{Place(dashboard, variable)} is not a query";
        if (Dashboard.Text(variable["label"]) != label) yield return $"{Place(dashboard, variable)} is not labelled {label}";
        if (variable["multi"]?.GetValue<bool>() != true) yield return $"{Place(dashboard, variable)} selects one value only";
        if (variable["includeAll"]?.GetValue<bool>() != true) yield return $"{Place(dashboard, variable)} does not offer all";
        if (Dashboard.Text(variable["allValue"]) != all) yield return $"{Place(dashboard, variable)}: all is not {all}";
        if (LabelValues.Read(Dashboard.Text(variable["query"]))?.Label != name)
            yield return $"{Place(dashboard, variable)} lists another label";
    }

    private static string Place(Dashboard dashboard, JsonObject variable) =>
        $"{dashboard.File}: variable {Dashboard.Text(variable["name"])}";
}
