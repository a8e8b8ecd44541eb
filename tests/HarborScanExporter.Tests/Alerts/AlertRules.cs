using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

/// <summary>An alert as alerts/harbor-scan.rules.yml has it.</summary>
internal sealed record AlertRule(
    string Group,
    string Name,
    string Expression,
    string? For,
    string? KeepFiringFor,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Annotations);

/// <summary>A recording rule as alerts/harbor-scan.rules.yml has it.</summary>
internal sealed record RecordingRule(string Name, string Expression);

/// <summary>The rules file, read once.</summary>
internal static class AlertRules
{
    public static string File { get; } = Repository.PathOf("alerts", "harbor-scan.rules.yml");

    public static IReadOnlyList<AlertRule> Alerts { get; } = [.. Rules().Where(rule => rule.Node.Has("alert")).Select(rule => new AlertRule(
        rule.Group,
        rule.Node.Text("alert"),
        rule.Node.Text("expr"),
        rule.Node.Has("for") ? rule.Node.Text("for") : null,
        rule.Node.Has("keep_firing_for") ? rule.Node.Text("keep_firing_for") : null,
        rule.Node.Texts("labels"),
        rule.Node.Texts("annotations")))];

    public static IReadOnlyList<RecordingRule> Recordings { get; } = [.. Rules().Where(rule => rule.Node.Has("record"))
        .Select(rule => new RecordingRule(rule.Node.Text("record"), rule.Node.Text("expr")))];

    /// <summary>The alerts about Harbor's rows and queue, which need somebody who sees them.</summary>
    public static IReadOnlyList<AlertRule> OfData { get; } = [.. Alerts.Where(alert => alert.Group != "harbor-scan-exporter")];

    /// <summary>Names of alerts, one test case each.</summary>
    public static TheoryData<string> Names { get; } = [.. Alerts.Select(alert => alert.Name)];

    public static AlertRule Find(string name) => Alerts.Single(alert => alert.Name == name);

    private static IEnumerable<(string Group, YamlDotNet.RepresentationModel.YamlMappingNode Node)> Rules() =>
        Yaml.Read(File).Items("groups").SelectMany(group => group.Items("rules").Select(rule => (group.Text("name"), rule)));
}
