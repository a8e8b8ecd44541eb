using HarborScanExporter.Observation;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>A Harbor's database and an exporter that remembers its rows from scrape to scrape.</summary>
internal sealed class RememberingHarbor : IAsyncDisposable
{
    private RememberingHarbor(TestHarbor harbor, RunningExporter exporter)
    {
        (Harbor, Exporter, Seed) = (harbor, exporter, new Seed(harbor));
    }

    public TestHarbor Harbor { get; }

    public RunningExporter Exporter { get; private set; }

    public Seed Seed { get; }

    /// <summary>Starts it, scraped once; nothing is read whole again unless a test asks.</summary>
    /// <param name="seed">Rows from before the start.</param>
    /// <param name="release">Harbor's release.</param>
    /// <param name="changes">Settings.</param>
    public static async Task<RememberingHarbor> StartAsync(Func<Seed, Task>? seed = null, string release = "2.11.0", params (string Name, string Value)[] changes)
    {
        var harbor = await TestHarbor.CreateAsync(release);
        if (seed is not null) await seed(new Seed(harbor));
        var started = new RememberingHarbor(harbor, await ExporterAsync(harbor, changes));
        Assert.Equal(1, (await started.ScrapeAsync()).Value("harbor_scan_up"));
        return started;
    }

    public Task<MetricsDocument> ScrapeAsync() => Exporter.ScrapeAsync();

    /// <summary>Another process takes the place of this one.</summary>
    public async Task RestartAsync(params (string Name, string Value)[] changes)
    {
        await Exporter.DisposeAsync();
        Exporter = await ExporterAsync(Harbor, changes);
    }

    /// <summary>Scrapes until the whole tables have been read once more, or for the first time.</summary>
    public async Task<MetricsDocument> ReconciledAsync()
    {
        var before = (await ScrapeAsync()).Value("harbor_scan_reconciliations_total");
        Reconcile();
        for (var attempt = 0; attempt < 1200; attempt++)
        {
            var document = await ScrapeAsync();
            if (document.Value("harbor_scan_reconciliations_total") > before) return await ScrapeAsync();
            await Task.Delay(50);
        }
        throw new TimeoutException("No reconciliation came.");
    }

    /// <summary>Asks for a read of the whole tables.</summary>
    public void Reconcile() => ((Reconciliation)Exporter.Services.GetService(typeof(Reconciliation))!).Want();

    public async ValueTask DisposeAsync()
    {
        await Exporter.DisposeAsync();
        await Harbor.DisposeAsync();
    }

    private static Task<RunningExporter> ExporterAsync(TestHarbor harbor, (string Name, string Value)[] changes) =>
        RunningExporter.StartAsync(harbor, [(Setting.Names.ReconciliationInterval, "1d"), .. changes]);
}
