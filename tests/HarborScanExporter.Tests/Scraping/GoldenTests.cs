using System.Text.RegularExpressions;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Schema;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Scraping;

/// <summary>The whole of /metrics per schema version, as text, and promtool's word on it.</summary>
public sealed partial class GoldenTests
{
    public static TheoryData<string> Supported => [.. HarborRelease.Supported.Select(release => release.Name)];

    [Theory]
    [InlineData("2.2.0")]
    [InlineData("2.8.0")]
    [InlineData("2.11.0")]
    [InlineData("2.13.0")]
    [InlineData("2.16.0")]
    public async Task The_exposition_of_a_Harbor_with_one_of_each(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await SeedOneOfEachAsync(harbor);
        if (harbor.Release.IsAtLeast("2.11.0")) await harbor.GrantReadOnlyViewAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_ENABLED", "sweepable,orphan_reports"));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal("", string.Join(Environment.NewLine, exporter.Warnings));
        await PromtoolIsSilentAsync(scrape.Text);
        Golden.Check(Repository.PathOf("tests", "HarborScanExporter.Tests", "Scraping", "Golden", $"{release}.prom"), Steady(scrape.Text));
    }

    [Fact]
    public async Task The_exposition_of_a_Harbor_whose_job_service_can_be_read()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await using var redis = await RedisServer.StartAsync();
        await SeedOneOfEachAsync(harbor);
        await harbor.GrantReadOnlyViewAsync();
        await SeedJobServiceAsync(new Seed(harbor), new JobServiceSeed(redis));
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, (Setting.Names.RedisUrl, redis.Url), ("HARBOR_SCAN_COLLECTORS_ENABLED", "sweepable,orphan_reports"));
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal("", string.Join(Environment.NewLine, exporter.Warnings));
        Assert.DoesNotContain(JobServiceSeed.Secret, scrape.Text, StringComparison.Ordinal);
        await PromtoolIsSilentAsync(scrape.Text);
        Golden.Check(Repository.PathOf("tests", "HarborScanExporter.Tests", "Scraping", "Golden", "2.13.0-redis.prom"), Steady(scrape.Text));
    }

    [Fact]
    public async Task The_exposition_of_a_Harbor_that_may_be_repaired()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await using var redis = await RedisServer.StartAsync();
        await SeedOneOfEachAsync(harbor);
        await harbor.GrantRemediationAsync();
        await new JobServiceSeed(redis).UpAsync();
        var audit = new AuditSeed(harbor);
        foreach (var (number, action) in RepairActionWords.All.Index())
        {
            await audit.AddAsync(action.Word(), ago: TimeSpan.FromDays(2), copies: number + 1);
            foreach (var reason in RepairFailure.Of(action)) await audit.AddAsync(action.Word(), "failed", reason, ago: TimeSpan.FromDays(1));
        }
        await audit.AddAsync("finish_task", verification: "reverted", ago: TimeSpan.FromHours(1), copies: 3);
        await audit.AddAsync("finish_task", verification: "promoted", ago: TimeSpan.FromHours(1));
        await audit.AddAsync("close_empty_execution", "undone", ago: TimeSpan.FromHours(1));
        await audit.AddAsync("undo", ago: TimeSpan.FromHours(1), source: "command");
        await audit.AddAsync("stop_job", "intended");
        await using var exporter = await RunningExporter.StartAsync(harbor.RemediationEnvironment((Setting.Names.RedisUrl, redis.Url)), new FakeTimeProvider());
        var counters = exporter.Services.GetRequiredService<RemediationCounters>();
        counters.Requested();
        counters.Reject(RejectReason.Version);
        counters.Skip(SkipReason.CapHour, 7);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal("", string.Join(Environment.NewLine, exporter.Warnings));
        await PromtoolIsSilentAsync(scrape.Text);
        Golden.Check(Repository.PathOf("tests", "HarborScanExporter.Tests", "Scraping", "Golden", "2.13.0-repairs.prom"), Steady(scrape.Text));
    }

    [Theory]
    [MemberData(nameof(Supported))]
    public async Task Every_supported_schema_is_read_without_a_warning(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await SeedOneOfEachAsync(harbor);
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal("", string.Join(Environment.NewLine, exporter.Warnings));
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.Contains($"""harbor_scan_database_info{"{"}schema_version="{harbor.Release.SchemaVersion}",""", scrape.Text, StringComparison.Ordinal);
        Assert.Equal(harbor.Release.IsAtLeast("2.7.0"), scrape.Families.Contains("harbor_scan_queue_paused"));
        Assert.Equal(2, scrape.Sum("harbor_scan_stuck_tasks"));
        await PromtoolIsSilentAsync(scrape.Text);
    }

    [Fact]
    public async Task Promtool_is_silent_on_an_empty_database()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await PromtoolIsSilentAsync((await exporter.ScrapeAsync()).Text);
    }

    [Fact]
    public async Task Promtool_is_silent_while_the_database_is_away()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_DATABASE_PORT", $"{Tool.FreePort()}"));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(0, scrape.Value("harbor_scan_up"));
        await PromtoolIsSilentAsync(scrape.Text);
    }

    /// <summary>One row of each kind that the families tell apart.</summary>
    private static async Task SeedOneOfEachAsync(TestHarbor harbor)
    {
        var seed = new Seed(harbor);
        var hour = TimeSpan.FromHours(1);
        await seed.HooksFlowAsync();
        var scan = await seed.ExecutionAsync(started: 30 * hour, vendorId: 1);
        await seed.TaskAsync(scan, created: 30 * hour, extraAttributes: """{"artifact_id":1,"artifact_tag":"","report_uuids":["r1"],"robot_id":99}""");
        await seed.ReportAsync("r1", "sha256:one", stored: false);
        await seed.TaskAsync(scan, status: "Running", revision: RevisionAgo(28 * hour), runCount: 1, created: 29 * hour, update: Ago(28 * hour), end: ZeroTime);
        await seed.TaskAsync(scan, revision: RevisionAgo(hour), runCount: 1, created: hour, update: Ago(hour), end: ZeroTime);
        await seed.TaskAsync(scan, status: "Error", revision: RevisionAgo(hour), runCount: 1, created: hour, update: Ago(hour), end: Ago(hour));
        await seed.TaskAsync(scan, status: "Succeed", code: 3, created: 900 * hour);
        await seed.ExecutionAsync(status: null, started: 900 * hour, vendorId: 2);
        var older = await seed.ExecutionAsync("SCAN_ALL", "Stopped", 80 * hour, "SCHEDULE", 0, end: Ago(79 * hour));
        await seed.TaskAsync(older, "SCAN_ALL", "Stopped", code: 0, revision: RevisionAgo(80 * hour), runCount: 1, created: 80 * hour, update: Ago(79 * hour));
        var newest = await seed.ExecutionAsync("SCAN_ALL", "Running", 8 * hour, "MANUAL", 0,
            extraAttributes: """{"operator":"admin","summary":{"conflict_count":2,"precondition_count":0,"submit_count":3,"total_count":6,"unknow_count":0,"unsupport_count":1}}""");
        await seed.TaskAsync(newest, "SCAN_ALL", "Success", revision: RevisionAgo(8 * hour), runCount: 1, created: 8 * hour, update: Ago(7 * hour), end: Ago(7 * hour), copies: 3);
        await seed.RobotAsync(48 * hour);
        if (harbor.Release.IsAtLeast("2.8.0")) await seed.ExecutionAsync("EXECUTION_SWEEP", "Success", 2 * hour, "SCHEDULE", -1, end: Ago(2 * hour));
    }

    /// <summary>Of the job service one of each kind that its families tell apart, and of tasks one of each verdict and state that Redis proves.</summary>
    private static async Task SeedJobServiceAsync(Seed seed, JobServiceSeed jobs)
    {
        var hour = TimeSpan.FromHours(1);
        await jobs.UpAsync();
        await jobs.PoolAsync("dead0000000000000000dead", heartbeat: hour / 12);
        var execution = await seed.ExecutionAsync("SBOM", started: 5 * hour, vendorId: 3);
        Task<long> RunningAsync(string job, TimeSpan age) =>
            seed.TaskAsync(execution, "SBOM", "Running", revision: RevisionAgo(age), runCount: 1, created: 5 * hour, update: Ago(age), end: ZeroTime, jobId: job);
        await seed.TaskAsync(execution, "SBOM", created: 5 * hour, jobId: "queued");
        await jobs.BacklogAsync(5 * hour, ["queued"]);
        await seed.TaskAsync(execution, "SBOM", created: 5 * hour, jobId: "not queued");
        await jobs.RecordAsync("not queued", "Pending", 5 * hour, acknowledged: "Pending");
        await RunningAsync("again", 3 * hour);
        await jobs.BacklogAsync(4 * hour, ["again"]);
        await RunningAsync("dead", hour);
        await jobs.InProgressAsync("dead", 2 * hour, "dead0000000000000000dead");
        await RunningAsync("running", hour);
        await jobs.InProgressAsync("running", hour);
        await RunningAsync("hung", 4 * hour);
        await jobs.InProgressAsync("hung", 4 * hour);
        await jobs.WorkerAsync("hung", 4 * hour);
        await RunningAsync("ending", hour);
        await jobs.RecordAsync("ending", "Success", hour / 2, revision: hour);
        await RunningAsync("unreported", 4 * hour);
        await jobs.RecordAsync("unreported", "Error", 3 * hour, revision: 4 * hour);
        await jobs.InProgressAsync("ghost", 30 * hour);
        await jobs.RecordAsync("orphan", "Error", 40 * hour);
        await jobs.PauseAsync("EXECUTION_SWEEP");
    }

    private static async Task PromtoolIsSilentAsync(string text)
    {
        var result = await Tool.RunAsync("promtool", ["check", "metrics"], text);
        Assert.Equal((0, ""), (result.ExitCode, result.All.Trim()));
    }

    /// <summary>The text without what differs from run to run: times, and the values of the process and the build.</summary>
    private static string Steady(string text) => string.Join('\n', text.Split('\n')
        .Where(line => !ProcessLine().IsMatch(line))
        .Select(line => line.StartsWith('#') ? line : Volatile().Replace(line, "${name}${labels} <time>"))
        .Select(line => Build().Replace(line, "harbor_scan_build_info{version=\"<version>\",revision=\"<revision>\",runtime=\"<runtime>\"}"))
        .Select(line => Server().Replace(line, "server_version=\"<server>\"")));

    [GeneratedRegex(@"\A(# (HELP|TYPE) )?(process|dotnet)_")]
    private static partial Regex ProcessLine();

    [GeneratedRegex(@"\A(?<name>harbor_scan_\w*_(age|duration|timestamp)_seconds)(?<labels>(\{.*\})?) (?!0$).*\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Volatile();

    [GeneratedRegex(@"harbor_scan_build_info\{.*\}")]
    private static partial Regex Build();

    [GeneratedRegex("server_version=\"[^\"]*\"")]
    private static partial Regex Server();
}
