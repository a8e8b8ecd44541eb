using System.Text.RegularExpressions;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Alerts;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Documentation;

/// <summary>Names of metrics, alerts and variables that documents use.</summary>
public sealed partial class NamesTests
{
    /// <summary>Words that look like metrics and are something else.</summary>
    private static readonly string[] NoMetrics =
    [
        // The role of deploy/sql.
        "harbor_scan_exporter",
    ];

    /// <summary>Variables that documents name though they are no settings.</summary>
    private static readonly string[] NoSettings =
    [
        // A mistake, shown with its message.
        "HARBOR_SCAN_SCRAPE_TIMEOUTS",
        // What Kubernetes injects for a service named harbor-scan-exporter.
        "HARBOR_SCAN_EXPORTER_SERVICE_HOST",
        // The servers of the tests, and how many histories they try.
        "HARBOR_TEST_DATABASE",
        "HARBOR_TEST_HISTORIES",
        "HARBOR_TEST_REDIS",
    ];

    public static TheoryData<string> Files =>
    [
        .. MarkdownDocument.All.Select(document => document.Path),
        .. Below("alerts/runbooks", "*.md"),
        .. Below("dashboards", "*.json"),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_metric_that_is_named_exists(string file)
    {
        string[] known = [.. ScrapeFamilies.All.Select(family => family.Name), .. SeriesNames.All, .. NoMetrics];
        // The name of a family stands within that of a recording rule.
        string[] recorded = [.. AlertRules.Recordings.Select(rule => rule.Name)];
        var text = Repository.Read(file.Split('/'));
        Assert.Empty(Metric().Matches(text).Select(match => match.Value).Except(known));
        Assert.Empty(Recording().Matches(text).Select(match => match.Value).Except(recorded));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_alert_that_is_named_exists(string file) => Assert.Empty(
        Alert().Matches(Repository.Read(file.Split('/'))).Select(match => match.Value)
            .Except([.. AlertRules.Alerts.Select(alert => alert.Name), "HarborScanExporter"]));

    [Fact]
    public void Every_variable_that_is_named_is_a_setting()
    {
        Assert.All(MarkdownDocument.All, document => Assert.Empty(
            Variable().Matches(document.Text).Select(match => match.Value).Except([.. Setting.All.Select(setting => setting.Name), .. NoSettings])));
        Assert.Contains("HARBOR_DATABASE_HOST", Variable().Matches(MarkdownDocument.Readme.Text).Select(match => match.Value));
    }

    [Fact]
    public void Every_flag_of_the_program_that_is_named_exists()
    {
        var flags = Setting.All.Where(setting => !setting.IsSecret).Select(setting => setting.Flag).ToArray();
        var named = Regex.Matches(MarkdownDocument.Readme.Text, "`(--database-[a-z-]+)`").Select(match => match.Groups[1].Value).ToArray();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(flags));
    }

    private static IEnumerable<string> Below(string folder, string pattern) =>
        Directory.GetFiles(Repository.PathOf(folder.Split('/')), pattern).Select(file => $"{folder}/{Path.GetFileName(file)}").Order(StringComparer.Ordinal);

    [GeneratedRegex(@"\bharbor_scan_[a-z_]*[a-z]")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\bharbor[a-z_]*:harbor_scan_[a-z_]+:[a-z_]+")]
    private static partial Regex Recording();

    [GeneratedRegex(@"\bHarborScan[A-Z]\w*")]
    private static partial Regex Alert();

    [GeneratedRegex(@"\bHARBOR_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_])")]
    private static partial Regex Variable();
}
