using System.Text.RegularExpressions;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>What a viewer has chosen at the head of a dashboard, and what Grafana writes into a query for it.</summary>
internal sealed partial class GrafanaSelection
{
    private readonly Dictionary<string, string> _texts;

    private GrafanaSelection(IEnumerable<KeyValuePair<string, string>> chosen) =>
        _texts = new Dictionary<string, string>(chosen)
        {
            ["datasource"] = "prometheus",
            ["__rate_interval"] = "1m",
            ["__interval"] = "15s",
            ["__range"] = "5m",
        };

    /// <summary>"All" of every variable of the dashboard.</summary>
    public static GrafanaSelection All(Dashboard dashboard) =>
        new(VariableRules.Queries(dashboard).Select(variable =>
            KeyValuePair.Create(Dashboard.Text(variable["name"]), Dashboard.Text(variable["allValue"]))));

    /// <summary>These values, escaped as Grafana escapes them for a matcher of PromQL: one as it is, more as alternatives.</summary>
    public static GrafanaSelection Of(IReadOnlyDictionary<string, IReadOnlyList<string>> chosen) =>
        new(chosen.Select(variable => KeyValuePair.Create(variable.Key, Alternatives(variable.Value))));

    /// <summary>The text as the data source receives it; a name that is no variable stays as it is.</summary>
    public string Fill(string text) =>
        Reference().Replace(text, match => _texts.GetValueOrDefault(match.Groups["name"].Value, match.Value));

    private static string Alternatives(IReadOnlyList<string> values)
    {
        var escaped = values.Select(value => Special().Replace(value, @"\\$0")).ToList();
        return escaped.Count == 1 ? escaped[0] : $"({string.Join('|', escaped)})";
    }

    [GeneratedRegex(@"\$(?<name>\w+)|\$\{(?<name>\w+)\}")]
    private static partial Regex Reference();

    [GeneratedRegex(@"[\\^$*+?.()|[\]{}]")]
    private static partial Regex Special();
}
