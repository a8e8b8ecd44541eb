using System.Globalization;
using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Cli.Check;

/// <summary>
/// A Harbor with most of what check can find: ages lie just beyond a border of their words, so that these stay the same while a test runs.
/// </summary>
internal static class CheckSituation
{
    /// <summary>Lost tasks: more than are listed of one verdict.</summary>
    public const int Lost = 12;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Bit = TimeSpan.FromSeconds(2);

    /// <summary>Writes rows and keys.</summary>
    public static async Task SeedAsync(TestHarbor harbor, RedisServer redis)
    {
        var seed = new Seed(harbor);
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        await harbor.Database.ExecuteAsync("insert into project_metadata (project_id, name, value) values (2, 'prevent_vul', 'true')");
        await LoseAsync(seed);
        await UnreportedAsync(seed, jobs);
        await HangAsync(seed, jobs);
        await UnlistAsync(seed, jobs);
        await QueueAsync(seed, jobs);
        await ExecutionsAsync(seed);
        await seed.RobotAsync(49.5 * Hour);
    }

    private static async Task LoseAsync(Seed seed)
    {
        for (var i = 1; i <= Lost; i++)
        {
            // The first alone is older than anything that Harbor still heals.
            var age = (i == 1 ? 124.5 : 4.5) * Hour;
            await ArtifactAsync(seed, i, i == 1 ? 2 : 1, i == 1 ? "payments/gateway" : $"library/app-{i}");
            var execution = await seed.ExecutionAsync(started: age, vendorId: i);
            await seed.TaskAsync(execution, created: age, jobId: Job(i), extraAttributes: Named(i, 8000 + i));
        }
    }

    private static async Task UnreportedAsync(Seed seed, JobServiceSeed jobs)
    {
        for (var i = 21; i <= 22; i++)
        {
            var began = (i == 21 ? 29.5 : 27.5) * Hour;
            await ArtifactAsync(seed, i, 1, "library/database", stored: true);
            var execution = await seed.ExecutionAsync(started: began, vendorId: i);
            await seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(began), runCount: 1, created: 30 * Hour, update: Ago(began), end: ZeroTime,
                jobId: Job(i), extraAttributes: Named(i, 8000 + i));
            await jobs.RecordAsync(Job(i), "Success", began - (0.5 * Hour), began, "Running");
        }
    }

    private static async Task HangAsync(Seed seed, JobServiceSeed jobs)
    {
        await ArtifactAsync(seed, 31, 1, "library/huge");
        var execution = await seed.ExecutionAsync(started: (3.5 * Hour) + Bit, vendorId: 31);
        await seed.TaskAsync(execution, status: "Running", revision: RevisionAgo((3 * Hour) + Bit), runCount: 1, created: 3.5 * Hour, update: Ago((3 * Hour) + Bit), end: ZeroTime,
            jobId: Job(31), extraAttributes: Named(31, 8031));
        await jobs.RecordAsync(Job(31), "Running", (3 * Hour) + Bit, acknowledged: "Running");
        await jobs.InProgressAsync(Job(31), 3.5 * Hour);
        await jobs.WorkerAsync(Job(31), (3 * Hour) + Bit);
    }

    private static async Task UnlistAsync(Seed seed, JobServiceSeed jobs)
    {
        await ArtifactAsync(seed, 41, 1, "library/dropped");
        var execution = await seed.ExecutionAsync(started: (5 * Hour) + Bit, vendorId: 41);
        await seed.TaskAsync(execution, revision: RevisionAgo((5 * Hour) + Bit), runCount: 1, created: 5.5 * Hour, update: Ago((5 * Hour) + Bit), end: ZeroTime,
            jobId: Job(41), extraAttributes: Named(41, 8041));
        await jobs.RecordAsync(Job(41), "Pending", (5 * Hour) + Bit, acknowledged: "Pending");
    }

    private static async Task QueueAsync(Seed seed, JobServiceSeed jobs)
    {
        var execution = await seed.ExecutionAsync(started: 0.5 * Hour, vendorId: 51);
        for (var i = 51; i <= 53; i++)
        {
            await seed.TaskAsync(execution, created: (0.5 * Hour) + Bit, jobId: Job(i), extraAttributes: "{}");
            await jobs.RecordAsync(Job(i), "Pending", (0.5 * Hour) + Bit);
            await jobs.QueueAsync((0.5 * Hour) + Bit, Job(i));
        }
    }

    private static async Task ExecutionsAsync(Seed seed)
    {
        var codes = await seed.ExecutionAsync("SCAN_ALL", "Stopped", 52.5 * Hour, "SCHEDULE", 0, end: Ago(52 * Hour));
        await seed.TaskAsync(codes, "SCAN_ALL", "Stopped", code: 0, revision: RevisionAgo(52.5 * Hour), runCount: 1, created: 52.5 * Hour, update: Ago(52 * Hour), copies: 30);
        var all = await seed.ExecutionAsync("SCAN_ALL", "Running", 8.5 * Hour, "MANUAL", 0, extraAttributes: """{"operator":"admin","summary":{"submit_count":20,"total_count":20}}""");
        await seed.TaskAsync(all, "SCAN_ALL", "Success", revision: RevisionAgo(8.5 * Hour), runCount: 1, created: 8.5 * Hour, update: Ago(7.5 * Hour), end: Ago(7.5 * Hour), copies: 19);
        await seed.TaskAsync(all, "SCAN_ALL", "Error", revision: RevisionAgo(8.5 * Hour), runCount: 1, created: 8.5 * Hour, update: Ago(7.5 * Hour), end: Ago(7.5 * Hour));
    }

    private static async Task ArtifactAsync(Seed seed, int id, int project, string repository, bool stored = false)
    {
        await seed.ExecuteAsync($"""
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            values ({id}, {project}, '{repository}', '{Digest(id)}', 'IMAGE', {id}, 'application/json', 'application/json', 'IMAGE')
            """);
        await seed.ReportAsync($"report-{id}", Digest(id), stored);
    }

    private static string Job(int i) => i.ToString("x24", CultureInfo.InvariantCulture);

    private static string Digest(int id) => $"sha256:{id.ToString("x64", CultureInfo.InvariantCulture)}";

    private static string Named(int artifact, int robot) => $$"""{"artifact_id":{{artifact}},"artifact_tag":"","report_uuids":["report-{{artifact}}"],"robot_id":{{robot}}}""";
}
