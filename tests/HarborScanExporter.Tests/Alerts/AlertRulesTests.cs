using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

public sealed partial class AlertRulesTests
{
    /// <summary>What the exporter exports.</summary>
    private static readonly HashSet<string> s_exported = [.. SeriesNames.All];

    /// <summary>What Harbor's own exporter exports and a corroborating rule may use.</summary>
    private static readonly HashSet<string> s_harbors = new(StringComparer.Ordinal) { "harbor_task_queue_size", "harbor_task_concurrency" };

    private static readonly string[] s_contract =
    [
        "HarborScanStuck", "HarborScanStuckLong", "HarborScanLost", "HarborScanUnreported", "HarborScanAllBlocked",
        "HarborScanSweepBlocked", "HarborScanInconsistentRows", "HarborScanNoSuccess", "HarborScanQueueNotMoving",
        "HarborScanBacklogGrowing", "HarborScanRobotsLeaked", "HarborScanExporterDown", "HarborScanExporterBlind",
        "HarborScanCollectorFailing", "HarborScanSnapshotStale", "HarborScanClockSkew", "HarborScanWatchdog",
        "HarborScanHung", "HarborScanJobserviceDown", "HarborScanJobserviceUnreadable", "HarborScanRedisDatabaseWrong", "HarborScanNoWorkers",
        "HarborScanQueueOld", "HarborScanQueuePausedNearLimit", "HarborScanGhostWorkers", "HarborScanOrphanHooks",
        "HarborScanRemediationFailing", "HarborScanRemediationReverted", "HarborScanRemediationBreakerOpen", "HarborScanRemediationCapReached",
        "HarborScanRemediationAuditFailing", "HarborScanRemediationPausedLong",
        "HarborScanErrorRatio", "HarborScanReconciliationStale", "HarborScanReconciliationDrift", "HarborScanExpensiveScrape",
    ];

    [Fact]
    public void The_alerts_that_others_name_exist() =>
        Assert.Empty(s_contract.Except(AlertRules.Alerts.Select(alert => alert.Name)));

    [Fact]
    public void Names_are_unique() => Assert.Equal(AlertRules.Alerts.Count, AlertRules.Alerts.Select(alert => alert.Name).Distinct().Count());

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public void An_alert_keeps_the_house_form(string name)
    {
        var alert = AlertRules.Find(name);
        Assert.Matches("^HarborScan([A-Z][a-z]+)+$", alert.Name);
        Assert.NotNull(alert.For);
        Assert.True(RuleCases.Duration(alert.For) > TimeSpan.Zero);
        Assert.Contains(alert.Labels["severity"], new[] { "critical", "warning", "info" });
        Assert.Equal(["dashboard_url", "description", "runbook_url", "summary"], alert.Annotations.Keys.Order(StringComparer.Ordinal));
        Assert.DoesNotContain("{{", alert.Annotations["summary"], StringComparison.Ordinal);
        Assert.EndsWith(".", alert.Annotations["summary"], StringComparison.Ordinal);
        Assert.Equal($"https://github.com/harbor-scan-exporter/harbor-scan-exporter/blob/main/alerts/runbooks/{name}.md", alert.Annotations["runbook_url"]);
        Assert.Contains(alert.Annotations["dashboard_url"], new[] { "/d/harbor-scan-overview", "/d/harbor-scan-stuck", "/d/harbor-scan-repairs" });
    }

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public void A_description_humanises_values_and_says_who_is_blocked(string name)
    {
        var description = AlertRules.Find(name).Annotations["description"];
        Assert.Matches("(?i)rescan|users?|operators?|administrators?|pulls|nobody", description);
        Assert.DoesNotMatch(@"\$value\s*}}", description);
        if (name != "HarborScanWatchdog") Assert.Contains("$labels.harbor", description, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public void An_alert_is_held_over_lost_data(string name)
    {
        var alert = AlertRules.Find(name);
        if (name == "HarborScanWatchdog")
        {
            Assert.Null(alert.KeepFiringFor);
            return;
        }
        Assert.NotNull(alert.KeepFiringFor);
        var blind = RuleCases.Duration(AlertRules.Find("HarborScanExporterBlind").For!);
        if (AlertRules.OfData.Contains(alert))
            Assert.True(RuleCases.Duration(alert.KeepFiringFor) > blind, "It must last until HarborScanExporterBlind fires.");
    }

    [Fact]
    public void Recording_rules_are_level_metric_operation_over_a_metric_that_exists() => Assert.All(AlertRules.Recordings, rule =>
    {
        var parts = rule.Name.Split(':');
        Assert.Equal(3, parts.Length);
        Assert.StartsWith("harbor", parts[0], StringComparison.Ordinal);
        Assert.Contains(parts[1], s_exported);
        Assert.Matches("^[a-z_]+$", parts[2]);
    });

    [Fact]
    public void Every_recording_rule_that_an_alert_reads_exists()
    {
        var used = AlertRules.Alerts.SelectMany(alert => Recorded().Matches(alert.Expression)).Select(match => match.Value).ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(used);
        Assert.Empty(used.Except(AlertRules.Recordings.Select(rule => rule.Name)));
    }

    [Fact]
    public void Every_metric_named_exists()
    {
        var named = Expressions().SelectMany(MetricsOf).Select(metric => metric.Name).ToHashSet(StringComparer.Ordinal);
        Assert.True(named.Count > 10);
        Assert.Empty(named.Except(s_exported).Except(s_harbors));
        var inTemplates = AlertRules.Alerts.SelectMany(alert => Raw().Matches(alert.Annotations["description"])).Select(match => match.Value);
        Assert.Empty(inTemplates.Except(s_exported));
    }

    [Fact]
    public void Replicas_are_joined_by_their_maximum_before_anything_else() => Assert.All(Expressions(), expression =>
    {
        Assert.DoesNotMatch(@"\bby \((?!harbor\))", expression);
        Assert.All(MetricsOf(expression), metric =>
        {
            var aggregation = FirstAggregationAround(expression, metric.Index);
            Assert.True(aggregation.StartsWith("max without (instance, pod", StringComparison.Ordinal),
                $"{metric.Name} is first under \"{aggregation}\" in {expression}");
            Assert.DoesNotContain("harbor,", aggregation, StringComparison.Ordinal);
        });
    });

    [Fact]
    public void The_check_of_replicas_finds_a_sum_over_them()
    {
        const string wrong = "sum without (status) (harbor_scan_stuck_tasks) > 0";
        var metric = Assert.Single(MetricsOf(wrong));
        Assert.Equal("sum without (status)", FirstAggregationAround(wrong, metric.Index));
    }

    [Fact]
    public void Absence_is_asked_for_only_with_for_of_two_scrape_intervals() => Assert.All(
        AlertRules.Alerts.Where(alert => alert.Expression.Contains("absent(", StringComparison.Ordinal)),
        alert => Assert.True(RuleCases.Duration(alert.For!) >= TimeSpan.FromMinutes(2)));

    [Fact]
    public void Only_up_depends_on_the_name_of_the_job() => Assert.All(Expressions(), expression =>
    {
        Assert.DoesNotMatch(@"harbor_\w+\{[^}]*\bjob\b", expression);
        Assert.All(Regex.Matches(expression, @"\bup\b(\{[^}]*\})?"), match => Assert.Equal("{job=~\".*harbor-scan.*\"}", match.Groups[1].Value));
    });

    [Fact]
    public void One_row_fires_one_alert()
    {
        var verdicts = AlertRules.Alerts
            .Where(alert => alert.Expression.Contains("harbor_type_verdict:harbor_scan_stuck_tasks:sum", StringComparison.Ordinal))
            .SelectMany(alert => Regex.Match(alert.Expression, "verdict=~?\"([^\"]+)\"").Groups[1].Value.Split('|'));
        Assert.Equal(["hung", "lost", "not_queued", "overdue", "unreported"], verdicts.Order(StringComparer.Ordinal));
        var kinds = AlertRules.Alerts
            .SelectMany(alert => Regex.Matches(alert.Expression, "kind=~?\"([^\"]+)\"").SelectMany(match => match.Groups[1].Value.Split('|'))).ToList();
        Assert.Equal(kinds.Distinct().Count(), kinds.Count);
    }

    /// <summary>Every family that can vanish has a companion, in the rule that misses it.</summary>
    [Fact]
    public void What_an_alert_on_rows_reads_is_missed_when_it_is_gone()
    {
        string[] absentWithNothingToTell =
            ["harbor_scan_last_success_timestamp_seconds", "harbor_scan_sweep_last_success_timestamp_seconds"];
        var missed = AlertRules.Find("HarborScanMetricsMissing").Expression;
        var read = AlertRules.OfData.SelectMany(alert => MetricsOf(alert.Expression).Select(metric => metric.Name)
                .Concat(Recorded().Matches(alert.Expression).Select(match => match.Value.Split(':')[1])))
            .Distinct().Where(name => !s_harbors.Contains(name)).ToList();
        Assert.True(read.Count >= 8);
        Assert.All(read.Except(absentWithNothingToTell), name => Assert.Contains($"\"{name}\"", missed, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Expressions() =>
        AlertRules.Alerts.Select(alert => alert.Expression).Concat(AlertRules.Recordings.Select(rule => rule.Expression));

    /// <summary>Metrics that are scraped: not the names in quotes, not the recorded ones.</summary>
    private static IEnumerable<(string Name, int Index)> MetricsOf(string expression)
    {
        var unquoted = Regex.Replace(expression, "\"[^\"]*\"", match => new string('.', match.Length));
        return Raw().Matches(unquoted).Select(match => (match.Value, match.Index));
    }

    /// <summary>The innermost aggregation that encloses a place, as it is written.</summary>
    private static string FirstAggregationAround(string expression, int index)
    {
        var depth = 0;
        for (var i = index - 1; i >= 0; i--)
        {
            if (expression[i] == ')') depth++;
            if (expression[i] != '(') continue;
            if (depth > 0)
            {
                depth--;
                continue;
            }
            var before = Aggregation().Match(expression[..i]);
            if (before.Success) return before.Value.Trim();
        }
        return "";
    }

    [GeneratedRegex(@"(?<![:\w])harbor_(scan|task)_\w+(?![\w:])")]
    private static partial Regex Raw();

    [GeneratedRegex(@"\bharbor[a-z_]*:harbor_scan_\w+:\w+")]
    private static partial Regex Recorded();

    [GeneratedRegex(@"\b(sum|max|min|avg|count|group|quantile|stddev)( (without|by) \([^()]*\))?\s*$")]
    private static partial Regex Aggregation();
}
