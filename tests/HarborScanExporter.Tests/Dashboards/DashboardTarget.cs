using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>What the dashboards' Prometheus scrapes: the exporter over the database of one Harbor.</summary>
internal sealed class DashboardTarget : IAsyncDisposable
{
    /// <summary>A collection must end within this less half a second, also on a busy machine.</summary>
    public static readonly TimeSpan ScrapeInterval = TimeSpan.FromSeconds(2);

    private readonly Func<TestHarbor, RedisServer, Task> _make;
    private readonly (string Name, string Value)[] _settings;
    private readonly bool _repairs;
    private readonly List<RunningExporter> _replicas = [];
    private readonly CancellationTokenSource _end = new();
    private TestHarbor? _harbor;
    private RedisServer? _redis;
    private Task _ending = Task.CompletedTask;

    private DashboardTarget(Func<TestHarbor, RedisServer, Task> make, bool repairs, params (string Name, string Value)[] settings) =>
        (_make, _repairs, _settings) = (make, repairs, settings);

    /// <summary>A Harbor whose queue moves, seen with the default settings.</summary>
    public static DashboardTarget Healthy() => new(ScanSituation.HealthyAsync, repairs: false);

    /// <summary>A Harbor with every fault, of which some were repaired, seen with every optional collector.</summary>
    public static DashboardTarget Faulty() => new(ScanSituation.FaultyAsync, repairs: true, ("HARBOR_SCAN_COLLECTORS_ENABLED", "sweepable,orphan_reports"));

    /// <summary>Makes the Harbor, starts an exporter on a free loopback port and returns the address of its metrics.</summary>
    public async Task<Uri> StartAsync()
    {
        _harbor = await TestHarbor.CreateAsync();
        _redis = await RedisServer.StartAsync();
        await _make(_harbor, _redis);
        return await AddReplicaAsync();
    }

    /// <summary>Starts one more exporter over the same database and Redis; it has already seen for a minute what is missing.</summary>
    public async Task<Uri> AddReplicaAsync()
    {
        var time = new FakeTimeProvider();
        var exporter = await RunningExporter.StartAsync(
            EnvironmentOf(_harbor ?? throw new InvalidOperationException("Not started."), [.. _settings, ("HARBOR_REDIS_URL", _redis!.Url)]), time);
        _replicas.Add(exporter);
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        // The first collection connects and compiles; two scrapes at a time then show one that shares the collection of another.
        for (var round = 0; round < 50; round++)
        {
            var scrapes = await Task.WhenAll(exporter.ScrapeAsync(), exporter.ScrapeAsync());
            Assert.All(scrapes, scrape => Assert.True(scrape.Value("harbor_scan_up") == 1, string.Join(Environment.NewLine, exporter.Warnings)));
            if (scrapes.Max(scrape => scrape.Value("harbor_scan_scrapes_coalesced_total")) > 0) break;
        }
        return new Uri(exporter.Address, "/metrics");
    }

    /// <summary>Another task is repaired, and each replica is asked for a repair that it does not begin.</summary>
    public async Task RepairAsync()
    {
        await new AuditSeed(_harbor ?? throw new InvalidOperationException("Not started.")).AddAsync("finish_task");
        foreach (var counters in _replicas.Select(replica => replica.Services.GetRequiredService<RemediationCounters>()))
        {
            counters.Requested();
            counters.Reject(RejectReason.Busy);
            counters.Skip(SkipReason.CoolingDown);
        }
    }

    /// <summary>From now on every replica sees four scans of each type end every five seconds: one in Error, and one that it did not see running.</summary>
    public void BeginToEndScans() => _ending = EndScansAsync();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
        foreach (var replica in _replicas) await replica.DisposeAsync();
        if (_harbor is not null) await _harbor.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
    }

    private async Task EndScansAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5));
        do
        {
            foreach (var counters in _replicas.Select(replica => replica.Services.GetRequiredService<ScanCounters>()))
                foreach (var type in ScanType.All) EndScans(counters, type);
        }
        while (await timer.WaitForNextTickAsync(_end.Token));
    }

    private static void EndScans(ScanCounters counters, string type)
    {
        foreach (var (status, seconds) in ((string, double)[])[(ScanStatus.Success, 20), (ScanStatus.Success, 40), (ScanStatus.Error, 70)])
        {
            counters.Finished(type, status, seconds);
            counters.Started(type, seconds / 4);
            counters.Ran(type, seconds * 3 / 4);
        }
        counters.Finished(type, ScanStatus.Success, 3);
        counters.StartUnseen(type);
    }

    private Dictionary<string, string> EnvironmentOf(TestHarbor harbor, (string Name, string Value)[] settings)
    {
        (string Name, string Value)[] all = [(Setting.Names.ReconciliationInterval, "1d"), .. settings];
        return _repairs ? harbor.RemediationEnvironment(all) : harbor.Environment(all);
    }
}
