using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.JobService;

/// <summary>A Harbor's rows, its job service's keys, and an exporter that reads both with a clock of the test's.</summary>
internal sealed class Situation : IAsyncDisposable
{
    private RunningExporter? _exporter;

    private Situation(TestHarbor harbor, RedisServer redis)
    {
        (Harbor, Redis) = (harbor, redis);
        Seed = new Seed(harbor);
        Jobs = new JobServiceSeed(redis);
    }

    public TestHarbor Harbor { get; }

    public RedisServer Redis { get; }

    public Seed Seed { get; }

    public JobServiceSeed Jobs { get; }

    public FakeTimeProvider Time { get; } = new();

    public RunningExporter Exporter => _exporter ?? throw new InvalidOperationException("The exporter has not started.");

    /// <summary>An empty Harbor and an empty Redis.</summary>
    public static async Task<Situation> CreateAsync(string release = "2.11.0", TestDatabase? database = null) =>
        new(await TestHarbor.CreateAsync(release, database), await RedisServer.StartAsync());

    /// <summary>Starts the exporter; from here on its clock stands still until the test moves it.</summary>
    public async Task StartAsync(params (string Name, string Value)[] changes) =>
        _exporter = await RunningExporter.StartAsync(Harbor, Time, [(Setting.Names.RedisUrl, Redis.Url), .. changes]);

    /// <summary>A first look, which may remember what is missing, and the minute until the second.</summary>
    public async Task<Told> FirstLookAsync()
    {
        if (_exporter is null) await StartAsync();
        var first = await new MetricsView().LookAsync(this);
        Time.Advance(TimeSpan.FromSeconds(60));
        return first;
    }

    /// <summary>Every place tells this, and nothing else; with Redis readable after a first look that was a minute ago.</summary>
    public async Task IsToldAsync(Told expected)
    {
        await FirstLookAsync();
        await IsToldNowAsync(expected);
        Assert.Equal("", string.Join('\n', Exporter.Warnings));
    }

    /// <summary>Every place tells this at the next look.</summary>
    public async Task IsToldNowAsync(Told expected)
    {
        foreach (var view in SituationViews.All) Assert.Equal($"{view.Name}\n{expected}", $"{view.Name}\n{await view.LookAsync(this)}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_exporter is not null) await _exporter.DisposeAsync();
        await Redis.DisposeAsync();
        await Harbor.DisposeAsync();
    }
}
