using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.JobService;
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
        await seed.HooksFlowAsync();
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
    public async Task It_reads_a_real_Redis_and_judges_by_it_as_the_build_that_the_tests_run()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        var seed = new Seed(situation.Harbor);
        var hour = TimeSpan.FromHours(1);
        var execution = await seed.ExecutionAsync(started: 4 * hour);
        await seed.TaskAsync(execution, status: "Running", revision: Seed.RevisionAgo(3 * hour), created: 4 * hour, update: Seed.Ago(3 * hour), jobId: "hung");
        await situation.Jobs.RecordAsync("hung", "Running", 3 * hour, acknowledged: "Running");
        await situation.Jobs.InProgressAsync("hung", 4 * hour);
        await situation.Jobs.WorkerAsync("hung", 3 * hour, number: 1);
        await seed.TaskAsync(execution, status: "Running", revision: Seed.RevisionAgo(hour), created: 4 * hour, update: Seed.Ago(hour), jobId: "untold");
        await situation.Jobs.RecordAsync("untold", "Success", hour, acknowledged: "Success");
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", situation.Redis.Url));
        var port = Tool.FreePort();
        await using var native = await StartAsync(
            situation.Harbor.Environment(("HARBOR_SCAN_LISTEN", $"http://127.0.0.1:{port}"), ("HARBOR_REDIS_URL", situation.Redis.Url)), port);
        var expected = await exporter.ScrapeAsync();
        var actual = await ScrapeAsync(port);
        Assert.Equal(
            ["""{status="Running",type="IMAGE_SCAN",verdict="hung"} 1""", """{status="Running",type="IMAGE_SCAN",verdict="unreported"} 1"""],
            actual.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{state="usable"} 1"""], actual.NonZero("harbor_scan_jobservice_evidence"));
        Assert.Equal(expected.Families.Order(StringComparer.Ordinal), actual.Families.Order(StringComparer.Ordinal));
        foreach (var family in new[] { "harbor_scan_stuck_tasks", "harbor_scan_live_tasks", "harbor_scan_jobservice_pools", "harbor_scan_jobservice_workers", "harbor_scan_queue_length", "harbor_scan_ghost_workers" })
            Assert.Equal(expected.NonZero(family), actual.NonZero(family));
    }

    [Fact]
    public async Task It_serves_the_status_page_and_the_findings_to_the_token()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: TimeSpan.FromHours(30)), created: TimeSpan.FromHours(30));
        var (port, operations) = (Tool.FreePort(), Tool.FreePort());
        var token = Path.GetTempFileName();
        await File.WriteAllTextAsync(token, OperatedHarbor.Token, TestContext.Current.CancellationToken);
        await using var native = await StartAsync(harbor.Environment(("HARBOR_SCAN_LISTEN", $"http://127.0.0.1:{port}"),
            ("HARBOR_SCAN_OPERATIONS_LISTEN", $"http://127.0.0.1:{operations}"), ("HARBOR_SCAN_OPERATIONS_TOKEN_FILE", token)), port);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{operations}") };
        Assert.Contains("id=\"sign-in\"", await client.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        client.DefaultRequestHeaders.Authorization = OperatedHarbor.Basic();
        Assert.Contains("<strong>Critical</strong> <span>Of 1 open scan 1 is stuck", await client.GetStringAsync(new Uri("/?sort=oldest", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("\"verdict\": \"lost\"", await client.GetStringAsync(new Uri("/api/v1/findings", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var bad = await client.GetAsync(new Uri("/api/v1/findings?page=0", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("\"parameter\":\"page\"", await bad.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.StartsWith("openapi: 3.1.0", await client.GetStringAsync(new Uri("/api/v1/openapi.yaml", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        File.Delete(token);
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
    public async Task An_address_that_is_taken_is_named()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var result = await Tool.RunAsync(await Binary.Value,
            ["--database-host", "127.0.0.1", "--database-username", "x", "--listen", $"http://{taken.LocalEndpoint}"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"HARBOR_SCAN_LISTEN: cannot listen on http://{taken.LocalEndpoint}: ", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("disable", false)]
    [InlineData("allow", true)]
    [InlineData("prefer", true)]
    [InlineData("require", true)]
    [InlineData("verify-ca", true)]
    [InlineData("verify-full", true)]
    public async Task Each_word_of_sslmode_means_what_libpq_means(string mode, bool encrypted)
    {
        var folder = Directory.CreateTempSubdirectory("harbor-tls-").FullName;
        var certificate = await Tool.RunAsync("openssl",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", $"{folder}/key.pem", "-out", $"{folder}/certificate.pem"]);
        Assert.Equal(0, certificate.ExitCode);
        if (Environment.IsPrivilegedProcess) await Tool.RunAsync("chown", ["-R", "postgres", folder]);
        await using (var cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries(),
            "ssl = on", $"ssl_cert_file = '{folder}/certificate.pem'", $"ssl_key_file = '{folder}/key.pem'"))
        {
            await using var harbor = await TestHarbor.CreateAsync(database: await TestDatabase.CreateAsync(cluster.AdministratorConnectionString, "registry"));
            if (mode == "allow") await cluster.RefuseUnencryptedAsync();
            var port = Tool.FreePort();
            var environment = harbor.Environment(("HARBOR_SCAN_LISTEN", $"http://127.0.0.1:{port}"), ("HARBOR_DATABASE_SSLMODE", mode));
            environment["PGSSLROOTCERT"] = $"{folder}/certificate.pem";
            await using var native = await StartAsync(environment, port);
            Assert.Equal(1, (await ScrapeAsync(port)).Value("harbor_scan_up"));
            Assert.Equal(encrypted, await harbor.Database.ScalarAsync<bool>(
                $"select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where usename = '{harbor.Role}'"));
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("harbor-tls-").FullName;
        foreach (var name in new[] { "server", "other" })
        {
            var made = await Tool.RunAsync("openssl",
                ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", $"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                 "-keyout", $"{folder}/{name}.key", "-out", $"{folder}/{name}.pem"]);
            Assert.Equal(0, made.ExitCode);
        }
        if (Environment.IsPrivilegedProcess) await Tool.RunAsync("chown", ["-R", "postgres", folder]);
        await using (var cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries(),
            "ssl = on", $"ssl_cert_file = '{folder}/server.pem'", $"ssl_key_file = '{folder}/server.key'"))
        {
            await using var harbor = await TestHarbor.CreateAsync(database: await TestDatabase.CreateAsync(cluster.AdministratorConnectionString, "registry"));
            var port = Tool.FreePort();
            var environment = harbor.Environment(("HARBOR_SCAN_LISTEN", $"http://127.0.0.1:{port}"), ("HARBOR_DATABASE_SSLMODE", "verify-full"));
            environment["PGSSLROOTCERT"] = $"{folder}/other.pem";
            await using var native = await StartAsync(environment, port);
            var scrape = await ScrapeAsync(port);
            Assert.Equal(0, scrape.Value("harbor_scan_up"));
            Assert.Equal(scrape.Value("harbor_scan_collections_total"), scrape.Value("harbor_scan_collection_failures_total", ("reason", "connect")));
        }
        Directory.Delete(folder, recursive: true);
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

    [Fact]
    public async Task Its_check_and_doctor_find_what_the_build_that_the_tests_run_finds()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        await new Seed(harbor).RobotAsync(TimeSpan.FromDays(2));
        var environment = harbor.Environment(("HARBOR_REDIS_URL", redis.Url));
        var (exit, output) = await RunAsync(environment, "check", "--output", "json");
        var expected = await CommandRun.CheckAsync(environment, new CheckOptions { Output = CheckOutput.Json });
        Assert.Equal((1, "leaked_robots"), (exit, Verdicts(output)));
        Assert.Equal(Verdicts(expected.Output), Verdicts(output));
        var table = await RunAsync(environment, "check");
        Assert.Equal(1, table.Exit);
        Assert.StartsWith("Scanning works. No scan is open.", table.Output, StringComparison.Ordinal);
        var doctor = await RunAsync(environment, "doctor", "--output", "json");
        Assert.Equal(0, doctor.Exit);
        Assert.Equal("warning", (string?)JsonNode.Parse(doctor.Output)!["result"]);

        static string Verdicts(string json) => string.Join(' ', JsonNode.Parse(json)!["findings"]!.AsArray().Select(finding => (string?)finding!["verdict"]));
    }

    private static async Task<(int Exit, string Output)> RunAsync(Dictionary<string, string> environment, params string[] arguments)
    {
        using var process = Tool.Start(await Binary.Value, arguments, environment: environment);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await error);
        return (process.ExitCode, output);
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
