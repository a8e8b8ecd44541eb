using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.JobService;

/// <summary>A place where an operator reads what is stuck.</summary>
internal interface ISituationView
{
    /// <summary>Its name in a failed assertion.</summary>
    string Name { get; }

    /// <summary>Looks once.</summary>
    Task<Told> LookAsync(Situation situation);
}

/// <summary>The places that must tell the same.</summary>
internal static class SituationViews
{
    /// <summary>A command remembers nothing: it takes one look, and a second after a minute.</summary>
    public static ISituationView Command { get; } = new DocumentView("check --output json", async (situation, _) =>
    {
        var run = await CommandRun.CheckAsync(situation.Environment, new CheckOptions { Output = CheckOutput.Json }, time: new FakeTimeProvider());
        var document = JsonNode.Parse(run.Output)!;
        var expected = (int)document["total"]! > 0 ? CheckCommand.Found : (string?)document["state"]!["level"] == "unknown" ? CheckCommand.NotDecided : CheckCommand.NothingFound;
        Assert.True(run.Exit == expected, run.All);
        return run.Output;
    });

    public static IReadOnlyList<ISituationView> All { get; } =
    [
        new MetricsView(),
        new DocumentView("GET /api/v1/findings", (situation, page) =>
            situation.Operated.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/api/v1/findings?page_size=500&page={page}"))),
        Command,
    ];
}

/// <summary>/metrics.</summary>
internal sealed class MetricsView : ISituationView
{
    public string Name => "/metrics";

    public async Task<Told> LookAsync(Situation situation) => Of(await situation.Exporter.ScrapeAsync());

    /// <summary>Reads a scrape, of which every database collector must have come to its end.</summary>
    public static Told Of(MetricsDocument scrape)
    {
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        return new Told
        {
            Stuck = Words(scrape, "harbor_scan_stuck_tasks", "verdict"),
            Live = Words(scrape, "harbor_scan_live_tasks", "state"),
            Inconsistencies = Words(scrape, "harbor_scan_inconsistencies", "kind"),
            System = [.. System(scrape)],
            ScanAllBlocked = scrape.Value("harbor_scan_all_blocked") == 1,
            BlockedArtifacts = (int)scrape.Value("harbor_scan_blocked_artifacts"),
        };
    }

    private static string[] Words(MetricsDocument scrape, string family, string label) =>
    [
        .. from series in scrape.Series
           where series.Value != 0 && series.Key.StartsWith(family + "{", StringComparison.Ordinal)
           group series.Value by $"{Label(series.Key, "type")} {Label(series.Key, label)}" into word
           select $"{word.Key} {word.Sum().ToString(CultureInfo.InvariantCulture)}",
    ];

    private static string Label(string series, string name)
    {
        var from = series.IndexOf($"{name}=\"", StringComparison.Ordinal) + name.Length + 2;
        return series[from..series.IndexOf('"', from)];
    }

    /// <summary>The metric behind each word.</summary>
    private static IEnumerable<string> System(MetricsDocument scrape)
    {
        double Value(string family, params (string, string)[] labels) => scrape.Families.Contains(family) ? scrape.Value(family, labels) : 0;
        if (Value("harbor_scan_jobservice_evidence", ("state", "unreachable")) == 1) yield return "redis_unreachable";
        if (Value("harbor_scan_jobservice_evidence", ("state", "refused")) == 1) yield return "redis_refused";
        if (Value("harbor_scan_jobservice_evidence", ("state", "empty")) + Value("harbor_scan_jobservice_evidence", ("state", "foreign")) == 1) yield return "redis_wrong_database";
        if (Value("harbor_scan_jobservice_evidence", ("state", "usable")) == 1 && Value("harbor_scan_jobservice_up") == 0) yield return "jobservice_down";
        if (Value("harbor_scan_queue_paused", ("queue", "IMAGE_SCAN")) == 1) yield return "queue_paused";
        if (Value("harbor_scan_read_only") == 1) yield return "read_only";
        switch (Value("harbor_scan_queue_oldest_age_seconds", ("queue", "IMAGE_SCAN")))
        {
            case > 24 * 3600: yield return "queued_over_24h"; break;
            case > 20 * 3600: yield return "queue_old"; break;
        }
        foreach (var (family, word) in new[] { ("harbor_scan_ghost_workers", "ghost_workers"), ("harbor_scan_orphan_hooks", "orphan_hooks"), ("harbor_scan_leaked_robots", "leaked_robots") })
        {
            if (Value(family) is > 0 and var count) yield return $"{word} {count.ToString(CultureInfo.InvariantCulture)}";
        }
    }
}

/// <summary>A place that gives out the findings document: its text is read as a program would.</summary>
/// <param name="name">The place.</param>
/// <param name="read">Returns the JSON of a page, from 1; a place without pages gives everything on the first.</param>
internal sealed class DocumentView(string name, Func<Situation, int, Task<string>> read) : ISituationView
{
    private static readonly string[] Counted = ["ghost_workers", "orphan_hooks", "leaked_robots"];

    public string Name => name;

    public async Task<Told> LookAsync(Situation situation)
    {
        var document = await ReadAsync(situation, 1);
        var summary = document.GetProperty("summary");
        List<JsonElement> findings = [.. document.GetProperty("findings").EnumerateArray()];
        var total = document.GetProperty("total").GetInt32();
        for (var page = 2; findings.Count < total; page++)
        {
            var before = findings.Count;
            findings.AddRange((await ReadAsync(situation, page)).GetProperty("findings").EnumerateArray());
            Assert.NotEqual(before, findings.Count);
        }
        Assert.Equal(total, findings.Count);
        var told = new Told
        {
            Stuck = Findings(findings, "task"),
            Live = Words(summary.GetProperty("live_tasks")),
            Inconsistencies = Words(summary.GetProperty("inconsistencies")),
            System = [.. findings.Where(finding => Text(finding, "kind") == "system").Select(System).Except(["scan_all_blocked", "redis_emptied"])],
            ScanAllBlocked = summary.GetProperty("scan_all_blocked").GetBoolean(),
            BlockedArtifacts = summary.GetProperty("blocked_artifacts").GetInt32(),
        };
        // The findings and the numbers beside them are of one look. A blocked sweep is said with the execution that blocks it.
        Assert.Equal(Words(summary.GetProperty("stuck_tasks")), told.Stuck);
        Assert.Equal(told.Inconsistencies.Where(word => !word.Contains("sweep_blocked", StringComparison.Ordinal)).Order(StringComparer.Ordinal), Findings(findings, "execution"));
        Assert.Equal(told.ScanAllBlocked, findings.Any(finding => finding.GetProperty("blocked").GetProperty("scan_all").GetBoolean()));
        return told;
    }

    private async Task<JsonElement> ReadAsync(Situation situation, int page)
    {
        using var document = JsonDocument.Parse(await read(situation, page));
        return document.RootElement.Clone();
    }

    private static string[] Words(JsonElement byType) =>
    [
        .. byType.EnumerateObject().SelectMany(type => type.Value.EnumerateObject().Select(word => $"{type.Name} {word.Name} {word.Value.GetRawText()}"))
            .Order(StringComparer.Ordinal),
    ];

    private static string[] Findings(IEnumerable<JsonElement> findings, string kind) =>
    [
        .. findings.Where(finding => Text(finding, "kind") == kind).GroupBy(finding => $"{Text(finding, "type")} {Text(finding, "verdict")}")
            .Select(word => $"{word.Key} {word.Sum(finding => finding.GetProperty("count").GetInt64()).ToString(CultureInfo.InvariantCulture)}").Order(StringComparer.Ordinal),
    ];

    private static string System(JsonElement finding)
    {
        var word = Text(finding, "verdict");
        return Counted.Contains(word) ? $"{word} {finding.GetProperty("count").GetRawText()}" : word;
    }

    private static string Text(JsonElement finding, string name) => finding.GetProperty(name).GetString()!;
}
