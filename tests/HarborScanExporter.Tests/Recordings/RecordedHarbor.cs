using HarborScanExporter.Findings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Recordings;

/// <summary>
/// A recording in a real PostgreSQL and a real Redis, and an exporter that looks at it. All times of the recording are moved so that its
/// moment is now; nothing happens but that the pools that lived go on beating.
/// </summary>
internal sealed class RecordedHarbor : IAsyncDisposable
{
    /// <summary>Two sightings lie a minute apart.</summary>
    private static readonly TimeSpan Minute = TimeSpan.FromSeconds(61);

    private readonly Recording _recording;
    private readonly TestHarbor _harbor;
    private readonly RedisServer _redis;
    private readonly ITestOutputHelper _output;
    private readonly string _name;
    private FakeTimeProvider _time = new();
    private TimeSpan _age;
    private RunningExporter? _exporter;
    private RecordedKeys? _keys;

    private RecordedHarbor(string name, TestHarbor harbor, RedisServer redis, ITestOutputHelper output) =>
        (_name, _recording, _harbor, _redis, _output) = (name, Recording.Read(name), harbor, redis, output);

    /// <summary>Its moment is now; nobody has looked yet.</summary>
    /// <param name="name">The recording's name.</param>
    /// <param name="output">Where each answer is written.</param>
    public static async Task<RecordedHarbor> StartAsync(string name, ITestOutputHelper output)
    {
        var recorded = new RecordedHarbor(name, await TestHarbor.CreateAsync(Recording.Read(name).Harbor), await RedisServer.StartAsync(), output);
        await recorded.PutAsync(TimeSpan.Zero);
        return recorded;
    }

    /// <summary>Asserts the answer of an exporter that has just been started, in the lines of <see cref="RecordedAnswer"/>.</summary>
    public async Task FirstLookAsync(string[] expected) => Assert.Equal(expected, await LookAsync("first look", _age));

    /// <summary>Asserts the answer a minute after the look before, when nothing has changed.</summary>
    public async Task AfterAMinuteAsync(string[] expected, string when = "at 60 s")
    {
        _time.Advance(Minute);
        Assert.Equal(expected, await LookAsync(when, _age + Minute));
    }

    /// <summary>
    /// Asserts the answer of another exporter, at its second look, when the moment is so long ago and nothing has changed since, but that
    /// core has refreshed the executions whose refresh was to come.
    /// </summary>
    public async Task LaterAsync(TimeSpan age, string[] expected)
    {
        await PutAsync(age);
        await LookAsync($"first look, {age.TotalMinutes} min later", _age);
        await AfterAMinuteAsync(expected, $"{age.TotalMinutes} min later");
    }

    /// <summary>The job service is started; it announces its types and its pool, and finds nothing else to do.</summary>
    public Task JobServiceStartsAsync() => new JobServiceSeed(_redis).UpAsync(heartbeat: TimeSpan.Zero, started: TimeSpan.Zero);

    public async ValueTask DisposeAsync()
    {
        if (_exporter is not null) await _exporter.DisposeAsync();
        await _redis.DisposeAsync();
        await _harbor.DisposeAsync();
    }

    private async Task PutAsync(TimeSpan age)
    {
        _age = age;
        var moment = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - (long)age.TotalSeconds;
        var rows = new RecordedRows(_recording, moment);
        await rows.WriteAsync(_harbor);
        if (age > TimeSpan.Zero) await rows.RefreshAsync(_harbor);
        if (_recording.Redis is { } recorded)
        {
            _keys = new RecordedKeys(recorded, moment, _redis.Database);
            await _keys.WriteAsync();
        }
        else if (_exporter is null) await _redis.KillAsync();
        if (_exporter is not null) await _exporter.DisposeAsync();
        _time = new FakeTimeProvider();
        _exporter = await RunningExporter.StartAsync(_harbor, _time, ("HARBOR_REDIS_URL", _redis.Url));
    }

    private async Task<string[]> LookAsync(string when, TimeSpan silent)
    {
        if (_keys is not null) await _keys.BeatAsync(silent);
        var scrape = await _exporter!.ScrapeAsync();
        var report = await _exporter.Services.GetRequiredService<FindingsReader>().ReadAsync(CancellationToken.None);
        string[] answer = RecordedAnswer.Of(scrape, report);
        _output.WriteLine($"{_name} | {when} | {string.Join("; ", answer)}");
        return answer;
    }
}
