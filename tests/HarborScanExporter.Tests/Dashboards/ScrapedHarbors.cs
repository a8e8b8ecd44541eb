using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>A Prometheus that has scraped one healthy Harbor, which has no label harbor and one exporter.</summary>
public sealed class HealthyHarbor : IAsyncLifetime
{
    private readonly DashboardTarget _target = DashboardTarget.Healthy();

    private PrometheusServer? _prometheus;

    internal PrometheusServer Prometheus => _prometheus ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync()
    {
        var address = await _target.StartAsync();
        _target.BeginToEndScans();
        _prometheus = await PrometheusServer.StartAsync([new ScrapeTarget(address.Authority)], interval: DashboardTarget.ScrapeInterval);
        // A rate needs an end between two scrapes.
        await Prometheus.ScrapedAsync(times: 6);
    }

    public async ValueTask DisposeAsync()
    {
        if (_prometheus is not null) await _prometheus.DisposeAsync();
        await _target.DisposeAsync();
    }
}

/// <summary>
/// A Prometheus that has scraped two Harbors with every fault under one job, each with a database of its own: <see cref="Two"/> has two
/// replicas of the exporter, <see cref="One"/> has one. Rules fire alerts of each kind: about a Harbor, about nothing that is scraped, and the watchdog.
/// </summary>
public sealed class FaultyHarbors : IAsyncLifetime
{
    public const string Two = "eu.1";
    public const string One = "us.1";
    public static readonly string[] Replicas = ["exporter-a.eu:10988", "exporter-b.eu:10988"];

    private const string Rules = """
        groups:
          - name: firing
            rules:
              - alert: HarborScanStuck
                expr: max without (instance, pod) (harbor_scan_stuck_tasks) > 0
                labels: {severity: warning}
              - alert: HarborScanExporterDown
                expr: absent(harbor_scan_gone)
                labels: {severity: critical}
              - alert: HarborScanWatchdog
                expr: vector(1)
              - alert: HarborDiskFull
                expr: vector(1)
        """;

    private readonly DashboardTarget _two = DashboardTarget.Faulty();
    private readonly DashboardTarget _one = DashboardTarget.Faulty();
    private readonly string _folder = Directory.CreateTempSubdirectory("rules-").FullName;

    private PrometheusServer? _prometheus;

    internal PrometheusServer Prometheus => _prometheus ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync()
    {
        // At the same time, so that the ages of their rows are nearly the same.
        var first = await Task.WhenAll(_two.StartAsync(), _one.StartAsync());
        var second = await _two.AddReplicaAsync();
        _two.BeginToEndScans();
        _one.BeginToEndScans();
        var rules = Path.Combine(_folder, "firing.rules.yml");
        await File.WriteAllTextAsync(rules, Rules);
        _prometheus = await PrometheusServer.StartAsync(
            [Target(first[0], Two, Replicas[0]), Target(second, Two, Replicas[1]), Target(first[1], One, "exporter-a.us:10988")], [rules],
            interval: DashboardTarget.ScrapeInterval);
        await Prometheus.ScrapedAsync();
        await Task.WhenAll(_two.RepairAsync(), _one.RepairAsync());
        await Prometheus.ScrapedAsync(times: 6);
    }

    public async ValueTask DisposeAsync()
    {
        if (_prometheus is not null) await _prometheus.DisposeAsync();
        await _two.DisposeAsync();
        await _one.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static ScrapeTarget Target(Uri metrics, string harbor, string instance) => new(metrics.Authority, new Dictionary<string, string>
    {
        ["harbor"] = harbor,
        ["instance"] = instance,
        ["pod"] = instance.Split('.')[0],
    });
}
