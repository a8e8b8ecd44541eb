using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

public sealed class RunbooksTests
{
    [Fact]
    public void Every_alert_has_a_runbook_and_every_runbook_an_alert() =>
        Assert.Equal(AlertRules.Alerts.Select(alert => alert.Name).Order(StringComparer.Ordinal), Runbooks.Names);

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public void A_runbook_answers_the_five_questions_and_explains_its_threshold(string name)
    {
        Assert.StartsWith($"# {name}\n", Runbooks.Read(name), StringComparison.Ordinal);
        var sections = Runbooks.Sections(name);
        Assert.Equal(["Meaning", "Impact", "Diagnosis", "Repair", "Prevention"], sections.Select(section => section.Heading));
        Assert.All(sections, section => Assert.True(section.Text.Trim().Length > 40, section.Heading));
        Assert.Contains("**Threshold.**", sections[0].Text, StringComparison.Ordinal);
        Assert.Matches("```sql", sections[2].Text);
        Assert.Matches("```promql", sections[2].Text);
        Assert.Contains(AlertRules.Find(name).Annotations["dashboard_url"], sections[2].Text, StringComparison.Ordinal);
        Assert.Matches(@"\bDo not\b", sections[3].Text);
    }

    [Fact]
    public void Only_commands_that_exist_are_named() => Assert.All(Runbooks.Names, name => Assert.All(
        Regex.Matches(Runbooks.Read(name), @"`harbor-scan-exporter(?: ([a-z]+))?[^`]*`"),
        match => Assert.Contains(match.Groups[1].Value, new[] { "", "serve", "sql", "version" })));

    [Fact]
    public void Links_lead_to_runbooks_that_exist() => Assert.All(Runbooks.Names, name => Assert.All(
        Regex.Matches(Runbooks.Read(name), @"\]\(([^)]+)\)"),
        match => Assert.True(File.Exists(Path.Combine(Runbooks.Folder, match.Groups[1].Value)), $"{name}: {match.Value}")));

    [Fact]
    public async Task Every_query_is_valid_PromQL()
    {
        var queries = Runbooks.Blocks("promql");
        Assert.True(queries.Count >= AlertRules.Alerts.Count);
        var rules = string.Join('\n', queries.Select((query, index) =>
            $"      - record: runbook:query:number_{index}\n        expr: |\n          {query.Text.Trim()}"));
        var file = Path.Combine(Path.GetTempPath(), $"runbook-queries-{Guid.NewGuid():N}.yml");
        await File.WriteAllTextAsync(file, $"groups:\n  - name: runbooks\n    rules:\n{rules}\n", TestContext.Current.CancellationToken);
        try
        {
            var result = await Tool.RunAsync("promtool", ["check", "rules", file]);
            Assert.True(result.ExitCode == 0, result.All);
            Assert.Contains($"{queries.Count} rules found", result.All, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
