using System.Text.RegularExpressions;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Grafana's query of a variable: the values of a label on the series of a selector.</summary>
internal sealed partial record LabelValues(string Selector, string Label)
{
    /// <summary>Reads <c>label_values(selector, label)</c>; null when it is something else.</summary>
    public static LabelValues? Read(string query)
    {
        var match = Form().Match(query);
        return match.Success ? new LabelValues(match.Groups["selector"].Value, match.Groups["label"].Value) : null;
    }

    [GeneratedRegex(@"^label_values\((?<selector>.+),\s*(?<label>\w+)\)$")]
    private static partial Regex Form();
}
