using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HarborScanExporter.Cli;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Findings;
using HarborScanExporter.Http;
using HarborScanExporter.Metrics;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Cli.Check;

/// <summary>The command check over a real database and a real Redis.</summary>
public sealed partial class CheckTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(80)]
    [InlineData(200)]
    public async Task The_table_of_a_Harbor_with_most_troubles(int width)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await CheckSituation.SeedAsync(harbor, redis);
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)), width: width, time: new FakeTimeProvider());
        Assert.Equal(CheckCommand.Found, run.Exit);
        Assert.Equal("13 scans are missing from Redis at the first look; looking again in 60 s, as one look may fall between two steps of the job service. --quick takes one.",
            run.Error.Trim());
        Assert.All(run.Output.Split('\n'), line =>
        {
            Assert.InRange(line.Length, 0, width);
            Assert.Equal(line.TrimEnd(), line);
        });
        Assert.DoesNotContain("\u001b", run.Output, StringComparison.Ordinal);
        HasNoSecret(run);
        Golden.Check(Repository.PathOf("tests", "HarborScanExporter.Tests", "Cli", "Check", "Golden", $"check-{width}.txt"), Steady(run.Output));
    }

    [Fact]
    public async Task All_lists_every_finding_and_every_job()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await CheckSituation.SeedAsync(harbor, redis);
        var environment = harbor.Environment(("HARBOR_REDIS_URL", redis.Url));
        var some = await CommandRun.CheckAsync(environment, width: 200, time: new FakeTimeProvider());
        var all = await CommandRun.CheckAsync(environment, new CheckOptions { All = true }, width: 200, time: new FakeTimeProvider());
        Assert.Contains("... and 2 lost more; --all lists them.", some.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("library/app-12", some.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("--all", all.Output, StringComparison.Ordinal);
        for (var i = 2; i <= CheckSituation.Lost; i++) Assert.Contains($"library/app-{i}", all.Output, StringComparison.Ordinal);
        Assert.Contains("00000000000000000000000c", all.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_found_is_one_sentence_and_exit_code_0()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)));
        Assert.Equal((CheckCommand.NothingFound, ""), (run.Exit, run.Error));
        Assert.Equal(["Scanning works. No scan is open.", "", "Open      no scan", "Queue     0 jobs wait in IMAGE_SCAN", "Workers   0 of 10 busy, in 1 live pool", "Scan-all  a manual one is allowed"],
            run.Output.Split('\n').Take(6));
    }

    [Fact]
    public async Task Quick_takes_one_look_and_says_what_it_does_not_prove()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        await new JobServiceSeed(redis).UpAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, jobId: "gone");
        var environment = harbor.Environment(("HARBOR_REDIS_URL", redis.Url));
        var quick = await CommandRun.CheckAsync(environment, new CheckOptions { Quick = true }, width: 200);
        Assert.Equal(CheckCommand.NotDecided, quick.Exit);
        Assert.StartsWith("Not decided: 1 of 1 open scan is missing from Redis, which one look does not prove. Of 1 open scan none is stuck", quick.Output, StringComparison.Ordinal);
        Assert.Equal("1 scan is missing from Redis, which one look does not prove: it may fall between two steps of the job service. Without --quick it looks twice.", quick.Error.Trim());
        Assert.Contains("Open      IMAGE_SCAN 1 settling", quick.Output, StringComparison.Ordinal);
        var twice = await CommandRun.CheckAsync(environment, time: new FakeTimeProvider());
        Assert.Equal(CheckCommand.Found, twice.Exit);
        Assert.Contains("Open      IMAGE_SCAN 1 lost", twice.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CheckOutput.Table, null, null, CheckCommand.NotDecided)]
    [InlineData(CheckOutput.Json, null, null, CheckCommand.NotDecided)]
    [InlineData(CheckOutput.Prometheus, null, null, CheckCommand.NotDecided)]
    [InlineData(CheckOutput.Json, "lost", "IMAGE_SCAN", CheckCommand.NotDecided)]
    [InlineData(CheckOutput.Json, null, "SBOM", CheckCommand.NothingFound)]
    [InlineData(CheckOutput.Json, "redis_unreachable", null, CheckCommand.NothingFound)]
    internal async Task What_is_asked_for_and_not_decided_is_exit_code_3(CheckOutput form, string? verdict, string? type, int exit)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        await new JobServiceSeed(redis).UpAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, jobId: "", copies: 31);
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)), new CheckOptions { Quick = true, Output = form, Filter = FindingsFilter.Of([verdict], [type], null) });
        Assert.Equal(exit, run.Exit);
        Assert.StartsWith("31 scans are missing from Redis, which one look does not prove", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scans_that_rows_alone_cannot_judge_are_not_decided()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: Hour), created: Hour, jobId: "waits");
        var run = await CommandRun.CheckAsync(harbor.Environment(), width: 200);
        Assert.Equal((CheckCommand.NotDecided, ""), (run.Exit, run.Error));
        Assert.StartsWith("Not decided: 1 of 1 open scan cannot be judged. Of 1 open scan none is stuck", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_finding_beside_what_is_not_decided_is_exit_code_1()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        await new JobServiceSeed(redis).UpAsync();
        await seed.RobotAsync(48 * Hour);
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, jobId: "gone");
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)), new CheckOptions { Quick = true });
        Assert.Equal(CheckCommand.Found, run.Exit);
        Assert.StartsWith("Not decided: 1 of 1 open scan is missing from Redis", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manual_scan_all_that_is_alive_is_named_as_what_refuses_another()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        var execution = await seed.ExecutionAsync("SCAN_ALL", "Running", Hour, "MANUAL", 0);
        await seed.TaskAsync(execution, "SCAN_ALL", created: Hour, jobId: "waits");
        await jobs.RecordAsync("waits", "Pending", Hour);
        await jobs.QueueAsync(Hour, "waits");
        var environment = harbor.Environment(("HARBOR_REDIS_URL", redis.Url));
        var run = await CommandRun.CheckAsync(environment, width: 160);
        Assert.Equal(CheckCommand.NothingFound, run.Exit);
        Assert.Contains($"          a manual one is refused: execution {execution} is running since <time>", Steady(run.Output), StringComparison.Ordinal);
        var json = JsonNode.Parse((await CommandRun.CheckAsync(environment, new CheckOptions { Output = CheckOutput.Json })).Output)!["summary"]!;
        Assert.Equal((false, true, execution), ((bool)json["scan_all_blocked"]!, (bool)json["manual_scan_all"]!["refused"]!, (long)json["manual_scan_all"]!["execution_id"]!));

        // Its task ended a moment ago, and Harbor has not refreshed it yet.
        await seed.ExecuteAsync($"update task set status = 'Success', status_code = 3, update_time = now() at time zone 'utc', end_time = now() at time zone 'utc' where execution_id = {execution}");
        Assert.Contains("over but not refreshed yet", string.Join(' ', (await CommandRun.CheckAsync(environment, width: 160)).Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scan_that_comes_back_between_the_looks_is_not_lost()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, jobId: "back");
        using var output = new HeardWriter();
        using var error = new HeardWriter();
        var time = new FakeTimeProvider();
        var running = CheckCommand.RunAsync(CommandRun.SettingsOf(harbor.Environment(("HARBOR_REDIS_URL", redis.Url))), new CheckOptions(),
            new Terminal { Output = output, Error = error, Width = 80 }, time, TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => Task.FromResult(error.ToString().Contains("looking again", StringComparison.Ordinal)), TimeSpan.FromSeconds(30), error.ToString);
        await jobs.RecordAsync("back", "Pending", 3 * Hour);
        await jobs.QueueAsync(3 * Hour, "back");
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(CheckCommand.NothingFound, await running);
        Assert.Contains("IMAGE_SCAN 1 queued", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_is_the_document_of_the_api_with_every_finding_on_one_page()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await CheckSituation.SeedAsync(harbor, redis);
        var environment = harbor.Environment(("HARBOR_REDIS_URL", redis.Url));
        var run = await CommandRun.CheckAsync(environment, new CheckOptions { Output = CheckOutput.Json }, time: new FakeTimeProvider());
        Assert.Equal(CheckCommand.Found, run.Exit);
        var document = JsonNode.Parse(run.Output)!;
        var total = (int)document["total"]!;
        Assert.Equal((total, 1, total), ((int)document["page_size"]!, (int)document["page"]!, document["findings"]!.AsArray().Count));
        Assert.Equal(CheckSituation.Lost, document["findings"]!.AsArray().Count(finding => (string)finding!["verdict"]! == "lost"));
        HasNoSecret(run);

        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL", redis.Url));
        var reader = exporter.Services.GetRequiredService<FindingsReader>();
        await reader.ReadAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromMinutes(1));
        var report = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Steady(FindingsDocument.Of(report, report.Findings, 1, report.Findings.Count).ToJson()), Steady(run.Output).TrimEnd());
    }

    [Theory]
    [InlineData("hung", null, null, 1)]
    [InlineData(null, "SCAN_ALL", null, 2)]
    [InlineData(null, null, "payments", 1)]
    [InlineData("lost", "IMAGE_SCAN", "library", CheckSituation.Lost - 1)]
    [InlineData("redis_unreachable", null, null, 0)]
    public async Task Filters_choose_findings(string? verdict, string? type, string? project, int expected)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await CheckSituation.SeedAsync(harbor, redis);
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)),
            new CheckOptions { Output = CheckOutput.Json, Filter = FindingsFilter.Of([verdict], [type], [project]) }, time: new FakeTimeProvider());
        Assert.Equal(expected, (int)JsonNode.Parse(run.Output)!["total"]!);
        Assert.Equal(expected == 0 ? CheckCommand.NothingFound : CheckCommand.Found, run.Exit);
    }

    [Fact]
    public async Task A_table_whose_filter_fits_nothing_says_so()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await new Seed(harbor).RobotAsync(48 * Hour);
        var run = await CommandRun.CheckAsync(harbor.Environment(), new CheckOptions { Filter = FindingsFilter.Of(["lost"], null, null) });
        Assert.Equal((CheckCommand.NothingFound, ""), (run.Exit, run.Error));
        Assert.Contains("1 finding; none fits the filter.", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gone", null, "There is no verdict gone. Choose from lost, unreported, hung, not_queued, overdue, execution_not_refreshed, ")]
    [InlineData(null, "GARBAGE", "There is no type GARBAGE. Choose from IMAGE_SCAN, SCAN_ALL, SBOM.")]
    public async Task An_unknown_word_is_refused_with_the_choices(string? verdict, string? type, string expected)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var run = await CommandRun.CheckAsync(harbor.Environment(), new CheckOptions { Filter = FindingsFilter.Of([verdict], [type], null) });
        Assert.Equal((CheckCommand.CouldNotLook, ""), (run.Exit, run.Output));
        Assert.StartsWith(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prometheus_output_has_our_families_alone_and_pleases_promtool()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await CheckSituation.SeedAsync(harbor, redis);
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)), new CheckOptions { Output = CheckOutput.Prometheus }, time: new FakeTimeProvider());
        Assert.Equal(CheckCommand.Found, run.Exit);
        var document = new MetricsDocument(run.Output);
        Assert.Equal(1, document.Value("harbor_scan_up"));
        Assert.Equal(CheckSituation.Lost, document.Value("harbor_scan_stuck_tasks", ("type", "IMAGE_SCAN"), ("status", "Pending"), ("verdict", "lost")));
        Assert.All(document.Families, family => Assert.StartsWith("harbor_scan_", family, StringComparison.Ordinal));
        Assert.DoesNotContain("harbor_scan_collections_total", document.Families);
        Assert.Empty(document.Families.Intersect(ScanCounters.Families.Select(family => family.Name)));
        await PromtoolIsSilentAsync(run.Output);
    }

    [Fact]
    public async Task A_filter_does_not_go_with_prometheus_output()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var run = await CommandRun.CheckAsync(harbor.Environment(), new CheckOptions { Output = CheckOutput.Prometheus, Filter = FindingsFilter.Of(["lost"], null, null) });
        Assert.Equal((CheckCommand.CouldNotLook, ""), (run.Exit, run.Output));
        Assert.Contains("--output prometheus", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CheckOutput.Table)]
    [InlineData(CheckOutput.Json)]
    [InlineData(CheckOutput.Prometheus)]
    internal async Task A_database_that_is_away_is_exit_code_2_with_the_mend(CheckOutput form)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_DATABASE_PORT", $"{Tool.FreePort()}")), new CheckOptions { Output = form });
        Assert.Equal(CheckCommand.CouldNotLook, run.Exit);
        Assert.Matches(@"\Awarning: The collection failed \(connect\): .*Check HARBOR_DATABASE_HOST.*\nCould not look: Harbor's database could not be read \(connect\)\.\s*\z", run.Error.ReplaceLineEndings("\n"));
        HasNoSecret(run);
        switch (form)
        {
            case CheckOutput.Table:
                Assert.Equal("", run.Output);
                break;
            case CheckOutput.Json:
                Assert.Equal("unknown", (string?)JsonNode.Parse(run.Output)!["state"]!["level"]);
                break;
            default:
                Assert.Equal(0, new MetricsDocument(run.Output).Value("harbor_scan_up"));
                await PromtoolIsSilentAsync(run.Output);
                break;
        }
    }

    [Fact]
    public async Task A_Redis_that_is_away_is_a_finding()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", $"redis://:planted-redis-password@127.0.0.1:{Tool.FreePort()}/1")));
        Assert.Equal(CheckCommand.Found, run.Exit);
        Assert.Contains("redis_unreachable", run.Output, StringComparison.Ordinal);
        Assert.Contains("Run harbor-scan-exporter doctor", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("planted-redis-password", run.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_may_not_be_read_is_exit_code_2()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"revoke all on task from {harbor.Role}; revoke select (status) on task from {harbor.Role}");
        var run = await CommandRun.CheckAsync(harbor.Environment());
        Assert.Equal((CheckCommand.CouldNotLook, ""), (run.Exit, run.Output));
        Assert.Contains("failed (permission): ", run.Error, StringComparison.Ordinal);
        Assert.Contains("Run the SQL of 'harbor-scan-exporter sql' again", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_found_where_a_part_could_not_be_read_is_no_good_news()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"revoke select on robot from {harbor.Role}; revoke select (id, project_id, description, creation_time, visible, expiresat) on robot from {harbor.Role}");
        var run = await CommandRun.CheckAsync(harbor.Environment());
        Assert.Equal(CheckCommand.CouldNotLook, run.Exit);
        Assert.Contains("The collector robots failed (permission)", run.Error, StringComparison.Ordinal);
        Assert.StartsWith("Scanning works.", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_ends_the_wait_for_the_second_look_at_once()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        await new JobServiceSeed(redis).UpAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, jobId: "gone");
        using var output = new HeardWriter();
        using var error = new HeardWriter();
        using var signal = new CancellationTokenSource();
        var running = CheckCommand.RunAsync(CommandRun.SettingsOf(harbor.Environment(("HARBOR_REDIS_URL", redis.Url))), new CheckOptions(),
            new Terminal { Output = output, Error = error, Width = 80 }, TimeProvider.System, signal.Token);
        await Eventually.HoldsAsync(() => Task.FromResult(error.ToString().Contains("looking again", StringComparison.Ordinal)), TimeSpan.FromSeconds(30), error.ToString);
        await signal.CancelAsync();
        Assert.Equal(CheckCommand.Interrupted, await running.WaitAsync(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken));
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public async Task A_person_at_a_terminal_sees_colours_and_the_minute_pass()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        var seed = new Seed(harbor);
        await new JobServiceSeed(redis).UpAsync();
        await seed.TaskAsync(await seed.ExecutionAsync(started: 3 * Hour), created: 3 * Hour, jobId: "gone");
        using var output = new HeardWriter();
        using var error = new HeardWriter();
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.Zero };
        var running = CheckCommand.RunAsync(CommandRun.SettingsOf(harbor.Environment(("HARBOR_REDIS_URL", redis.Url))), new CheckOptions(),
            new Terminal { Output = output, Error = error, Width = 80, HasColour = true, IsErrorSeen = true }, time, TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => Task.FromResult(error.ToString().Contains("looking again", StringComparison.Ordinal)), TimeSpan.FromSeconds(30), error.ToString);
        time.Advance(TimeSpan.FromSeconds(20));
        const string drawn = "[##########....................] Until the second look: 40 s";
        await Eventually.HoldsAsync(() => Task.FromResult(error.ToString().Contains(drawn, StringComparison.Ordinal)), TimeSpan.FromSeconds(30), error.ToString);
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(CheckCommand.Found, await running);
        Assert.EndsWith("\r\u001b[2K", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("\u001b[1;", output.ToString(), StringComparison.Ordinal);
    }

    private static void HasNoSecret(CommandRun run)
    {
        Assert.DoesNotContain(JobServiceSeed.Secret, run.All, StringComparison.Ordinal);
        Assert.DoesNotContain(TestHarbor.Password, run.All, StringComparison.Ordinal);
    }

    private static async Task PromtoolIsSilentAsync(string text)
    {
        var result = await Tool.RunAsync("promtool", ["check", "metrics"], text);
        Assert.Equal((0, ""), (result.ExitCode, result.All.Trim()));
    }

    /// <summary>The text without the times and ages that differ from run to run, and without blanks at the end of its lines.</summary>
    internal static string Steady(string text) => Blanks().Replace(Ages().Replace(Times().Replace(text, "<time>"), "<age>"), "");

    [GeneratedRegex(@"\d{4}-\d\d-\d\d(T[0-9:.+Z-]+| \d\d:\d\d UTC)", RegexOptions.ExplicitCapture)]
    private static partial Regex Times();

    [GeneratedRegex(@"(?<=age_seconds"": )[0-9.]+|(?<=revision )\d{10}", RegexOptions.ExplicitCapture)]
    private static partial Regex Ages();

    [GeneratedRegex(@"[ \r]+$", RegexOptions.Multiline)]
    private static partial Regex Blanks();
}
