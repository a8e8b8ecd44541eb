using System.Text.Json.Nodes;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>promtool reads every expression as the expression of a rule, which needs no server.</summary>
public sealed class SyntaxTests
{
    [Fact]
    public async Task Every_query_is_valid_PromQL()
    {
        var result = await CheckAsync(Dashboard.All.SelectMany(Expressions));
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("SUCCESS: ", result.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sum by (status (harbor_scan_tasks)")]
    [InlineData("rate(harbor_scan_collections_total)")]
    [InlineData("harbor_scan_tasks{job=~$job}")]
    public async Task A_query_that_is_no_PromQL_is_found(string broken)
    {
        var dashboard = Dashboard.All[0].Copy();
        dashboard.Panels.First(panel => panel.Draws).Targets[0].Json["expr"] = broken;
        var result = await CheckAsync(Expressions(dashboard));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("parse error", result.All, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Expressions(Dashboard dashboard)
    {
        var selection = GrafanaSelection.All(dashboard);
        return dashboard.Panels.SelectMany(panel => panel.Targets).Select(target => target.Expression)
            .Concat(dashboard.Annotations.Select(annotation => Dashboard.Text(annotation["expr"])))
            .Concat(VariableRules.Queries(dashboard).Select(variable => LabelValues.Read(Dashboard.Text(variable["query"]))!.Selector))
            .Select(selection.Fill);
    }

    private static async Task<ToolResult> CheckAsync(IEnumerable<string> expressions)
    {
        var rules = expressions.Select((expression, index) =>
            (JsonNode)new JsonObject { ["record"] = $"dashboard:query:{index}", ["expr"] = expression });
        var group = new JsonObject { ["name"] = "dashboards", ["rules"] = new JsonArray([.. rules]) };
        var folder = Directory.CreateTempSubdirectory("queries-");
        try
        {
            // JSON is YAML.
            var file = Path.Combine(folder.FullName, "rules.yml");
            await File.WriteAllTextAsync(file, new JsonObject { ["groups"] = new JsonArray(group) }.ToJsonString());
            return await Tool.RunAsync("promtool", ["check", "rules", "--lint=none", file]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
