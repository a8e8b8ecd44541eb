using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.JobService;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.JobService;

/// <summary>Keys that are far larger than a job service makes them: what is read stays bounded in bytes, what is left out proves nothing, and one line says so.</summary>
public sealed class LargeKeysTests
{
    private const int Mib = 1024 * 1024;

    private const string Queue = JobServiceSeed.Prefix + "jobs:IMAGE_SCAN";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>The bound of a look, what the sockets hold beside it, and the careful look after it.</summary>
    private const long MostAnswered = ReadLimit.MaxBytes + (24 * Mib);

    [Fact]
    public async Task A_queue_of_huge_entries_is_left_out_and_makes_nothing_stuck()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await situation.LoseOneAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        for (var i = 0; i < 100; i++) await situation.Redis.Database.ListLeftPushAsync(Queue, new byte[Mib]);
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, port: proxy.Port)));
        for (var i = 0; i < 3; i++)
        {
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal(["""{state="usable"} 1"""], scrape.NonZero("harbor_scan_jobservice_evidence"));
            Assert.Equal(101, scrape.Value("harbor_scan_queue_length", ("queue", "IMAGE_SCAN")));
            Assert.DoesNotContain("harbor_scan_queue_oldest_age_seconds{queue=\"IMAGE_SCAN\"}", scrape.Text, StringComparison.Ordinal);
            // One is held by a worker; of the one whose record waits absence is not known, and of the one that nothing names neither.
            Assert.Equal(
                ["""{state="queued",type="IMAGE_SCAN"} 1""", """{state="running",type="IMAGE_SCAN"} 1""", """{state="unjudged",type="IMAGE_SCAN"} 1"""],
                scrape.NonZero("harbor_scan_live_tasks"));
            Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
            time.Advance(TimeSpan.FromSeconds(61));
        }
        Assert.InRange(proxy.Answered, Mib, MostAnswered);
        Assert.Matches("^At redis://127.0.0.1:[0-9]+/1 the queue IMAGE_SCAN \\([0-9.]+ MiB\\) is left out: no job service makes one so large. What is missing there proves nothing.", Assert.Single(exporter.Warnings));
        await situation.Redis.Database.ListTrimAsync(Queue, 100, -1);
        var second = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1""", """{state="running",type="IMAGE_SCAN"} 1""", """{state="settling",type="IMAGE_SCAN"} 1"""], second.NonZero("harbor_scan_live_tasks"));
        Assert.Single(exporter.Logs.GetSnapshot(), record => record.Message == "Reading all of Redis works again.");
    }

    [Fact]
    public async Task A_record_with_a_huge_field_is_left_out_and_its_task_is_not_judged_by_it()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        await situation.Redis.Database.HashSetAsync(JobServiceSeed.Prefix + "job_stats:running", "ack", new byte[100 * Mib]);
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, port: proxy.Port)));
        var scrape = await exporter.ScrapeAsync();
        JobServiceSituation.AssertSeen(scrape);
        Assert.InRange(proxy.Answered, Mib, MostAnswered);
        Assert.Matches("^At redis://127.0.0.1:[0-9]+/1 a job's record \\(1[0-9.]+ MiB\\) is left out: ", Assert.Single(exporter.Warnings));
        var doctor = await CommandRun.DoctorAsync(situation.Harbor.Environment(("HARBOR_REDIS_URL", situation.Redis.Url)), DoctorOutput.Json);
        var line = JsonNode.Parse(doctor.Output)!["checks"]!.AsArray().Single(line => (string?)line!["name"] == "redis sizes")!;
        Assert.Equal("warning", (string?)line["result"]);
        Assert.Contains(" a job's record (1", (string?)line["reason"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_process_grows_by_a_small_multiple_of_the_bound()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await using var exporter = await ExporterProcess.StartAsync(situation.Harbor.Environment(("HARBOR_REDIS_URL", situation.Redis.Url)));
        for (var i = 0; i < 3; i++) JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        var before = exporter.PeakResident;
        await situation.Redis.Database.HashSetAsync(JobServiceSeed.Prefix + "job_stats:running", "ack", new byte[100 * Mib]);
        for (var i = 0; i < 3; i++) JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        var ofField = exporter.PeakResident - before;
        for (var i = 0; i < 500; i++) await situation.Redis.Database.ListLeftPushAsync(Queue, new byte[Mib]);
        for (var i = 0; i < 3; i++) Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_jobservice_up"));
        var ofBoth = exporter.PeakResident - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"Resident before {before / Mib} MiB; a field of 100 MiB {ofField / Mib} MiB more; 500 entries of 1 MiB too {ofBoth / Mib} MiB more.");
        Assert.InRange(ofBoth, 0, 5 * ReadLimit.MaxBytes);
    }

    [Fact]
    public async Task A_list_in_progress_of_huge_entries_is_left_out_and_ends_no_scan()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        // Its worker's hash has expired, as after a day: the list alone holds it, and its record is gone too.
        await situation.Redis.Database.KeyDeleteAsync([$"{JobServiceSeed.Prefix}worker:{JobServiceSeed.Worker(JobServiceSeed.Pool, 0)}", JobServiceSeed.Prefix + "job_stats:running"]);
        for (var i = 0; i < 100; i++) await situation.Redis.Database.ListLeftPushAsync($"{Queue}:{JobServiceSeed.Pool}:inprogress", new byte[Mib]);
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, port: proxy.Port)));
        for (var i = 0; i < 3; i++)
        {
            JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
            time.Advance(TimeSpan.FromSeconds(61));
        }
        Assert.InRange(proxy.Answered, Mib, MostAnswered);
        Assert.Contains(" a list in progress (", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("known_jobs", "A key known_jobs at ")]
    [InlineData("worker_pools", "A key worker_pools at ")]
    public async Task A_huge_key_on_which_everything_rests_is_named_and_proves_nothing(string key, string told)
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        await situation.Redis.Database.SetAddAsync(JobServiceSeed.Prefix + key, new byte[100 * Mib]);
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, port: proxy.Port)));
        for (var i = 0; i < 3; i++) JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "refused");
        Assert.InRange(proxy.Answered, Mib, MostAnswered);
        Assert.Contains(told, Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_that_may_not_ask_for_sizes_is_blind_bounded_and_told_what_to_grant()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        await situation.Redis.AdministerAsync("ACL", ["SETUSER", "old", "on", ">p", "~{harbor_job_service_namespace}:*", "resetchannels", "-@all",
            "+ping", "+select", "+exists", "+llen", "+lrange", "+smembers", "+hmget", "+hkeys", "+hscan", "+time"]);
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, "old:p", proxy.Port)));
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        for (var i = 0; i < 100; i++) await situation.Redis.Database.ListLeftPushAsync(Queue, new byte[Mib]);
        for (var i = 0; i < 3; i++) JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "refused");
        Assert.InRange(proxy.Answered, Mib, MostAnswered);
        var warning = Assert.Single(exporter.Warnings);
        Assert.Contains("sends more than the 32 MiB that one look reads", warning, StringComparison.Ordinal);
        Assert.Contains("+memory|usage", warning, StringComparison.Ordinal);
        await situation.Redis.Database.ListTrimAsync(Queue, 50, -1);
        await situation.Redis.AdministerAsync("ACL", "SETUSER", "old", "+memory|usage");
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
    }

    [Fact]
    public async Task A_full_and_healthy_job_service_is_far_below_the_bound()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        var execution = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 4 * Hour, vendorId: 0);
        string[] jobs = [.. Enumerable.Range(1, 1_000).Select(i => $"job{i}")];
        await situation.Jobs.BacklogAsync(4 * Hour, jobs);
        foreach (var job in jobs.Take(20)) await situation.Seed.TaskAsync(execution, "SCAN_ALL", created: 4 * Hour, jobId: job);
        // Entries as large as Harbor's largest, some KB each.
        for (var i = 0; i < 500; i++) await situation.Redis.Database.ListSetByIndexAsync(Queue, i, $$"""{"id":"large{{i}}","t":1,"args":"{{new string('x', 8 * 1024)}}"}""");
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, port: proxy.Port)));
        await exporter.ScrapeAsync();
        Assert.InRange(proxy.Answered, 4 * Mib, ReadLimit.MaxBytes / 4);
        Assert.Empty(exporter.Warnings);
    }
}
