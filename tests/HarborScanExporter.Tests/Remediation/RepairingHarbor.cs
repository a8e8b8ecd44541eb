using HarborScanExporter.Findings;
using HarborScanExporter.Hosting;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HarborScanExporter.Tests.Remediation;

/// <summary>A Harbor with its job service's Redis, and the pieces that repair it, under a clock that only the test moves.</summary>
internal sealed class RepairingHarbor : IAsyncDisposable
{
    private readonly bool _ownsHarbor;
    private readonly bool _ownsRedis;
    private int _jobs;

    private RepairingHarbor(TestHarbor harbor, bool ownsHarbor, RedisServer redis, bool ownsRedis, ServiceProvider pieces, WaitedTime time, ExporterSettings settings)
    {
        (Harbor, _ownsHarbor, Redis, _ownsRedis, Pieces, Time, Settings) = (harbor, ownsHarbor, redis, ownsRedis, pieces, time, settings);
        (Seed, Jobs) = (new Seed(harbor), new JobServiceSeed(redis));
    }

    public TestHarbor Harbor { get; }

    public RedisServer Redis { get; }

    public Seed Seed { get; }

    public JobServiceSeed Jobs { get; }

    public ServiceProvider Pieces { get; }

    public WaitedTime Time { get; }

    public ExporterSettings Settings { get; }

    public RepairRun Run => Pieces.GetRequiredService<RepairRun>();

    /// <param name="release">Harbor's release.</param>
    /// <param name="act">What Harbor's API does; without it the API is not configured.</param>
    /// <param name="harbor">The Harbor to repair; one of its own when not given.</param>
    /// <param name="redis">Its Redis; one of its own, with a live job service in it, when not given.</param>
    /// <param name="limits">Changes what repairs may do.</param>
    /// <param name="port">Another way to the database.</param>
    /// <param name="repairPort">Another way to the database for the repairing role alone.</param>
    /// <param name="changes">Further settings.</param>
    public static async Task<RepairingHarbor> StartAsync(
        string release = "2.11.0", Act? act = null, TestHarbor? harbor = null, RedisServer? redis = null, Func<RemediationSettings, RemediationSettings>? limits = null,
        int? port = null, int? repairPort = null, params (string Name, string Value)[] changes)
    {
        var watched = harbor ?? await TestHarbor.CreateAsync(release);
        await watched.GrantRemediationAsync(sweep: changes.Contains((Setting.Names.RemediationSweep, "on")));
        var server = redis ?? await RedisServer.StartAsync();
        if (redis is null) await new JobServiceSeed(server).UpAsync();
        (string, string)[] api = act is null ? [] :
            [(Setting.Names.ServiceHost, "127.0.0.1"), (Setting.Names.ServicePort, "1"), (Setting.Names.ApiUsername, "repairer"), (Setting.Names.ApiPassword, "planted-api-password")];
        var reading = SettingsReader.Read(watched.RemediationEnvironment([("HARBOR_REDIS_URL", server.Url), .. api, .. changes]), new Dictionary<string, string>());
        Assert.Empty(reading.Errors);
        var settings = reading.Settings!;
        if (limits is not null) settings = settings with { Remediation = limits(settings.Remediation) };
        if (port is { } way) settings = settings with { Database = settings.Database with { Port = way } };
        var time = new WaitedTime();
        var services = new ServiceCollection().AddLogging(logging => logging.AddFakeLogging()).AddLooking(settings, time).AddRepairing(settings);
        if (repairPort is { } own) services.AddSingleton(_ => new RepairDatabase(settings.Database with { Port = own }, settings.Remediation));
        if (act is not null) services.AddSingleton(act);
        return new RepairingHarbor(watched, harbor is null, server, redis is null, services.BuildServiceProvider(), time, settings);
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

    /// <summary>A scan that lost its job: its execution and its task.</summary>
    public async Task<(long Execution, long Task)> LoseScanAsync(TimeSpan? age = null, string status = "Pending", string? jobId = null)
    {
        var created = age ?? TimeSpan.FromHours(5);
        var execution = await Seed.ExecutionAsync(started: created);
        var task = await Seed.TaskAsync(execution, status: status, created: created, jobId: jobId ?? NewJob());
        return (execution, task);
    }

    /// <summary>A job id that no other row of this test has.</summary>
    public string NewJob() => FormattableString.Invariant($"{++_jobs:x24}");

    /// <summary>A word for everything in Harbor's own tables: it changes when any row does.</summary>
    public Task<string> ChecksumAsync() => Harbor.Database.ScalarAsync<string>("""
        select string_agg(relname || ' ' || md5(query_to_xml(format('select * from public.%I order by 1', relname), true, false, '')::text), E'\n' order by relname)
        from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r'
        """);

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
