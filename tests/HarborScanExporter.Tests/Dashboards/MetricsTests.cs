using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>The metrics on the dashboards against those of a scrape.</summary>
public sealed partial class MetricsTests
{
    private static readonly IReadOnlyDictionary<string, string> LeftOut = ReadLeftOut();

    [Fact]
    public async Task Every_metric_on_a_dashboard_exists()
    {
        var scraped = await FamiliesAsync();
        Assert.Empty(Shown().Except(scraped.Keys));
        Assert.Equal(["harbor_scan_gone"], Shown().Append("harbor_scan_gone").Except(scraped.Keys));
    }

    [Fact]
    public async Task Every_metric_of_a_scrape_is_on_a_dashboard_or_left_out_with_a_reason()
    {
        var scraped = await FamiliesAsync();
        Assert.True(scraped.Count > 30, $"Only {scraped.Count} families.");
        Assert.Empty(Homeless(scraped.Keys));
        Assert.Equal(["harbor_scan_new"], Homeless(scraped.Keys.Append("harbor_scan_new")));
    }

    [Fact]
    public async Task What_is_left_out_is_scraped_not_shown_and_has_a_reason()
    {
        Assert.Empty(LeftOut.Keys.Except((await FamiliesAsync()).Keys));
        Assert.Empty(LeftOut.Keys.Intersect(Shown()));
        Assert.All(LeftOut.Values, reason => Assert.True(reason.Split(' ').Length > 3, reason));
    }

    [Fact]
    public async Task Counters_and_nothing_else_end_in_total() =>
        Assert.All(await FamiliesAsync(), family =>
            Assert.Equal(family.Key.EndsWith("_total", StringComparison.Ordinal), family.Value == "counter"));

    [Fact]
    public async Task The_scrape_passes_promtool()
    {
        foreach (var target in new[] { DashboardTarget.Healthy(), DashboardTarget.Faulty() })
        {
            var result = await Tool.RunAsync("promtool", ["check", "metrics"], await ScrapeAsync(target));
            Assert.Equal((0, ""), (result.ExitCode, result.All.Trim()));
        }
    }

    private static IEnumerable<string> Homeless(IEnumerable<string> scraped) => scraped.Except(Shown()).Except(LeftOut.Keys);

    private static IEnumerable<string> Shown() =>
        Dashboard.All.SelectMany(QueryRules.Selectors).Select(one => one.Selector.Metric).Distinct();

    /// <summary>Name and type of every family, with everything optional on.</summary>
    private static async Task<IReadOnlyDictionary<string, string>> FamiliesAsync() =>
        Type().Matches(await ScrapeAsync(DashboardTarget.Faulty()))
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["type"].Value);

    private static async Task<string> ScrapeAsync(DashboardTarget target)
    {
        await using var running = target;
        using var http = new HttpClient();
        return await http.GetStringAsync(await target.StartAsync());
    }

    private static Dictionary<string, string> ReadLeftOut()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read(Dashboard.Folder, "left-out.yml")));
        return ((YamlMappingNode)stream.Documents[0].RootNode).Children
            .ToDictionary(entry => ((YamlScalarNode)entry.Key).Value!, entry => ((YamlScalarNode)entry.Value).Value ?? "",
                StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^# TYPE (?<name>\S+) (?<type>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Type();
}
