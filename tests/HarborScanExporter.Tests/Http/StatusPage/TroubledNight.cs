using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Http.StatusPage;

/// <summary>
/// A Harbor with a bit of every trouble, as an operator may find it at night: a manual scan-all under way, scans lost when Redis failed over,
/// a scanner that hangs, a report whose status never arrived, and what leaks meanwhile.
/// </summary>
internal sealed class TroubledNight : IAsyncDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private TroubledNight(TestHarbor harbor, RedisServer redis, OperatedHarbor operated, FakeTimeProvider time) =>
        (Harbor, Redis, Operated, Time) = (harbor, redis, operated, time);

    public TestHarbor Harbor { get; }

    public RedisServer Redis { get; }

    public OperatedHarbor Operated { get; }

    /// <summary>The exporter's clock, which only a test moves.</summary>
    public FakeTimeProvider Time { get; }

    /// <param name="changes">Further settings.</param>
    public static async Task<TroubledNight> StartAsync(params (string Name, string Value)[] changes) => await StartAsync(await TestHarbor.CreateAsync("2.13.0"), changes);

    /// <summary>The same night with an exporter that may repair, and that has seen everything for long enough.</summary>
    /// <param name="mode">How far repairs may go.</param>
    /// <param name="changes">Further settings.</param>
    public static async Task<TroubledNight> StartArmedAsync(string mode = "execute", params (string Name, string Value)[] changes)
    {
        var harbor = await TestHarbor.CreateAsync("2.13.0");
        await harbor.GrantRemediationAsync();
        var night = await StartAsync(harbor,
        [
            (Setting.Names.Remediation, mode), (Setting.Names.RemediationDatabaseUsername, harbor.RepairRole), (Setting.Names.RemediationDatabasePassword, TestHarbor.Password), .. changes,
        ]);
        await night.Operated.GetAsync("/api/v1/findings");
        night.Time.Advance(TimeSpan.FromSeconds(61));
        return night;
    }

    private static async Task<TroubledNight> StartAsync(TestHarbor harbor, (string Name, string Value)[] changes)
    {
        var redis = await RedisServer.StartAsync();
        await FillAsync(new Seed(harbor), new JobServiceSeed(redis));
        var time = new FakeTimeProvider();
        var operated = await OperatedHarbor.StartAsync(harbor, time, [("HARBOR_REDIS_URL", redis.Url), .. changes]);
        // What nobody holds counts as lost only when it was seen so twice, a minute apart.
        await operated.GetAsync("/api/v1/findings");
        time.Advance(TimeSpan.FromSeconds(61));
        return new TroubledNight(harbor, redis, operated, time);
    }

    public async ValueTask DisposeAsync()
    {
        await Operated.DisposeAsync();
        await Redis.DisposeAsync();
        await Harbor.DisposeAsync();
    }

    private static async Task FillAsync(Seed seed, JobServiceSeed jobs)
    {
        // A heartbeat that stays fresh while the tests look.
        await jobs.UpAsync(heartbeat: -Hour);
        await seed.ExecuteAsync("""
            insert into project_metadata (project_id, name, value) values (2, 'prevent_vul', 'true');
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type) values
                (1, 2, 'payments/api', 'sha256:5f2d8c0e71a94b36c2d1f0a87e6b5d4c3b2a19087f6e5d4c3b2a19087f6e5d4c', 'IMAGE', 1, 'm', 'm', 'a'),
                (2, 2, 'payments/ledger', 'sha256:9b1c7a3f52e84d60b1a2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718', 'IMAGE', 2, 'm', 'm', 'a'),
                (3, 1, 'library/nginx', 'sha256:c4e1d2b3a4958677685940312233445566778899aabbccddeeff001122334455', 'IMAGE', 3, 'm', 'm', 'a'),
                (4, 3, 'mirror/nginx', 'sha256:c4e1d2b3a4958677685940312233445566778899aabbccddeeff001122334455', 'IMAGE', 4, 'm', 'm', 'a'),
                (5, 3, 'mirror/base/debian', 'sha256:77aa66bb55cc44dd33ee22ff11008899aabbccddeeff00112233445566778899', 'IMAGE', 5, 'm', 'm', 'a');
            """);
        foreach (var artifact in new[] { 1, 2, 3, 5 })
            await seed.ExecuteAsync($"insert into scan_report (uuid, digest, registration_uuid, mime_type, report) select 'r{artifact}', digest, 'scanner', 'application/vnd.security.vulnerability.report; version=1.1', {(artifact == 3 ? "'{}'" : "null")} from artifact where id = {artifact}");
        foreach (var (artifact, age) in new[] { (1, 31.0), (2, 5.2) })
        {
            var lost = await seed.ExecutionAsync(started: age * Hour, vendorId: artifact);
            await seed.TaskAsync(lost, created: age * Hour, jobId: $"7c0{artifact}9e5b4c3d2a1f00000000", extraAttributes: Names(artifact));
        }
        var unreported = await seed.ExecutionAsync(started: 4.5 * Hour, vendorId: 3);
        await seed.TaskAsync(unreported, status: "Running", revision: RevisionAgo(4.5 * Hour), created: 4.5 * Hour, update: Ago(4.4 * Hour), jobId: "b83dd1e2f3a4b5c6d7e8f901", extraAttributes: Names(3));
        await jobs.RecordAsync("b83dd1e2f3a4b5c6d7e8f901", "Success", 4.3 * Hour, 4.5 * Hour, acknowledged: "Success");
        var hung = await seed.ExecutionAsync(started: 3 * Hour, vendorId: 5);
        await seed.TaskAsync(hung, status: "Running", revision: RevisionAgo(2.6 * Hour), created: 3 * Hour, update: Ago(2.6 * Hour), jobId: "d41a52b63c74d85e96f0a1b2", extraAttributes: Names(5));
        await jobs.RecordAsync("d41a52b63c74d85e96f0a1b2", "Running", 2.6 * Hour, acknowledged: "Running");
        await jobs.InProgressAsync("d41a52b63c74d85e96f0a1b2", 3 * Hour);
        await jobs.WorkerAsync("d41a52b63c74d85e96f0a1b2", 2.6 * Hour);
        await ScanAllAsync(seed, jobs);
        var over = await seed.ExecutionAsync(started: 26 * Hour, vendorId: 9);
        await seed.TaskAsync(over, status: "Success", created: 26 * Hour, end: Ago(25.9 * Hour));
        for (var i = 0; i < 3; i++) await seed.RobotAsync(TimeSpan.FromDays(3));
    }

    private static async Task ScanAllAsync(Seed seed, JobServiceSeed jobs)
    {
        var scanAll = await seed.ExecutionAsync("SCAN_ALL", started: 2 * Hour, vendorId: 0, extraAttributes: """{"summary":{"total_count":1310,"submit_count":1284}}""");
        await seed.TaskAsync(scanAll, "SCAN_ALL", "Success", created: 2 * Hour, end: Ago(Hour), copies: 1190);
        await seed.TaskAsync(scanAll, "SCAN_ALL", "Error", created: 2 * Hour, end: Ago(Hour), copies: 17);
        for (var i = 0; i < 77; i++)
        {
            var (job, runs) = ($"e{i:d4}a1b2c3d4e5f60718293", i < 6);
            var since = runs ? TimeSpan.FromMinutes(3 + i) : 2 * Hour;
            await seed.TaskAsync(scanAll, "SCAN_ALL", runs ? "Running" : "Pending", revision: RevisionAgo(since), created: 2 * Hour, update: Ago(since), jobId: job);
            await jobs.RecordAsync(job, runs ? "Running" : "Pending", since, acknowledged: runs ? "Running" : "Pending");
            if (runs) await jobs.InProgressAsync(job, 2 * Hour);
            if (runs) await jobs.WorkerAsync(job, since, number: i + 1);
            else await jobs.QueueAsync(2 * Hour, job);
        }
    }

    private static string Names(int artifact) => $$"""{"artifact_id":{{artifact}},"artifact_tag":"","report_uuids":["r{{artifact}}"],"robot_id":{{100 + artifact}}}""";
}

/// <summary>One night for several tests that only look at it.</summary>
public sealed class TroubledNightFixture : IAsyncLifetime
{
    internal TroubledNight Night { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Night = await TroubledNight.StartAsync();

    public ValueTask DisposeAsync() => Night.DisposeAsync();
}
