using HarborSimulator.Core;
using HarborSimulator.Jobs;
using HarborSimulator.Schema;
using HarborSimulator.Storage;
using Npgsql;
using StackExchange.Redis;

namespace HarborSimulator;

/// <summary>
/// A small Harbor: core, job service and scanner on one simulated clock that the caller drives. It writes the rows (and, with Redis,
/// the keys) that Harbor of that release writes, under the same fences, so that rows changed from outside meet the same fate as under Harbor.
/// Nothing happens between two calls; when a call returns, its rows are committed. One caller at a time.
/// </summary>
public sealed partial class HarborSimulation
{
    private readonly SqlBatch _sql;
    private readonly Timeline _timeline;
    private readonly Random _random;
    private readonly HarborCore _core;
    private readonly JobService _jobs;
    private readonly Registry _registry;
    private readonly Scans _scans;
    private readonly Sweeper _sweeper;
    private readonly MemoryKeyStore? _memory;

    private HarborSimulation(NpgsqlDataSource dataSource, HarborRelease release, SimulationSettings settings, IDatabase? redis)
    {
        Release = release;
        Settings = settings;
        _sql = new SqlBatch(dataSource);
        _timeline = new Timeline(DateTime.SpecifyKind(settings.Start, DateTimeKind.Unspecified));
        _random = new Random(settings.Seed);
        _memory = redis is null ? new MemoryKeyStore() : null;
        _core = new HarborCore(_sql, _timeline, _random, release);
        _jobs = new JobService(_memory as IKeyStore ?? new RedisKeyStore(redis!), _timeline, _random, _core, settings);
        _jobs.Panicked = PlanRestart;
        _registry = new Registry(_sql, _timeline, _core, release);
        _scans = new Scans(_sql, _timeline, _random, _core, _registry, _jobs, release, settings);
        _sweeper = new Sweeper(_sql, _timeline, _core, release, settings.MaxDangling);
    }

    public HarborRelease Release { get; }

    public SimulationSettings Settings { get; }

    /// <summary>Simulated UTC.</summary>
    public DateTime Now => DateTime.SpecifyKind(_timeline.Now, DateTimeKind.Utc);

    /// <summary>Everything pushed so far but the children of indexes.</summary>
    public IReadOnlyList<HarborArtifact> Artifacts => _registry.Roots;

    /// <summary>How often each kind of thing has happened since the start: "image pushed", "SCAN_ALL Success" (a status hook), "hook refused".</summary>
    public IReadOnlyDictionary<string, long> Happened => _core.Happened;

    /// <summary>
    /// Starts a Harbor in a database that holds the schema of the release (<see cref="HarborSchema.CreateAsync"/>) and no rows.
    /// Without Redis the job service's keys are kept in memory; with it the keys there are the truth, and may be wiped from outside.
    /// </summary>
    public static async Task<HarborSimulation> StartAsync(NpgsqlDataSource dataSource, HarborRelease release, SimulationSettings? settings = null,
        IDatabase? redis = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        ArgumentNullException.ThrowIfNull(release);
        var simulation = new HarborSimulation(dataSource, release, settings ?? new SimulationSettings(), redis);
        await simulation._registry.InstallAsync(cancellationToken);
        for (var i = 0; i < simulation.Settings.Pools; i++) await simulation._jobs.StartPoolAsync();
        await simulation.StartSchedulesAsync(cancellationToken);
        await simulation.CommitAsync(cancellationToken);
        return simulation;
    }

    /// <summary>Lets that much simulated time pass.</summary>
    public Task AdvanceAsync(TimeSpan time, CancellationToken cancellationToken = default) => AdvanceToAsync(Now + time, cancellationToken);

    /// <summary>Lets simulated time pass up to a moment in UTC; nothing happens when it is past.</summary>
    public async Task AdvanceToAsync(DateTime time, CancellationToken cancellationToken = default)
    {
        // What was put into a queue, resumed or wiped from outside is seen at the next look of the workers.
        await _jobs.NoticeLostRecordsAsync();
        await _jobs.DispatchAsync(cancellationToken);
        await _timeline.AdvanceToAsync(DateTime.SpecifyKind(time, DateTimeKind.Unspecified), cancellationToken);
        await CommitAsync(cancellationToken);
    }

    /// <summary>Copies the keys held in memory into an empty Redis database, which is the truth from now on.</summary>
    /// <exception cref="InvalidOperationException">The simulation already lives on Redis.</exception>
    public async Task MoveToRedisAsync(IDatabase redis)
    {
        var store = new RedisKeyStore(redis);
        await CopyAsync(store);
        _jobs.MoveTo(store);
    }

    /// <summary>
    /// Copies the keys held in memory into an empty Redis database as a snapshot: the simulation goes on without it. Keys whose life is over
    /// when the snapshot is read are not in it, if the simulated clock is then that of the world.
    /// </summary>
    /// <exception cref="InvalidOperationException">The simulation lives on Redis.</exception>
    public async Task CopyKeysAsync(IDatabase redis)
    {
        await CopyAsync(new RedisKeyStore(redis));
        foreach (var (key, end) in _jobs.Expiries) await redis.KeyExpireAsync(key, DateTime.SpecifyKind(end, DateTimeKind.Utc));
    }

    private async Task CopyAsync(RedisKeyStore store)
    {
        if (_memory is null || _jobs.Keys != _memory) throw new InvalidOperationException("The keys are already in Redis.");
        await _jobs.BeatAsync();
        await _memory.CopyToAsync(store);
    }

    /// <summary>Pushes an image, or with children an image index; does not scan it.</summary>
    public async Task<HarborArtifact> PushAsync(string project = "library", string repository = "app", string tag = "latest", int children = 0,
        CancellationToken cancellationToken = default)
    {
        var artifact = await _registry.PushAsync(project, repository, tag, children, cancellationToken);
        await CommitAsync(cancellationToken);
        return artifact;
    }

    /// <summary>Puts the same image into another repository.</summary>
    public async Task<HarborArtifact> CopyAsync(HarborArtifact artifact, string project, string repository, CancellationToken cancellationToken = default)
    {
        var copy = await _registry.CopyAsync(artifact, project, repository, cancellationToken);
        await CommitAsync(cancellationToken);
        return copy;
    }

    /// <summary>Scans an artifact: one execution, one task for each scannable manifest. Refused in Harbor's words while a task holds its report.</summary>
    public Task<ScanResponse> ScanAsync(HarborArtifact artifact, CancellationToken cancellationToken = default) => LaunchAsync(artifact, VendorType.ImageScan, cancellationToken);

    /// <summary>Generates the SBOM of an artifact.</summary>
    /// <exception cref="NotSupportedException">Before 2.11.</exception>
    public Task<ScanResponse> GenerateSbomAsync(HarborArtifact artifact, CancellationToken cancellationToken = default) =>
        Release.HasSbom ? LaunchAsync(artifact, VendorType.Sbom, cancellationToken) : throw new NotSupportedException("SBOMs came with 2.11.0.");

    /// <summary>Pushes and scans at once, as a project with scan-on-push does.</summary>
    public async Task<ScanResponse> PushAndScanAsync(string project = "library", string repository = "app", string tag = "latest", int children = 0,
        CancellationToken cancellationToken = default) =>
        await ScanAsync(await PushAsync(project, repository, tag, children, cancellationToken), cancellationToken);

    /// <summary>Starts a scan-all. Only a manual one is refused, and only while the newest manual one is Running. Its tasks come as time passes.</summary>
    public async Task<ScanResponse> ScanAllAsync(bool manual = true, CancellationToken cancellationToken = default)
    {
        var response = await _scans.ScanAllAsync(manual ? "MANUAL" : "SCHEDULE", cancellationToken);
        await CommitAsync(cancellationToken);
        return response;
    }

    private async Task<ScanResponse> LaunchAsync(HarborArtifact artifact, string vendorType, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        var response = await _scans.ScanAsync(artifact, vendorType, cancellationToken);
        await CommitAsync(cancellationToken);
        return response;
    }

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        await _jobs.BeatAsync();
        await _sql.FlushAsync(cancellationToken);
    }
}
