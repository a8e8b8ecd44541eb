using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

/// <summary>One look at an alert: when, which, and the labels of each alert expected to fire.</summary>
internal sealed record AlertCheck(string Alert, TimeSpan At, IReadOnlyList<IReadOnlyDictionary<string, string>> Firing);

/// <summary>One promtool case. Its name is "subject: kind" or "subject: kind: detail".</summary>
internal sealed record RuleCase(string File, string Name, IReadOnlyList<AlertCheck> Checks, IReadOnlyList<string> Expressions)
{
    public bool IsOf(string subject, string kind) =>
        Name == $"{subject}: {kind}" || Name.StartsWith($"{subject}: {kind}: ", StringComparison.Ordinal);
}

/// <summary>The promtool cases of alerts/tests, and what each rule must have among them.</summary>
internal static class RuleCases
{
    public const string Fires = "fires";
    public const string Below = "one step below the threshold";
    public const string Before = "just before for";
    public const string After = "just after for";
    public const string Replicas = "two replicas";
    public const string Harbors = "two Harbors";
    public const string Lost = "data lost while firing";
    public const string Silent = "stays silent";

    /// <summary>The kinds that every alert needs.</summary>
    public static IReadOnlyList<string> KindsOfAlerts { get; } = [Fires, Below, Before, After, Replicas, Harbors, Lost, Silent];

    /// <summary>The kinds that every recording rule needs.</summary>
    public static IReadOnlyList<string> KindsOfRecordings { get; } = ["value", Replicas, Harbors, "data lost"];

    public static IReadOnlyList<string> Files { get; } =
        [.. Directory.GetFiles(Repository.PathOf("alerts", "tests"), "*.test.yml").Order(StringComparer.Ordinal)];

    public static IReadOnlyList<RuleCase> All { get; } = [.. Files.SelectMany(Read)];

    /// <summary>Files, one test case each.</summary>
    public static TheoryData<string> FileNames { get; } = [.. Files.Select(file => Path.GetFileName(file))];

    /// <summary>Which of the kinds a rule lacks.</summary>
    public static IEnumerable<string> Missing(IEnumerable<string> subjects, IReadOnlyList<string> kinds, IReadOnlyList<RuleCase> cases) =>
        from subject in subjects
        from kind in kinds
        where !cases.Any(one => one.IsOf(subject, kind)
            && (one.Checks.Any(check => check.Alert == subject) || one.Expressions.Any(text => text.Contains(subject, StringComparison.Ordinal))))
        select $"{subject}: {kind}";

    /// <summary>A duration as Prometheus writes it.</summary>
    public static TimeSpan Duration(string text)
    {
        var total = TimeSpan.Zero;
        foreach (System.Text.RegularExpressions.Match part in System.Text.RegularExpressions.Regex.Matches(text, @"(\d+)([smhd])"))
        {
            var number = int.Parse(part.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
            total += part.Groups[2].Value switch
            {
                "s" => TimeSpan.FromSeconds(number),
                "m" => TimeSpan.FromMinutes(number),
                "h" => TimeSpan.FromHours(number),
                _ => TimeSpan.FromDays(number),
            };
        }
        return total;
    }

    private static IEnumerable<RuleCase> Read(string file) =>
        from test in Yaml.Read(file).Items("tests")
        select new RuleCase(
            Path.GetFileName(file),
            test.Text("name"),
            [.. test.Items("alert_rule_test").Select(check => new AlertCheck(
                check.Text("alertname"),
                Duration(check.Text("eval_time")),
                [.. check.Items("exp_alerts").Select(alert => alert.Texts("exp_labels"))]))],
            [.. test.Items("promql_expr_test").Select(check => check.Text("expr"))]);
}
