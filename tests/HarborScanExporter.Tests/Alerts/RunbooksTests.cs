using System.Text.RegularExpressions;
using HarborScanExporter.Settings;
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
        Regex.Matches(Runbooks.Read(name), @"(?:`|^)harbor-scan-exporter(?: ([a-z]+))?", RegexOptions.Multiline),
        match => Assert.Contains(match.Groups[1].Value, new[] { "", "serve", "check", "repair", "doctor", "sql", "version" })));

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public void A_diagnosis_begins_with_what_the_program_finds(string name)
    {
        // Both are about what Prometheus does, of which the program knows nothing.
        if (name is "HarborScanWatchdog" or "HarborScanTargetVanished") return;
        var diagnosis = Runbooks.Sections(name)[2].Text;
        var commands = AlertRules.Find(name).Group == "harbor-scan-remediation" ? "repair" : AlertRules.OfData.Any(alert => alert.Name == name) ? "check" : "check|doctor";
        Assert.Matches($"(?m)^harbor-scan-exporter ({commands})\\b", diagnosis);
    }

    [Fact]
    public void What_may_wake_a_repair_tells_how_the_program_repairs_it() => Assert.All(
        Setting.All.Single(setting => setting.Name == Setting.Names.RemediationAlerts).Default!.Split(','),
        name => Assert.Matches(@"(?m)^harbor-scan-exporter repair --apply\b", Runbooks.Sections(name)[3].Text));

    [Fact]
    public void Redis_is_read_without_secrets_and_changed_only_for_one_job_without_a_task()
    {
        string[] reading = ["exists", "hget", "hlen", "hmget", "info", "lindex", "llen", "lrange", "ping", "scard", "smembers", "time", "ttl"];
        var asked = Runbooks.Blocks("bash").SelectMany(block => Regex.Matches(block.Text, @"\bredis-cli(?: -[a-z] \S+)* (\S+)([^\n]*)")
            .Select(match => (block.Runbook, block.Heading, Verb: match.Groups[1].Value, Tail: match.Groups[2].Value))).ToList();
        Assert.True(asked.Count > 30);
        Assert.Equal([("HarborScanOrphanHooks", "Repair", "hdel"), ("HarborScanOrphanHooks", "Repair", "del")],
            asked.Where(one => !reading.Contains(one.Verb)).Select(one => (one.Runbook, one.Heading, one.Verb)));
        // The arguments of a job hold the secret of a robot account.
        Assert.All(asked.Where(one => one.Verb is "lindex" or "lrange"), one => Assert.Contains("| jq '{id, ", one.Tail, StringComparison.Ordinal));
        Assert.All(asked, one => Assert.DoesNotMatch(@"\b(args|parameters)\b", one.Tail));
    }

    [Fact]
    public void Nobody_is_told_to_flush_Redis_or_to_stop_a_queue() => Assert.All(Runbooks.Names, name =>
    {
        var text = Runbooks.Read(name);
        Assert.DoesNotMatch("(?i)flush(db|all)|\"action\": ?\"stop\"", text);
        Assert.All(Regex.Matches(text, @"[^.]*\b(?i:flush|stop the (?:whole )?queue)\b[^.]*\."), match => Assert.Matches(@"(?i)\b(do not|never)\b", match.Value));
    });

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
