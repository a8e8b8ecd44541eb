using System.Globalization;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>Two exporters on one database and one clock: one remembers between scrapes, the other reads the whole tables at each.</summary>
internal sealed class WatchedExporters : IAsyncDisposable
{
    private const string Interval = "HARBOR_SCAN_RECONCILIATION_INTERVAL";
    private const string Reconciled = "harbor_scan_reconciliation_timestamp_seconds";

    /// <summary>
    /// How long, in real time, an exporter may answer that it has not read the tables yet. While it is waited for, its clock must go on by more
    /// than it pauses after a failure: a step of hours ends a reconciliation that is under way.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How much of the exporters' clock passes while they are waited for; the database's stands still.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.25);

    private readonly TestHarbor _harbor;
    private readonly OneClock _clock;
    private readonly (string, string)[] _settings;
    private RunningExporter? _remembering;
    private RunningExporter? _whole;

    private WatchedExporters(TestHarbor harbor, OneClock clock, TimeSpan interval, (string, string)[] settings) =>
        (_harbor, _clock, ReconciliationInterval, _settings) = (harbor, clock, interval, settings);

    /// <summary>Whether there is an exporter that remembers; else both read the whole tables at each scrape.</summary>
    public static bool Remembers { get; } = Setting.All.Any(setting => setting.Name == Interval);

    public TimeSpan ReconciliationInterval { get; }

    /// <summary>How often one of them answered that it cannot tell yet.</summary>
    public int Unready { get; private set; }

    /// <summary>What they had to say.</summary>
    public IEnumerable<string> Warnings => _remembering!.Warnings.Concat(_whole!.Warnings);

    /// <summary>Starts both.</summary>
    public static async Task<WatchedExporters> StartAsync(TestHarbor harbor, OneClock clock, TimeSpan interval, params (string, string)[] settings)
    {
        var exporters = new WatchedExporters(harbor, clock, interval, settings);
        await exporters.RestartAsync();
        return exporters;
    }

    /// <summary>Ends both and starts them again: what they remembered is gone.</summary>
    public async Task RestartAsync()
    {
        await DisposeAsync();
        var seconds = string.Create(CultureInfo.InvariantCulture, $"{ReconciliationInterval.TotalSeconds}s");
        _remembering = await RunningExporter.StartAsync(_harbor, _clock.Time, Remembers ? [.. _settings, (Interval, seconds)] : _settings);
        _whole = await RunningExporter.StartAsync(_harbor, _clock.Time, Remembers ? [.. _settings, (Interval, "0")] : _settings);
    }

    /// <summary>One scrape of each, with the families of the database: an exporter that says that it cannot tell yet is asked again.</summary>
    public async Task<(MetricsDocument Remembering, MetricsDocument Whole)> ScrapeAsync() => (await ScrapeAsync(_remembering!), await ScrapeAsync(_whole!));

    /// <summary>
    /// Waits until the one that remembers has reconciled at or after a moment of the clock, which time must have been led beyond its interval.
    /// False when it does not within <see cref="Patience"/>.
    /// </summary>
    public async Task<bool> HasReconciledAsync(double since)
    {
        if (!Remembers) return true;
        var end = DateTime.UtcNow + Patience;
        while (DateTime.UtcNow < end)
        {
            var scrape = await AnswerAsync(_remembering!);
            if (scrape.Series.TryGetValue(Reconciled, out var last) && last >= since) return true;
            await PassAsync();
        }
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        if (_remembering is not null) await _remembering.DisposeAsync();
        if (_whole is not null) await _whole.DisposeAsync();
        (_remembering, _whole) = (null, null);
    }

    private async Task<MetricsDocument> ScrapeAsync(RunningExporter exporter)
    {
        var end = DateTime.UtcNow + Patience;
        while (true)
        {
            var scrape = await AnswerAsync(exporter);
            if (scrape.Value("harbor_scan_up") == 1 || DateTime.UtcNow > end) return scrape;
            Unready++;
            await PassAsync();
        }
    }

    /// <summary>One answer; while it does not come, the exporters' clock goes on, as something may wait for it.</summary>
    private async Task<MetricsDocument> AnswerAsync(RunningExporter exporter)
    {
        var answer = exporter.ScrapeAsync(60);
        while (await Task.WhenAny(answer, Task.Delay(Tick)) != answer) _clock.Time.Advance(Tick);
        return await answer;
    }

    private async Task PassAsync()
    {
        await Task.Delay(10);
        _clock.Time.Advance(Tick);
    }
}
