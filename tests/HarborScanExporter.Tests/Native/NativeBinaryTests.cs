using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Native;

/// <summary>The binary that the image ships, as a process of its own; published here when HARBOR_TEST_NATIVE_BINARY names none.</summary>
public sealed class NativeBinaryTests
{
    private static readonly Lazy<Task<string>> Binary = new(PublishAsync);

    [Fact]
    public async Task It_serves_the_same_families_as_the_build_that_the_tests_run()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await harbor.GrantReadOnlyViewAsync();
        var seed = new Seed(harbor);
        await seed.AcceptedHookAsync(TimeSpan.FromMinutes(1));
        var robot = await seed.RobotAsync(TimeSpan.FromDays(2));
        var execution = await seed.ExecutionAsync(started: TimeSpan.FromHours(30));
        await seed.TaskAsync(execution, created: TimeSpan.FromHours(30), extraAttributes: $$"""{"artifact_id":1,"report_uuids":["u1"],"robot_id":{{robot + 1}}}""");
        await seed.ReportAsync("u1", "sha256:aaa", stored: false);
        await seed.ExecutionAsync("SCAN_ALL", "Running", TimeSpan.FromHours(1), vendorId: 0, extraAttributes: """{"summary":{"total_count":3}}""");
        const string all = "sweepable,orphan_reports";
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_ENABLED", all));
        var port = Tool.FreePort();
        await using var native = await StartAsync(harbor.Environment(("HARBOR_SCAN_LISTEN", $"http://127.0.0.1:{port}"), ("HARBOR_SCAN_COLLECTORS_ENABLED", all)), port);
        var expected = await exporter.ScrapeAsync();
        var actual = await ScrapeAsync(port);
        Assert.Equal(1, actual.Value("harbor_scan_up"));
        Assert.Equal(expected.Families.Order(StringComparer.Ordinal), actual.Families.Order(StringComparer.Ordinal));
        foreach (var family in new[] { "harbor_scan_stuck_tasks", "harbor_scan_inconsistencies", "harbor_scan_tasks", "harbor_scan_executions", "harbor_scan_leaked_robots", "harbor_scan_blocked_artifacts" })
            Assert.Equal(expected.NonZero(family), actual.NonZero(family));
        Assert.Equal(1, actual.Value("harbor_scan_blocked_artifacts"));
    }

    [Fact]
    public async Task It_ends_at_SIGTERM_with_exit_code_0()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var port = Tool.FreePort();
        await using var native = await StartAsync(harbor.Environment(("HARBOR_SCAN_LISTEN", $"http://127.0.0.1:{port}")), port);
        await ScrapeAsync(port);
        Assert.Equal(0, (await Tool.RunAsync("kill", ["-TERM", $"{native.Id}"])).ExitCode);
        Assert.Equal(0, await native.ExitCodeAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Its_commands_work_without_a_database()
    {
        var version = await Tool.RunAsync(await Binary.Value, ["version"]);
        Assert.Equal((0, ""), (version.ExitCode, version.Error));
        Assert.StartsWith("harbor-scan-exporter ", version.Output, StringComparison.Ordinal);
        var sql = await Tool.RunAsync(await Binary.Value, ["sql"]);
        Assert.Equal(0, sql.ExitCode);
        Assert.Contains("'harbor_scan_exporter'", sql.Output, StringComparison.Ordinal);
        var unset = await Tool.RunAsync(await Binary.Value, ["serve"]);
        Assert.Equal(2, unset.ExitCode);
        Assert.Contains("HARBOR_DATABASE_HOST is not set.", unset.Error, StringComparison.Ordinal);
    }

    private static async Task<RunningTool> StartAsync(Dictionary<string, string> environment, int port)
    {
        using var client = new HttpClient();
        return await RunningTool.StartAsync(await Binary.Value, [], async () =>
        {
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
            return answer.IsSuccessStatusCode;
        }, environment);
    }

    private static async Task<MetricsDocument> ScrapeAsync(int port)
    {
        using var client = new HttpClient();
        return new MetricsDocument(await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics")));
    }

    private static async Task<string> PublishAsync()
    {
        if (Environment.GetEnvironmentVariable("HARBOR_TEST_NATIVE_BINARY") is { Length: > 0 } given) return given;
        var folder = Repository.PathOf("artifacts", "native");
        var publish = await Tool.RunAsync("dotnet",
            ["publish", Repository.PathOf("src", "HarborScanExporter"), "-c", "Release", "-o", folder, "-v", "q"], limit: TimeSpan.FromMinutes(10));
        Assert.True(publish.ExitCode == 0, publish.All);
        return Path.Combine(folder, "harbor-scan-exporter");
    }
}
