using System.Text.RegularExpressions;
using HarborScanExporter.Metrics;
using HarborScanExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>One scrape of each Harbor of the dashboards.</summary>
public sealed class DashboardScrapes : IAsyncLifetime
{
    internal string Healthy { get; private set; } = "";

    internal string Faulty { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Healthy = await ScrapeAsync(DashboardTarget.Healthy());
        Faulty = await ScrapeAsync(DashboardTarget.Faulty());
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<string> ScrapeAsync(DashboardTarget target)
    {
        await using var running = target;
        using var http = new HttpClient();
        return await http.GetStringAsync(await target.StartAsync());
    }
}

/// <summary>The metrics on the dashboards against those of a scrape.</summary>
public sealed partial class MetricsTests(DashboardScrapes scrapes) : IClassFixture<DashboardScrapes>
{
    private static readonly IReadOnlyDictionary<string, string> LeftOut = ReadLeftOut();

    [Fact]
    public void Every_metric_on_a_dashboard_exists()
    {
        var scraped = Families();
        Assert.Empty(Shown().Except(scraped.Keys));
        Assert.Equal(["harbor_scan_gone"], Shown().Append("harbor_scan_gone").Except(scraped.Keys));
    }

    [Fact]
    public void Every_metric_of_a_scrape_is_on_a_dashboard_or_left_out_with_a_reason()
    {
        var scraped = Families();
        Assert.True(scraped.Count > 30, $"Only {scraped.Count} families.");
        Assert.Empty(Homeless(scraped.Keys));
        Assert.Equal(["harbor_scan_new"], Homeless(scraped.Keys.Append("harbor_scan_new")));
    }

    [Fact]
    public void Every_family_of_the_catalogue_is_in_a_scrape_and_no_other_but_those_of_the_process() =>
        Assert.Equal(
            ScrapeFamilies.All.Select(family => family.Name).Order(StringComparer.Ordinal),
            Families().Keys.Where(name => !name.StartsWith("process_", StringComparison.Ordinal) && !name.StartsWith("dotnet_", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));

    [Fact]
    public void What_is_left_out_is_scraped_not_shown_and_has_a_reason()
    {
        Assert.Empty(LeftOut.Keys.Except(Families().Keys));
        Assert.Empty(LeftOut.Keys.Intersect(Shown()));
        Assert.All(LeftOut.Values, reason => Assert.True(reason.Split(' ').Length > 3, reason));
    }

    [Fact]
    public void Counters_and_nothing_else_end_in_total() =>
        Assert.All(Families(), family =>
            Assert.Equal(family.Key.EndsWith("_total", StringComparison.Ordinal), family.Value == "counter"));

    [Fact]
    public async Task The_scrape_passes_promtool()
    {
        foreach (var text in new[] { scrapes.Healthy, scrapes.Faulty })
        {
            var result = await Tool.RunAsync("promtool", ["check", "metrics"], text);
            Assert.Equal((0, ""), (result.ExitCode, result.All.Trim()));
        }
    }

    private static IEnumerable<string> Homeless(IEnumerable<string> scraped) => scraped.Except(Shown()).Except(LeftOut.Keys);

    private static IEnumerable<string> Shown() =>
        Dashboard.All.SelectMany(QueryRules.Selectors).Select(one => SeriesNames.Family(one.Selector.Metric)).Distinct();

    /// <summary>Name and type of every family, with everything optional on.</summary>
    private Dictionary<string, string> Families() =>
        Type().Matches(scrapes.Faulty)
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["type"].Value);

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
