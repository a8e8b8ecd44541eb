using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

/// <summary>
/// Every second scrape fails: each alert fires all the same (conventions R6). The series are those of its own case "just after for", of which every
/// second sample is gone.
/// </summary>
public sealed partial class AlternatingDataTests
{
    /// <summary>How much later than without failures an alert may fire.</summary>
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(10);

    /// <summary>What the exporter says of a collection that could read nothing.</summary>
    private static readonly string[] SaidOfFailures = ["harbor_scan_up{", "harbor_scan_collector_success{"];

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public Task It_fires_while_the_exporter_answers_every_second_scrape_alone(string alert) =>
        FiresAsync(alert, series => IsOfExporter(series) ? "stale" : null);

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public Task It_fires_while_every_second_collection_reads_nothing(string alert) =>
        FiresAsync(alert, series => !IsOfExporter(series) ? null : SaidOfFailures.Any(said => series.StartsWith(said, StringComparison.Ordinal)) ? "0" : "stale");

    [Fact]
    public async Task Collections_of_which_every_second_reads_nothing_are_an_alert_themselves() => await PassesAsync($$"""
          - interval: 1m
            input_series:
              - series: 'harbor_scan_up{job="harbor-scan-exporter",instance="a"}'
                values: '{{string.Join(' ', Enumerable.Range(0, 61).Select(i => i % 2 == 0 ? "1" : "0"))}}'
              - series: 'harbor_scan_collector_success{job="harbor-scan-exporter",instance="a",collector="tasks"}'
                values: '{{string.Join(' ', Enumerable.Range(0, 61).Select(i => i % 2 == 0 ? "1" : "0"))}}'
              - series: 'harbor_scan_tasks{job="harbor-scan-exporter",instance="a",type="IMAGE_SCAN",status="Running"}'
                values: '{{string.Join(' ', Enumerable.Range(0, 61).Select(i => i % 2 == 0 ? "0" : "stale"))}}'
            promql_expr_test:
              - expr: 'count(ALERTS{alertname="HarborScanCollectorFailing",alertstate="firing"})'
                eval_time: 30m
                exp_samples:
                  - labels: '{}'
                    value: 1
        """);

    [Fact]
    public async Task A_target_that_answers_every_second_scrape_is_an_alert_itself() => await PassesAsync($$"""
          - interval: 1m
            input_series:
              - series: 'up{job="harbor-scan-exporter",instance="a"}'
                values: '{{string.Join(' ', Enumerable.Range(0, 61).Select(i => i % 2 == 0 ? "1" : "0"))}}'
            promql_expr_test:
              - expr: 'count(ALERTS{alertname="HarborScanExporterDown",alertstate="firing"})'
                eval_time: 15m
                exp_samples:
                  - labels: '{}'
                    value: 1
        """);

    [Theory]
    [InlineData("1x3", "1 1 1 1")]
    [InlineData("0+2x2 _x2 5", "0 2 4 _ _ 5")]
    [InlineData("9-1x1 stale", "9 8 stale")]
    public void Values_are_written_out(string values, string expected) => Assert.Equal(expected, string.Join(' ', WrittenOut(values)));

    private static bool IsOfExporter(string series) => series.StartsWith("harbor_scan_", StringComparison.Ordinal);

    /// <param name="alert">The alert.</param>
    /// <param name="failed">What stands in place of a series' sample when a scrape failed; null when it is not the exporter's.</param>
    private static async Task FiresAsync(string alert, Func<string, string?> failed)
    {
        var test = Yaml.Read(Repository.PathOf("alerts", "tests", $"{alert}.test.yml")).Items("tests")
            .First(one => one.Text("name").StartsWith($"{alert}: {RuleCases.After}", StringComparison.Ordinal));
        var after = RuleCases.Duration(test.Items("alert_rule_test").First(check => check.Text("alertname") == alert).Text("eval_time")) + Later;
        var interval = RuleCases.Duration(test.Text("interval"));
        var needed = (int)(after / interval) + 1;
        var text = new StringBuilder($"  - interval: {test.Text("interval")}\n    input_series:\n");
        foreach (var input in test.Items("input_series"))
        {
            var (series, values) = (input.Text("series"), WrittenOut(input.Text("values")));
            // The case may end with its look: what holds then goes on.
            while (values.Count < needed) values.Add(values[^1]);
            var instead = failed(series);
            var line = string.Join(' ', values.Select((value, i) => i % 2 == 1 && instead is not null ? instead : value));
            text.Append(CultureInfo.InvariantCulture, $"      - series: '{series}'\n        values: '{line}'\n");
        }
        text.Append(CultureInfo.InvariantCulture, $$"""
                promql_expr_test:
                  - expr: 'count(ALERTS{alertname="{{alert}}",alertstate="firing"}) > bool 0'
                    eval_time: {{(int)after.TotalMinutes}}m
                    exp_samples:
                      - labels: '{}'
                        value: 1

            """);
        await PassesAsync(text.ToString());
    }

    private static async Task PassesAsync(string tests)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("harbor-rules-").FullName, "alternating.yml");
        var groups = Yaml.Read(AlertRules.File).Items("groups").Select(group => $"  - {group.Text("name")}");
        await File.WriteAllTextAsync(file, $"rule_files:\n  - {AlertRules.File}\nevaluation_interval: 1m\ngroup_eval_order:\n{string.Join('\n', groups)}\ntests:\n{tests}");
        var result = await Tool.RunAsync("promtool", ["test", "rules", file], limit: TimeSpan.FromMinutes(5));
        Assert.True(result.ExitCode == 0, result.All + await File.ReadAllTextAsync(file));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    /// <summary>Each sample of promtool's notation: '1x3' is four of them, '0+2x2' three that rise by two.</summary>
    private static List<string> WrittenOut(string values)
    {
        List<string> samples = [];
        foreach (var part in values.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var match = Repeated().Match(part);
            if (!match.Success)
            {
                samples.Add(part);
                continue;
            }
            var times = int.Parse(match.Groups["times"].Value, CultureInfo.InvariantCulture);
            if (match.Groups["first"].Value == "_")
            {
                samples.AddRange(Enumerable.Repeat("_", times));
                continue;
            }
            var first = double.Parse(match.Groups["first"].Value, CultureInfo.InvariantCulture);
            var step = match.Groups["step"].Success ? double.Parse(match.Groups["step"].Value, CultureInfo.InvariantCulture) : 0;
            for (var i = 0; i <= times; i++) samples.Add((first + i * step).ToString("R", CultureInfo.InvariantCulture));
        }
        return samples;
    }

    [GeneratedRegex(@"^(?<first>_|-?[0-9.e+]+?)(?<step>[+-][0-9.e]+)?x(?<times>[0-9]+)$")]
    private static partial Regex Repeated();
}
