using HarborScanExporter.Tests.EndToEnd;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>What stands in the database and in the job service's Redis of a Harbor that the dashboards show.</summary>
internal static class ScanSituation
{
    /// <summary>A heartbeat that stays fresh while tests look: nobody beats meanwhile.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(-1);

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>Four hours of a Harbor where pushes, a scan-all and sweeps went well, and a dozen scans have just begun.</summary>
    public static async Task HealthyAsync(TestHarbor harbor, RedisServer redis)
    {
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, 4 * Hour, new SimulationSettings
        {
            ErrorShare = 0,
            PushesPerHour = 20,
            SbomShare = 0.2,
            BackgroundJobs = true,
        });
        await simulated.CatchUpAsync(2 * Hour);
        await simulated.Simulation.ScanAllAsync();
        await simulated.CatchUpAsync(TimeSpan.FromSeconds(4));
        await simulated.ScanAsync(12, "just-pushed");
        await simulated.CatchUpAsync();
        await simulated.Simulation.MoveToRedisAsync(redis.Database);
        foreach (var pool in await redis.Database.SetMembersAsync($"{JobServiceSeed.Prefix}worker_pools"))
            await redis.Database.HashSetAsync($"{JobServiceSeed.Prefix}worker_pools:{pool}", "heartbeat_at", JobServiceSeed.Ago(Ahead));
    }

    /// <summary>
    /// Every verdict, state and kind that can be shown while the queue is paused and Harbor is read-only: <c>overdue</c> is what rows say
    /// alone, <c>queued</c> and <c>settling</c> need a queue that runs and a Harbor that moves, <c>unjudged</c> a Redis that cannot be read.
    /// </summary>
    public static async Task FaultyAsync(TestHarbor harbor, RedisServer redis)
    {
        var seed = new Seed(harbor);
        await JobServiceAsync(new JobServiceSeed(redis));
        await EndedAsync(seed);
        await StuckAsync(seed);
        await WaitingAsync(seed);
        await InconsistentAsync(seed);
        await ScanAllAsync(seed);
        for (var robot = 0; robot < 5; robot++) await seed.RobotAsync(2 * Day);
        await seed.ReportAsync("orphan", "sha256:orphan", stored: true);
        await seed.ExecutionAsync("EXECUTION_SWEEP", "Success", 12 * Hour, "SCHEDULE", -1, end: Ago(12 * Hour));
        await seed.ExecutionAsync("EXECUTION_SWEEP", "Error", Hour, "SCHEDULE", -1, end: Ago(Hour));
        await seed.ExecuteAsync("""
            insert into job_queue_status (job_type, paused) values ('IMAGE_SCAN', true);
            insert into properties (k, v) values ('read_only', 'true');
            """);
        await harbor.GrantReadOnlyViewAsync();
        await RepairedAsync(harbor);
    }

    /// <summary>What repairs of the last days left in the audit: of each kind some.</summary>
    private static async Task RepairedAsync(TestHarbor harbor)
    {
        await harbor.GrantRemediationAsync();
        var audit = new AuditSeed(harbor);
        await audit.AddAsync("finish_task", verification: "held", ago: 30 * Hour, copies: 12);
        await audit.AddAsync("finish_task", verification: "reverted", ago: 2 * Hour, copies: 3);
        await audit.AddAsync("finish_task", verification: "promoted", ago: 5 * Hour);
        await audit.AddAsync("refresh_execution", "undone", ago: 4 * Hour);
        await audit.AddAsync("undo", ago: 3 * Hour, source: "command");
        await audit.AddAsync("finish_task", "failed", "lost_race", ago: Hour, copies: 2);
        await audit.AddAsync("stop_job", "failed", "api_denied", ago: Hour);
        await audit.AddAsync("stop_job", "intended");
    }

    private static async Task EndedAsync(Seed seed)
    {
        foreach (var (days, status) in new[] { (3, "Success"), (2, "Error"), (1, "Stopped") })
        {
            var execution = await seed.ExecutionAsync("IMAGE_SCAN", status, days * Day, vendorId: 1, end: Ago(days * Day));
            await EndedTaskAsync(seed, execution, "IMAGE_SCAN", status, days * Day);
            await seed.TaskAsync(execution, status: "Succeed", code: 3, created: days * Day);
        }
        var sbom = await seed.ExecutionAsync("SBOM", "Success", 2 * Hour, vendorId: 1, end: Ago(2 * Hour));
        await EndedTaskAsync(seed, sbom, "SBOM", "Success", 2 * Hour);
    }

    private static async Task StuckAsync(Seed seed)
    {
        var lost = await seed.ExecutionAsync(started: 5 * Day, vendorId: 2);
        for (var i = 0; i < 3; i++) await seed.TaskAsync(lost, created: 5 * Day, extraAttributes: await ReportedAsync(seed, $"lost{i}", stored: false));
        var unreported = await seed.ExecutionAsync(started: 7 * Hour, vendorId: 3);
        await RunningAsync(seed, unreported, "IMAGE_SCAN", 7 * Hour, await ReportedAsync(seed, "unreported", stored: true));
        var hung = await seed.ExecutionAsync("SBOM", started: 28 * Hour, vendorId: 3);
        await RunningAsync(seed, hung, "SBOM", 28 * Hour, jobId: "hung");
        var unlisted = await seed.ExecutionAsync(started: 2 * Hour, vendorId: 8);
        await seed.TaskAsync(unlisted, revision: RevisionAgo(2 * Hour), runCount: 1, created: 2 * Hour, update: Ago(Hour), end: ZeroTime, jobId: "unlisted");
    }

    private static async Task WaitingAsync(Seed seed)
    {
        var execution = await seed.ExecutionAsync(started: Hour, vendorId: 4);
        await seed.TaskAsync(execution, revision: RevisionAgo(Hour), runCount: 1, created: Hour, update: Ago(Hour), end: ZeroTime, jobId: "waiting", copies: 4);
        await seed.TaskAsync(execution, status: "Scheduled", code: 1, revision: RevisionAgo(Hour), runCount: 1, created: Hour, update: Ago(Hour), end: ZeroTime, jobId: "waiting");
        await RunningAsync(seed, execution, "IMAGE_SCAN", 3 * Minute, jobId: "running");
        // Its pool died: the next look of the job service puts it back into the queue.
        await RunningAsync(seed, await seed.ExecutionAsync(started: 3 * Hour, vendorId: 5), "IMAGE_SCAN", 3 * Hour, jobId: "stranded");
        await seed.TaskAsync(await seed.ExecutionAsync("SBOM", started: Hour, vendorId: 4), "SBOM", revision: RevisionAgo(Hour), runCount: 1, created: Hour,
            update: Ago(Hour), end: ZeroTime, jobId: "waiting");
    }

    private static async Task JobServiceAsync(JobServiceSeed jobs)
    {
        await jobs.UpAsync(heartbeat: Ahead);
        await jobs.PoolAsync("9f1c000000000000000000d0", heartbeat: 5 * Minute);
        await jobs.PauseAsync();
        await jobs.QueueAsync(Hour, "waiting");
        await jobs.RecordAsync("waiting", "Pending", Hour, acknowledged: "Pending");
        await HeldAsync("running", 3 * Minute, number: 0);
        await HeldAsync("hung", 28 * Hour, number: 1);
        await jobs.InProgressAsync("stranded", 3 * Hour, "9f1c000000000000000000d0");
        await jobs.RecordAsync("stranded", "Running", 3 * Hour, acknowledged: "Running");
        await jobs.RecordAsync("unlisted", "Pending", 2 * Hour, acknowledged: "Pending");
        // Their rows are over or gone.
        await jobs.InProgressAsync("ghost", Day);
        await jobs.RecordAsync("ghost", "Error", Hour, acknowledged: "Error");
        await jobs.RecordAsync("orphan", "Success", Hour);

        async Task HeldAsync(string job, TimeSpan since, int number)
        {
            await jobs.InProgressAsync(job, since);
            await jobs.WorkerAsync(job, since, number: number);
            await jobs.RecordAsync(job, "Running", since, acknowledged: "Running");
        }
    }

    private static async Task InconsistentAsync(Seed seed)
    {
        var final = await seed.ExecutionAsync("IMAGE_SCAN", "Success", 9 * Day, vendorId: 6, end: Ago(2 * Day));
        await seed.TaskAsync(final, created: 9 * Day, extraAttributes: await ReportedAsync(seed, "final", stored: false));
        var newer = await seed.ExecutionAsync("IMAGE_SCAN", "Success", Day, vendorId: 6, end: Ago(Day));
        await EndedTaskAsync(seed, newer, "IMAGE_SCAN", "Success", Day);
        var notRefreshed = await seed.ExecutionAsync(started: 6 * Hour, vendorId: 7);
        await EndedTaskAsync(seed, notRefreshed, "IMAGE_SCAN", "Success", 6 * Hour);
        await seed.ExecutionAsync("SCAN_ALL", "Running", 8 * Day, "SCHEDULE", 0);
        var stopped = await seed.ExecutionAsync("SCAN_ALL", "Stopped", 3 * Day, "SCHEDULE", 0, end: Ago(3 * Day));
        await seed.TaskAsync(stopped, "SCAN_ALL", "Stopped", code: 0, created: 3 * Day, update: Ago(3 * Day), copies: 6);
    }

    /// <summary>The newest scan-all is a manual one whose open tasks are all stuck.</summary>
    private static async Task ScanAllAsync(Seed seed)
    {
        var newest = await seed.ExecutionAsync("SCAN_ALL", "Running", 10 * Hour, "MANUAL", 0, extraAttributes: """
            {"operator":"admin","summary":{"total_count":33,"submit_count":22,"conflict_count":4,"precondition_count":2,"unsupport_count":3,"unknow_count":2}}
            """);
        await seed.TaskAsync(newest, "SCAN_ALL", "Success", revision: RevisionAgo(9 * Hour), runCount: 1, created: 10 * Hour, update: Ago(9 * Hour), end: Ago(9 * Hour),
            copies: 20);
        for (var i = 0; i < 2; i++) await RunningAsync(seed, newest, "SCAN_ALL", 8 * Hour, await ReportedAsync(seed, $"child{i}", stored: true));
    }

    private static Task<long> EndedTaskAsync(Seed seed, long execution, string type, string status, TimeSpan ago) =>
        seed.TaskAsync(execution, type, status, revision: RevisionAgo(ago), runCount: 1, created: ago, update: Ago(ago), end: Ago(ago));

    private static Task<long> RunningAsync(Seed seed, long execution, string type, TimeSpan ago, string attributes = "{}", string jobId = "unknown") =>
        seed.TaskAsync(execution, type, "Running", revision: RevisionAgo(ago), runCount: 1, created: ago, start: Ago(ago), update: Ago(ago), end: ZeroTime,
            extraAttributes: attributes, jobId: jobId);

    /// <summary>The attributes of a task with one report, which it also makes.</summary>
    private static async Task<string> ReportedAsync(Seed seed, string name, bool stored)
    {
        await seed.ReportAsync(name, $"sha256:{name}", stored);
        return $$"""{"artifact_id":1,"artifact_tag":"","report_uuids":["{{name}}"],"robot_id":99}""";
    }
}
