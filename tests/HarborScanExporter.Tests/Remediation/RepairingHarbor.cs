using HarborScanExporter.Database;
using HarborScanExporter.Operations;
using HarborScanExporter.Remediation;
using HarborScanExporter.Scraping;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Remediation;

/// <summary>A Harbor with its job service's Redis, and the pieces that repair it, under a clock that only the test moves.</summary>
internal sealed class RepairingHarbor : IAsyncDisposable
{
    private readonly bool _ownsHarbor;
    private readonly bool _ownsRedis;

    private RepairingHarbor(TestHarbor harbor, bool ownsHarbor, RedisServer redis, bool ownsRedis, ServiceProvider pieces, FakeTimeProvider time, ExporterSettings settings)
    {
        (Harbor, _ownsHarbor, Redis, _ownsRedis, Pieces, Time, Settings) = (harbor, ownsHarbor, redis, ownsRedis, pieces, time, settings);
        (Seed, Jobs) = (new Seed(harbor), new JobServiceSeed(redis));
    }

    public TestHarbor Harbor { get; }

    public RedisServer Redis { get; }

    public Seed Seed { get; }

    public JobServiceSeed Jobs { get; }

    public ServiceProvider Pieces { get; }

    public FakeTimeProvider Time { get; }

    public ExporterSettings Settings { get; }

    public RepairRun Run => Pieces.GetRequiredService<RepairRun>();

    /// <param name="release">Harbor's release.</param>
    /// <param name="act">What Harbor's API does; without it the API is not configured.</param>
    /// <param name="harbor">The Harbor to repair; one of its own when not given.</param>
    /// <param name="redis">Its Redis; one of its own, with a live job service in it, when not given.</param>
    /// <param name="changes">Further settings.</param>
    public static async Task<RepairingHarbor> StartAsync(
        string release = "2.11.0", Act? act = null, TestHarbor? harbor = null, RedisServer? redis = null, params (string Name, string Value)[] changes)
    {
        var watched = harbor ?? await TestHarbor.CreateAsync(release);
        await watched.GrantRemediationAsync(sweep: changes.Contains((Setting.Names.RemediationSweep, "on")));
        var server = redis ?? await RedisServer.StartAsync();
        if (redis is null) await new JobServiceSeed(server).UpAsync();
        (string, string)[] api = act is null ? [] :
            [(Setting.Names.ServiceHost, "127.0.0.1"), (Setting.Names.ServicePort, "1"), (Setting.Names.ApiUsername, "repairer"), (Setting.Names.ApiPassword, "planted-api-password")];
        var reading = SettingsReader.Read(watched.RemediationEnvironment([("HARBOR_REDIS_URL", server.Url), .. api, .. changes]), new Dictionary<string, string>());
        Assert.Empty(reading.Errors);
        var time = new FakeTimeProvider();
        var services = new ServiceCollection().AddLogging(logging => logging.AddFakeLogging()).AddLooking(reading.Settings!, time).AddRepairing(reading.Settings!);
        if (act is not null) services.AddSingleton(act);
        return new RepairingHarbor(watched, harbor is null, server, redis is null, services.BuildServiceProvider(), time, reading.Settings!);
    }

    /// <summary>One look, as a scrape is one.</summary>
    public Task<FindingsReport> LookAsync() => Pieces.GetRequiredService<FindingsReader>().ReadAsync(CancellationToken.None);

    /// <summary>Looks three times, a minute apart, so that a verdict that needs two looks has been seen for a minute itself.</summary>
    public async Task SeeTwiceAsync()
    {
        await LookAsync();
        Time.Advance(TimeSpan.FromSeconds(61));
        await LookAsync();
        Time.Advance(TimeSpan.FromSeconds(61));
    }

    /// <summary>Runs once, without waiting for a second look.</summary>
    public Task<RunResult> RunAsync(bool dryRun = false, bool overrideShare = false) => Run.RunAsync(
        new RunRequest { Asker = new Asker(RunSource.Command, "test"), DryRun = dryRun, OverrideShare = overrideShare, WaitsForSecondLook = false }, CancellationToken.None);

    /// <summary>What would be done now.</summary>
    public async Task<RepairPlan> PlanAsync() =>
        (await Run.PlanAsync(new RunRequest { Asker = new Asker(RunSource.Command, "test") }, CancellationToken.None)).Plan!;

    /// <summary>A row of task: status, code, revision, and whether its end and update are set to now.</summary>
    public Task<string> TaskAsync(long id) => Harbor.Database.ScalarAsync<string>($"""
        select concat_ws(' ', status, status_code, coalesce(status_revision, -1),
                         case when end_time > now() at time zone 'utc' - interval '2 minutes' then 'ended' end)
        from task where id = {id}
        """);

    /// <summary>A row of execution: status, revision, and whether its end is set.</summary>
    public Task<string> ExecutionAsync(long id) => Harbor.Database.ScalarAsync<string>(
        $"select concat_ws(' ', status, revision, case when end_time is not null then 'ended' end) from execution where id = {id}");

    /// <summary>The audit, a line each: action, state, failure, task, execution, status.</summary>
    public Task<string> AuditAsync() => Harbor.Database.ScalarAsync<string>("""
        select coalesce(string_agg(concat_ws(' ', action, state, failure, 'task=' || task_id, 'execution=' || execution_id, status), E'\n' order by id), '')
        from harbor_scan.repair
        """);

    public async ValueTask DisposeAsync()
    {
        await Pieces.DisposeAsync();
        if (_ownsRedis) await Redis.DisposeAsync();
        if (_ownsHarbor) await Harbor.DisposeAsync();
    }
}
