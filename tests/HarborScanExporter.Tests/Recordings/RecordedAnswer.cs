using System.Text.RegularExpressions;
using HarborScanExporter.Findings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Recordings;

/// <summary>What the exporter says of the scans that are not over, one line for each series that is not 0 and for each finding on the whole system.</summary>
internal static partial class RecordedAnswer
{
    /// <summary>
    /// The state of the evidence; then <c>stuck lost SCAN_ALL Pending 3</c>, <c>live queued IMAGE_SCAN 3</c>, <c>kind SCAN_ALL 3</c>,
    /// <c>scan-all blocked</c>; then the words of the findings on the whole system.
    /// </summary>
    public static string[] Of(MetricsDocument scrape, FindingsReport report)
    {
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        var open = new[] { "Pending", "Scheduled", "Running" }.Sum(status => scrape.Sum("harbor_scan_tasks", ("status", status)));
        Assert.Equal(open, scrape.Sum("harbor_scan_stuck_tasks") + scrape.Sum("harbor_scan_live_tasks"));
        return
        [
            .. Lines(scrape, "jobservice_evidence", "state").Select(line => line[..^2]),
            .. Lines(scrape, "stuck_tasks", "verdict", "type", "status").Select(line => $"stuck {line}"),
            .. Lines(scrape, "live_tasks", "state", "type").Select(line => $"live {line}"),
            .. Lines(scrape, "inconsistencies", "kind", "type"),
            .. scrape.Value("harbor_scan_all_blocked") == 1 ? ["scan-all blocked"] : Array.Empty<string>(),
            .. report.Findings.Where(finding => finding.Kind == FindingKind.System).Select(finding => finding.Verdict).Order(StringComparer.Ordinal),
        ];
    }

    private static IEnumerable<string> Lines(MetricsDocument scrape, string family, params string[] labels) =>
        scrape.NonZero($"harbor_scan_{family}").Select(series =>
        {
            var values = Label().Matches(series).ToDictionary(label => label.Groups["name"].Value, label => label.Groups["value"].Value);
            return string.Join(' ', labels.Select(label => values[label]).Append(series.Split(' ')[^1]));
        }).Order(StringComparer.Ordinal);

    [GeneratedRegex("(?<name>[a-z_]+)=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Label();
}
