using System.Diagnostics;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.JobService;

/// <summary>What goes wrong with the job service's Redis: no false verdict, a database part without harm, one word in the log, recovery by itself.</summary>
public sealed class RedisFaultTests
{
    private const string Recovered = "The collector jobservice works again.";

    private static readonly TimeSpan TwoLooks = TimeSpan.FromSeconds(61);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_Redis_proves_nothing_and_is_found_again()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.Url));
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        await situation.Redis.KillAsync();
        for (var i = 0; i < 3; i++)
        {
            JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "unreachable");
            time.Advance(TwoLooks);
        }
        var warning = Assert.Single(exporter.Warnings);
        Assert.Contains($"redis://127.0.0.1:{situation.Redis.Port}/1 does not answer", warning, StringComparison.Ordinal);
        await situation.Redis.RestartAsync();
        await situation.FillAsync();
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        Assert.Single(exporter.Logs.GetSnapshot(), record => record.Message == Recovered);
        Assert.Single(exporter.Warnings);
    }

    [Fact]
    public async Task A_Redis_emptied_under_a_running_job_service_has_lost_what_waited_at_once_and_what_ran_after_five_minutes()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.Url));
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        await situation.Redis.Database.ExecuteAsync("FLUSHDB");
        // Until the next heartbeat nothing tells that this is Harbor's Redis at all.
        JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "empty");
        await situation.Jobs.PoolAsync();
        var first = await exporter.ScrapeAsync();
        Assert.Equal(["""{state="settling",type="IMAGE_SCAN"} 2"""], first.NonZero("harbor_scan_live_tasks"));
        time.Advance(TwoLooks);
        await situation.Jobs.PoolAsync();
        var second = await exporter.ScrapeAsync();
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1"""], second.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{state="settling",type="IMAGE_SCAN"} 1"""], second.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(1, second.Value("harbor_scan_jobservice_up"));
        time.Advance(TimeSpan.FromMinutes(5) - TwoLooks);
        Assert.Equal(
            ["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1""", """{status="Running",type="IMAGE_SCAN",verdict="lost"} 1"""],
            (await exporter.ScrapeAsync()).NonZero("harbor_scan_stuck_tasks"));
    }

    [Theory]
    [InlineData(4, "settling")]
    [InlineData(6, "lost")]
    public async Task A_pool_that_came_after_the_emptying_tells_that_it_was_before_its_start(int minutesAgo, string running)
    {
        await using var situation = await JobServiceSituation.StartAsync();
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.Url));
        await situation.Redis.Database.ExecuteAsync("FLUSHDB");
        // It announces every job type again, as the first pool did before the loss.
        await situation.Jobs.PoolAsync();
        await situation.Jobs.UpAsync("9f1c000000000000000000b2", started: TimeSpan.FromMinutes(minutesAgo));
        await exporter.ScrapeAsync();
        time.Advance(TwoLooks);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(running == "lost" ? [] : ["""{state="settling",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(1, scrape.Value("harbor_scan_stuck_tasks", ("type", "IMAGE_SCAN"), ("status", "Pending"), ("verdict", "lost")));
        Assert.Equal(running == "lost" ? 1 : 0, scrape.Value("harbor_scan_stuck_tasks", ("type", "IMAGE_SCAN"), ("status", "Running"), ("verdict", "lost")));
    }

    [Fact]
    public async Task A_Redis_replaced_by_an_empty_one_is_called_empty_once_and_lost_is_told_when_the_job_service_is_back()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.Url));
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        await situation.Redis.KillAsync();
        await situation.Redis.RestartAsync();
        for (var i = 0; i < 3; i++)
        {
            JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "empty");
            time.Advance(TwoLooks);
        }
        Assert.Contains("shows no job service under the namespace harbor_job_service_namespace", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
        // The job service was started anew: what ran is gone too.
        await situation.Jobs.UpAsync(started: TimeSpan.FromSeconds(5));
        await exporter.ScrapeAsync();
        time.Advance(TwoLooks);
        Assert.Equal(
            ["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1""", """{status="Running",type="IMAGE_SCAN",verdict="lost"} 1"""],
            (await exporter.ScrapeAsync()).NonZero("harbor_scan_stuck_tasks"));
        Assert.Single(exporter.Warnings);
        Assert.Single(exporter.Logs.GetSnapshot(), record => record.Message.EndsWith("works again.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_slow_or_frozen_network_leaves_the_database_its_time(bool frozen)
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, port: proxy.Port)));
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        if (frozen) proxy.Freeze();
        else proxy.Delay = TimeSpan.FromSeconds(5);
        for (var i = 0; i < 3; i++)
        {
            var clock = Stopwatch.StartNew();
            JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(4.5), "unreachable");
            Assert.InRange(clock.Elapsed.TotalSeconds, 1, 4);
        }
        Assert.Contains("no answer in time", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
        proxy.Delay = TimeSpan.Zero;
        proxy.Thaw();
        await situation.FillAsync();
        await Eventually.HoldsAsync(async () => (await exporter.ScrapeAsync()).Value("harbor_scan_jobservice_up") == 1, TimeSpan.FromSeconds(20), () => "It did not recover.");
        Assert.Single(exporter.Logs.GetSnapshot(), record => record.Message == Recovered);
    }

    [Fact]
    public async Task A_Redis_that_dies_in_mid_read_costs_one_collection()
    {
        await using var situation = await JobServiceSituation.StartAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", situation.Redis.Port);
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, port: proxy.Port)));
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        proxy.Freeze();
        var scrape = exporter.ScrapeAsync();
        await Task.Delay(300, Token);
        await situation.Redis.KillAsync();
        proxy.Thaw();
        JobServiceSituation.AssertBlind(await scrape, "unreachable");
        await situation.Redis.RestartAsync();
        await situation.FillAsync();
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_a_right_one_is_picked_up_from_the_file()
    {
        await using var situation = await JobServiceSituation.StartAsync("--requirepass", JobServiceSituation.Password);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, situation.Redis.UrlOf(RedisServer.Number, ":wrong-one"), Token);
        await using var exporter = await RunningExporter.StartAsync(situation.Harbor, ("HARBOR_REDIS_URL_FILE", file));
        for (var i = 0; i < 3; i++) JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), "refused");
        Assert.Contains("refuses the user or its password (WRONGPASS invalid username-password pair or user is disabled). Check HARBOR_REDIS_URL", Assert.Single(exporter.Warnings), StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, situation.Redis.UrlOf(RedisServer.Number, ":" + JobServiceSituation.EscapedPassword) + "\n", Token);
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        // Rotated: connections that are open stay so until they are closed.
        await situation.Redis.AdministerAsync("CONFIG", "SET", "requirepass", "rotated");
        await situation.Redis.AdministerAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        await Eventually.HoldsAsync(async () => (await exporter.ScrapeAsync()).Value("harbor_scan_jobservice_evidence", ("state", "refused")) == 1,
            TimeSpan.FromSeconds(10), () => "The old password was not refused.");
        await File.WriteAllTextAsync(file, situation.Redis.UrlOf(RedisServer.Number, ":rotated"), Token);
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        File.Delete(file);
        JobServiceSituation.AssertSeen(await exporter.ScrapeAsync());
        Assert.Equal($"HARBOR_REDIS_URL_FILE: there is no readable file {file}. Mount it, or correct the path. Until then what it held before counts.", exporter.Warnings[^1]);
        Assert.DoesNotContain(exporter.Logs.GetSnapshot(), record => record.Message.Contains("wrong-one", StringComparison.Ordinal)
            || record.Message.Contains(JobServiceSituation.Password, StringComparison.Ordinal) || record.Message.Contains(JobServiceSituation.EscapedPassword, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(9, "harbor_job_service_namespace", "empty", "Check the database number (2 in Harbor's installer, 1 in its chart) and HARBOR_REDIS_NAMESPACE.")]
    [InlineData(RedisServer.Number, "another_namespace", "empty", "shows no job service under the namespace another_namespace")]
    [InlineData(99, "harbor_job_service_namespace", "refused", "has no database of this number. It is 2 in Harbor's installer and 1 in its chart.")]
    public async Task Another_database_or_namespace_is_not_taken_for_a_loss(int database, string ns, string state, string told)
    {
        await using var situation = await JobServiceSituation.StartAsync();
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(
            situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(database)), ("HARBOR_REDIS_NAMESPACE", ns));
        for (var i = 0; i < 3; i++)
        {
            JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), state);
            time.Advance(TwoLooks);
        }
        Assert.Contains(told, Assert.Single(exporter.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_hundred_failing_collections_leave_no_connection_handle_or_thread_behind(bool away)
    {
        await using var situation = await JobServiceSituation.StartAsync("--requirepass", JobServiceSituation.Password);
        await using var exporter = await ExporterProcess.StartAsync(situation.Harbor.Environment(("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, ":wrong-one"))));
        if (away) await situation.Redis.KillAsync();
        for (var i = 0; i < 20; i++) JobServiceSituation.AssertBlind(await exporter.ScrapeAsync(), away ? "unreachable" : "refused");
        // What is counted is the product's: the runtime adds and ends threads of its pool by the load of the machine.
        var (handles, threads) = (exporter.Handles, exporter.Threads);
        for (var i = 0; i < 180; i++) await exporter.ScrapeAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(exporter.Handles <= handles + 5 && exporter.Threads <= threads + 5), TimeSpan.FromSeconds(15),
            () => $"Handles went from {handles} to {exporter.Handles}, threads from {threads} to {exporter.Threads}.");
        if (!away) Assert.InRange(await situation.Redis.InfoAsync("clients", "connected_clients"), 1, 4);
        Assert.Equal(1, exporter.Log.Split("The collector jobservice failed").Length - 1);
        Assert.DoesNotContain("wrong-one", exporter.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_secret_of_a_job_and_no_password_comes_out_anywhere()
    {
        await using var situation = await JobServiceSituation.StartAsync("--requirepass", JobServiceSituation.Password);
        await situation.LoseOneAsync();
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(
            situation.Harbor, time, ("HARBOR_REDIS_URL", situation.Redis.UrlOf(RedisServer.Number, ":" + JobServiceSituation.EscapedPassword)));
        List<string> told = [];
        for (var i = 0; i < 2; i++)
        {
            told.Add((await exporter.ScrapeAsync()).Text);
            time.Advance(TwoLooks);
        }
        Assert.Contains("verdict=\"lost\"} 1", told[^1], StringComparison.Ordinal);
        // Keys of another type and items that are none make the errors that a job service's own keys cannot.
        await situation.Redis.Database.ListLeftPushAsync(JobServiceSeed.Prefix + "jobs:IMAGE_SCAN", $"{{{JobServiceSeed.Secret}");
        await situation.Redis.Database.KeyDeleteAsync(JobServiceSeed.Prefix + "job_stats:running");
        await situation.Redis.Database.StringSetAsync(JobServiceSeed.Prefix + "job_stats:running", JobServiceSeed.Secret);
        told.Add((await exporter.ScrapeAsync()).Text);
        await situation.Redis.Database.KeyDeleteAsync(JobServiceSeed.Prefix + "worker_pools");
        await situation.Redis.Database.StringSetAsync(JobServiceSeed.Prefix + "worker_pools", JobServiceSeed.Secret);
        told.Add((await exporter.ScrapeAsync()).Text);
        Assert.NotEmpty(exporter.Warnings);
        await situation.Redis.KillAsync();
        told.Add((await exporter.ScrapeAsync()).Text);
        told.Add(await exporter.Client.GetStringAsync(new Uri("/", UriKind.Relative), Token));
        told.AddRange(exporter.Logs.GetSnapshot().Select(record => $"{record.Message} {record.Exception} {string.Join(' ', record.StructuredState ?? [])}"));
        foreach (var secret in new[] { JobServiceSeed.Secret, JobServiceSituation.Password, JobServiceSituation.EscapedPassword })
            Assert.All(told, text => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }
}
