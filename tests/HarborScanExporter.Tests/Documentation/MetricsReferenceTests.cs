using System.Text.RegularExpressions;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Alerts;

namespace HarborScanExporter.Tests.Documentation;

public sealed partial class MetricsReferenceTests
{
    [Fact]
    public void The_tables_of_metrics_are_the_families_of_the_program()
    {
        var documented = MarkdownDocument.Metrics.Tables.Where(table => table.Header[0] == "metric").SelectMany(table => table.Rows)
            .Select(row => $"{MarkdownDocument.Code(row[0])} {row[1]} ({(row[2] == "-" ? "" : row[2].Replace("`", "", StringComparison.Ordinal))}) {row[3]}");
        Assert.Equal(
            ScrapeFamilies.All.Select(family => $"{family.Name} {family.Type.ToString().ToLowerInvariant()} ({string.Join(", ", family.Labels)}) {family.Help}")
                .Order(StringComparer.Ordinal),
            documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_table_of_label_values_is_complete()
    {
        var documented = MarkdownDocument.Metrics.TableOf("label", "values").Rows
            .ToDictionary(row => MarkdownDocument.Code(row[0])!, row => row[1].Replace("`", "", StringComparison.Ordinal));
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["type"] = string.Join(", ", ScanType.All),
                ["status"] = string.Join(", ", ScanStatus.Labels),
                ["verdict"] = string.Join(", ", Judgement.Verdicts.Select(verdict => verdict.Word)),
                ["state"] = string.Join(", ", Judgement.States.Select(state => state.Word)),
                ["kind"] = string.Join(", ", [.. Inconsistency.Kinds, Inconsistency.OrphanReport]),
                ["reason"] = string.Join(", ", FailureReason.All),
                ["collector"] = string.Join(", ", CollectorNames.All),
                ["mode"] = string.Join(", ", RemediationModeWords.All),
                ["table"] = string.Join(", ", TableWork.Tables),
                ["row"] = "open, finished",
                ["action"] = string.Join(", ", RepairActionWords.All.Select(action => action.Word())),
            },
            documented);
    }

    [Fact]
    public void The_table_of_reasons_of_repairs_is_complete()
    {
        string Reasons(Func<RepairAction, bool> which) => string.Join(", ", Assert.Single(
            RepairActionWords.All.Where(which).Select(RepairFailure.Of).Distinct()));
        var documented = MarkdownDocument.Metrics.TableOf("family", "values of reason").Rows
            .Select(row => $"{MarkdownDocument.Code(row[0])}: {row[1].Replace("`", "", StringComparison.Ordinal)}");
        Assert.Equal(
            [
                $"harbor_scan_remediation_requests_rejected_total: {string.Join(", ", RejectReason.All)}",
                $"harbor_scan_remediation_skipped_total: {string.Join(", ", SkipReason.All)}",
                $"harbor_scan_remediation_repair_failures_total: of rows: {Reasons(action => !action.IsOfApi())}; of Harbor's API: {Reasons(action => action.IsOfApi())}",
            ],
            documented);
    }

    [Fact]
    public void The_table_of_recording_rules_is_the_one_of_the_rule_file() => Assert.Equal(
        AlertRules.Recordings.Select(rule => rule.Name),
        MarkdownDocument.Metrics.TableOf("recording rule", "meaning").Rows.Select(row => MarkdownDocument.Code(row[0])!));

    [Fact]
    public void The_kinds_of_contradiction_are_explained() => Assert.Equal(
        [.. Inconsistency.Kinds, Inconsistency.OrphanReport],
        MarkdownDocument.Readme.TableOf("kind", "counts", "what follows").Rows.Select(row => MarkdownDocument.Code(row[0])!));

    [Fact]
    public void Every_verdict_and_state_that_rows_can_prove_is_in_the_tables_of_the_decision()
    {
        string[] tables = ["a `Running` task", "a `Pending` task"];
        var told = tables.SelectMany(first => MarkdownDocument.Readme.TableOf(first, "is").Rows).Select(row => Word().Match(row[1]).Groups[1].Value).ToHashSet();
        // Only the job service knows of the three that are left out.
        Assert.Equal(
            Judgement.Verdicts.Concat(Judgement.States).Select(judgement => judgement.Word).Except(["hung", "not_queued", "requeued"]).Order(StringComparer.Ordinal),
            told.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_verdict_and_state_that_Redis_can_prove_is_in_the_table_of_its_decision()
    {
        var told = MarkdownDocument.Readme.TableOf("what Redis holds of the job", "is").Rows
            .SelectMany(row => Word().Matches(row[1]).Select(match => match.Groups[1].Value)).ToHashSet();
        // With proof nothing is overdue: that is what rows say of a scan that may be hung, lost or unreported.
        Assert.Equal(
            Judgement.Verdicts.Concat(Judgement.States).Select(judgement => judgement.Word).Except(["overdue"]).Order(StringComparer.Ordinal),
            told.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_shown_scrape_has_families_and_labels_of_the_program()
    {
        var samples = MarkdownDocument.Readme.Blocks("text").SelectMany(block => block.Split('\n')).Select(line => Sample().Match(line)).Where(match => match.Success).ToArray();
        Assert.True(samples.Length > 10);
        Assert.All(samples, sample =>
        {
            var family = Assert.Single(ScrapeFamilies.All, known => known.Name == sample.Groups["name"].Value);
            Assert.Equal(family.Labels, LabelName().Matches(sample.Groups["labels"].Value).Select(label => label.Groups[1].Value));
        });
    }

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Word();

    [GeneratedRegex(@"^(?<name>harbor_scan_\w+)(\{(?<labels>[^}]*)\})? \S+$", RegexOptions.ExplicitCapture)]
    private static partial Regex Sample();

    [GeneratedRegex("(\\w+)=\"")]
    private static partial Regex LabelName();
}
