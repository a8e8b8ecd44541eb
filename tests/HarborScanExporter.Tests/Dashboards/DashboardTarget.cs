using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>What the dashboards' Prometheus scrapes: the exporter over the database of one Harbor.</summary>
internal sealed class DashboardTarget : IAsyncDisposable
{
    /// <summary>A collection must end within this less half a second, also on a busy machine.</summary>
    public static readonly TimeSpan ScrapeInterval = TimeSpan.FromSeconds(2);

    private readonly Func<TestHarbor, Task> _makeRows;
    private readonly (string Name, string Value)[] _settings;
    private readonly List<RunningExporter> _replicas = [];
    private TestHarbor? _harbor;

    private DashboardTarget(Func<TestHarbor, Task> makeRows, params (string Name, string Value)[] settings) => (_makeRows, _settings) = (makeRows, settings);

    /// <summary>A Harbor whose queue moves, seen with the default settings.</summary>
    public static DashboardTarget Healthy() => new(ScanSituation.HealthyAsync);

    /// <summary>A Harbor with every fault that rows can show, seen with every optional collector.</summary>
    public static DashboardTarget Faulty() => new(ScanSituation.FaultyAsync, ("HARBOR_SCAN_COLLECTORS_ENABLED", "sweepable,orphan_reports"));

    /// <summary>Makes the Harbor, starts an exporter on a free loopback port and returns the address of its metrics.</summary>
    public async Task<Uri> StartAsync()
    {
        _harbor = await TestHarbor.CreateAsync();
        await _makeRows(_harbor);
        return await AddReplicaAsync();
    }

    /// <summary>Starts one more exporter over the same database.</summary>
    public async Task<Uri> AddReplicaAsync()
    {
        var exporter = await RunningExporter.StartAsync(_harbor ?? throw new InvalidOperationException("Not started."), _settings);
        _replicas.Add(exporter);
        // The first collection connects and compiles; two scrapes at a time then show one that shares the collection of another.
        for (var round = 0; round < 50; round++)
        {
            var scrapes = await Task.WhenAll(exporter.ScrapeAsync(), exporter.ScrapeAsync());
            Assert.All(scrapes, scrape => Assert.True(scrape.Value("harbor_scan_up") == 1, string.Join(Environment.NewLine, exporter.Warnings)));
            if (scrapes.Max(scrape => scrape.Value("harbor_scan_scrapes_coalesced_total")) > 0) break;
        }
        return new Uri(exporter.Address, "/metrics");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas) await replica.DisposeAsync();
        if (_harbor is not null) await _harbor.DisposeAsync();
    }
}
