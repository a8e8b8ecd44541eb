using System.Net;
using System.Text;
using System.Text.Json;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace HarborScanExporter.Tests.Remediation;

/// <summary>An exporter that may repair, with its operations listener, over a real database and a real Redis.</summary>
internal sealed class OperatedRepairs : IAsyncDisposable
{
    private OperatedRepairs(TestHarbor harbor, RedisServer redis, OperatedHarbor operated)
    {
        (Harbor, Redis, Operated) = (harbor, redis, operated);
        Seed = new Seed(harbor);
    }

    public TestHarbor Harbor { get; }

    public RedisServer Redis { get; }

    public OperatedHarbor Operated { get; }

    public Seed Seed { get; }

    public RunningExporter Exporter => Operated.Exporter;

    /// <param name="time">The clock that measures; the real one when not given.</param>
    /// <param name="changes">Further settings.</param>
    public static async Task<OperatedRepairs> StartAsync(TimeProvider? time = null, params (string Name, string Value)[] changes)
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        return new OperatedRepairs(harbor, redis, await OperateAsync(harbor, redis, time, changes));
    }

    /// <summary>Another exporter of the same Harbor.</summary>
    public Task<OperatedHarbor> AnotherAsync(TimeProvider? time = null, params (string Name, string Value)[] changes) => OperateAsync(Harbor, Redis, time, changes);

    /// <summary>A scan whose job Redis has lost; the id of its task.</summary>
    public async Task<long> LoseScanAsync(string job = "d318c1b17dff242a33f02544")
    {
        var age = TimeSpan.FromHours(5);
        return await Seed.TaskAsync(await Seed.ExecutionAsync(started: age), created: age, jobId: job);
    }

    /// <summary>Looks three times, a minute apart, so that what is lost is proven.</summary>
    public async Task SeeTwiceAsync(Microsoft.Extensions.Time.Testing.FakeTimeProvider time)
    {
        for (var i = 0; i < 3; i++)
        {
            await Exporter.ScrapeAsync();
            time.Advance(TimeSpan.FromSeconds(61));
        }
    }

    /// <summary>Posts JSON with the token.</summary>
    public Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string body) => PostUntilAsync(path, body, CancellationToken.None);

    /// <summary>Posts JSON with the token, and hangs up when it is cancelled.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> PostUntilAsync(string path, string body, CancellationToken hangUp)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Operated.Address, path)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = OperatedHarbor.Bearer();
        using var answer = await Exporter.Client.SendAsync(request, hangUp);
        return (answer.StatusCode, await JsonOf(answer));
    }

    /// <summary>Gets JSON with the token.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string path)
    {
        using var answer = await Operated.SendAsync("GET", path, OperatedHarbor.Bearer());
        return (answer.StatusCode, await JsonOf(answer));
    }

    /// <summary>A row of task: status and code.</summary>
    public Task<string> TaskAsync(long id) => Harbor.Database.ScalarAsync<string>($"select concat_ws(' ', status, status_code) from task where id = {id}");

    /// <summary>The audit, a line each: source, actor, note, action, state.</summary>
    public Task<string> AuditAsync() => Harbor.Database.ScalarAsync<string>(
        "select coalesce(string_agg(concat_ws(' ', source, actor, note, action, state, failure), E'\n' order by id), '') from harbor_scan.repair");

    /// <summary>A counter of the process, those of its labels that are not 0.</summary>
    public string Counted(Family family)
    {
        var samples = new Samples();
        Exporter.Services.GetRequiredService<RemediationCounters>().Write(samples);
        return string.Join(", ", samples.All.Where(sample => sample.Family == family && sample.Value != 0).Select(sample => string.Join(' ', [.. sample.Labels, $"{sample.Value}"])));
    }

    public async ValueTask DisposeAsync()
    {
        await Operated.DisposeAsync();
        await Redis.DisposeAsync();
        await Harbor.DisposeAsync();
    }

    private static Task<OperatedHarbor> OperateAsync(TestHarbor harbor, RedisServer redis, TimeProvider? time, (string Name, string Value)[] changes)
    {
        var armed = harbor.RemediationEnvironment().Where(pair => pair.Key.StartsWith("HARBOR_SCAN_REMEDIATION", StringComparison.Ordinal)).Select(pair => (pair.Key, pair.Value));
        return OperatedHarbor.StartAsync(harbor, time, [.. armed, (Setting.Names.RedisUrl, redis.Url), .. changes]);
    }

    private static async Task<JsonElement> JsonOf(HttpResponseMessage answer)
    {
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return document.RootElement.Clone();
    }
}
