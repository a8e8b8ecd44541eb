using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Alerts;
using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// Two simulated Harbors, each with an exporter, under one Prometheus with the product's alerts: in one, scans broke hours ago; the other
/// has a backlog that waits for hours and is healthy. Alerts that fire go to a real Alertmanager.
/// </summary>
public sealed partial class BrokenAndStarvedHarbors : IAsyncLifetime
{
    public const string Broken = "broken";
    public const string Starved = "starved";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly List<IAsyncDisposable> _running = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("rules-").FullName;

    internal AlertmanagerServer Alertmanager { get; private set; } = null!;

    internal PrometheusServer Prometheus { get; private set; } = null!;

    internal MetricsDocument OfStarved { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var broken = await WatchedAsync(BreakAsync);
        var starved = await WatchedAsync(StarveAsync);
        OfStarved = await starved.ScrapeAsync();
        var rules = Path.Combine(_folder, "harbor-scan.rules.yml");
        // Prometheus takes five seconds to find its targets, and longer on a busy machine: less patience would call that an outage.
        await File.WriteAllTextAsync(rules, For().Replace(await File.ReadAllTextAsync(AlertRules.File), "for: 10s"));
        Alertmanager = await AlertmanagerServer.StartAsync();
        Prometheus = await PrometheusServer.StartAsync([Target(broken, Broken), Target(starved, Starved)], [rules], Alertmanager.Address,
            TimeSpan.FromSeconds(2));
        // Longer than every alert is held back.
        await Prometheus.ScrapedAsync(8);
    }

    public async ValueTask DisposeAsync()
    {
        if (Prometheus is not null) await Prometheus.DisposeAsync();
        if (Alertmanager is not null) await Alertmanager.DisposeAsync();
        foreach (var one in Enumerable.Reverse(_running)) await one.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>30 hours of pushes; in the last five, jobs get lost, results are not reported and a scan-all is not refreshed.</summary>
    private static async Task BreakAsync(TestHarbor harbor)
    {
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, 30 * Hour,
            new SimulationSettings { ErrorShare = 0, SbomShare = 0, PushesPerHour = 6, BackgroundJobs = true });
        var simulation = simulated.Simulation;
        await simulated.CatchUpAsync(5 * Hour);
        await simulated.ScanAsync(3, "lost");
        await simulation.LoseRedisAsync();

        await simulated.CatchUpAsync(4 * Hour);
        simulation.HangNext(2);
        var finished = await simulated.ScanAsync(2, "unreported");
        for (var second = 0; second < 600 && !finished.All(simulation.IsRunning); second++) await simulation.AdvanceAsync(TimeSpan.FromSeconds(1));
        foreach (var task in finished) await simulation.FinishWithoutTellingAsync(task);

        await simulated.CatchUpAsync(3 * Hour);
        var scanAll = await simulation.ScanAllAsync();
        simulation.LoseRefresh(scanAll.ExecutionId ?? throw new InvalidOperationException(scanAll.Refusal));
        await simulated.CatchUpAsync();
    }

    /// <summary>One worker that needs half an hour for each scan, and a scan-all of 40 images that began nine hours ago.</summary>
    private static async Task StarveAsync(TestHarbor harbor)
    {
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, 10 * Hour,
            new SimulationSettings { ErrorShare = 0, Sweeps = false, WorkersPerPool = 1, MeanScan = TimeSpan.FromMinutes(30) });
        for (var i = 0; i < 40; i++) await simulated.Simulation.PushAsync(tag: $"{i}");
        await simulated.CatchUpAsync(9 * Hour);
        await simulated.Simulation.ScanAllAsync();
        await simulated.CatchUpAsync(8 * Hour);
        await simulated.ScanAsync(3, "behind");
        await simulated.CatchUpAsync();
    }

    private async Task<RunningExporter> WatchedAsync(Func<TestHarbor, Task> play)
    {
        var harbor = await TestHarbor.CreateAsync();
        _running.Add(harbor);
        await play(harbor);
        var exporter = await RunningExporter.StartAsync(harbor);
        _running.Add(exporter);
        // The first collection connects and compiles.
        await exporter.ScrapeAsync();
        return exporter;
    }

    private static ScrapeTarget Target(RunningExporter exporter, string harbor) =>
        new(exporter.Address.Authority, new Dictionary<string, string> { ["harbor"] = harbor });

    [GeneratedRegex(@"(?<=^ +)for: \w+$", RegexOptions.Multiline)]
    private static partial Regex For();
}

/// <summary>Broken scans reach the Alertmanager, and scans that only wait do not.</summary>
public sealed class AlertsFireTests(BrokenAndStarvedHarbors harbors) : IClassFixture<BrokenAndStarvedHarbors>
{
    private static readonly string[] Expected =
    [
        "HarborScanAllBlocked{harbor=broken,job=harbor-scan-exporter,severity=critical}",
        "HarborScanInconsistentRows{harbor=broken,job=harbor-scan-exporter,kind=execution_not_refreshed,severity=warning,type=SCAN_ALL}",
        "HarborScanLost{harbor=broken,job=harbor-scan-exporter,severity=warning,type=IMAGE_SCAN,verdict=lost}",
        "HarborScanUnreported{harbor=broken,job=harbor-scan-exporter,severity=warning,type=IMAGE_SCAN,verdict=unreported}",
        "HarborScanWatchdog{severity=info}",
    ];

    [Fact]
    public async Task What_broke_fires_with_its_labels_and_nothing_else_does() =>
        Assert.Equal(Expected, Texts((await harbors.Prometheus.QueryAsync("ALERTS{alertstate=\"firing\"}")).Select(series => series.Labels)));

    [Fact]
    public async Task The_values_are_those_of_the_rows()
    {
        async Task<double> ValueAsync(string promql) => Assert.Single(await harbors.Prometheus.QueryAsync(promql)).Value;
        Assert.Equal(3, await ValueAsync("""sum(harbor_scan_stuck_tasks{harbor="broken",verdict="lost",status="Pending"})"""));
        Assert.Equal(2, await ValueAsync("""sum(harbor_scan_stuck_tasks{harbor="broken",verdict="unreported",status="Running"})"""));
        Assert.Equal(5, await ValueAsync("""sum(harbor_scan_stuck_tasks{harbor="broken"})"""));
        Assert.Equal(5, await ValueAsync("""harbor_scan_blocked_artifacts{harbor="broken"}"""));
    }

    [Fact]
    public async Task Alertmanager_receives_what_fires()
    {
        string[] received = [];
        await Eventually.HoldsAsync(
            async () => (received = Texts(await harbors.Alertmanager.ActiveAsync())).SequenceEqual(Expected), TimeSpan.FromSeconds(20),
            () => $"Received: {string.Join("; ", received)}{Environment.NewLine}{harbors.Alertmanager.Log}");
    }

    [Fact]
    public async Task A_backlog_that_waits_for_hours_is_no_alert()
    {
        // It looks like the other: rows that are open for hours.
        Assert.True(harbors.OfStarved.Sum("harbor_scan_tasks_older_than", ("age_seconds", "21600"), ("status", "Pending")) >= 5, harbors.OfStarved.Text);
        Assert.Equal(3, harbors.OfStarved.Value("harbor_scan_live_tasks", ("type", "IMAGE_SCAN"), ("state", "queued")));
        Assert.True(harbors.OfStarved.Value("harbor_scan_live_tasks", ("type", "SCAN_ALL"), ("state", "queued")) >= 5, harbors.OfStarved.Text);
        Assert.Empty(harbors.OfStarved.NonZero("harbor_scan_stuck_tasks"));
        Assert.Empty(await harbors.Prometheus.QueryAsync("""ALERTS{harbor="starved"}"""));
    }

    private static string[] Texts(IEnumerable<IReadOnlyDictionary<string, string>> alerts) =>
    [
        .. alerts.Select(labels => $"{labels["alertname"]}{{{string.Join(',', labels
            .Where(label => label.Key is not ("alertname" or "alertstate" or "__name__"))
            .OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"))}}}").Order(StringComparer.Ordinal),
    ];
}
