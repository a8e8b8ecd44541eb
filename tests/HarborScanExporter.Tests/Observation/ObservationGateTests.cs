using System.Diagnostics;
using HarborScanExporter.Metrics;
using HarborScanExporter.Observation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace HarborScanExporter.Tests.Observation;

public sealed class ObservationGateTests
{
    [Theory]
    [InlineData(null, 10)]
    [InlineData("", 10)]
    [InlineData("nonsense", 10)]
    [InlineData("-3", 10)]
    [InlineData("NaN", 10)]
    [InlineData("Infinity", 10)]
    [InlineData("1e300", 10)]
    [InlineData("30", 10)]
    [InlineData("10.5", 10)]
    [InlineData("5", 4.5)]
    [InlineData("0.2", 0.1)]
    public void The_deadline_is_the_smaller_of_the_setting_and_the_scrapers_less_half_a_second(string? header, double seconds) =>
        Assert.Equal(seconds, ObservationGate.Deadline(TimeSpan.FromSeconds(10), header).TotalSeconds, 6);

    [Fact]
    public async Task Fifty_concurrent_scrapes_share_one_collection()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        MetricsDocument[] scrapes;
        await using (await LockAsync(harbor, "execution"))
            scrapes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => exporter.ScrapeAsync()));
        Assert.All(scrapes, scrape => Assert.Equal(1, scrape.Value("harbor_scan_collections_total")));
        Assert.Equal(49, scrapes.Max(scrape => scrape.Value("harbor_scan_scrapes_coalesced_total")));
    }

    [Fact]
    public async Task Scrapes_that_share_a_collection_get_the_same_bytes_in_each_format()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        string[] texts, openMetrics;
        await using (await LockAsync(harbor, "execution"))
        {
            var both = Enumerable.Range(0, 40).Select(number => ReadAsync(exporter, number % 2 == 0 ? "text/plain" : "application/openmetrics-text; version=1.0.0")).ToArray();
            var answers = await Task.WhenAll(both);
            (texts, openMetrics) = ([.. answers.Where((_, number) => number % 2 == 0)], [.. answers.Where((_, number) => number % 2 == 1)]);
        }
        // What the process tells of itself, its processor time among it, would differ between two documents that are written one after the other.
        Assert.Single(texts.Distinct(StringComparer.Ordinal));
        Assert.EndsWith("# EOF\n", Assert.Single(openMetrics.Distinct(StringComparer.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("*/*", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("nonsense", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    [InlineData("text/plain;q=0.6,application/openmetrics-text;q=0.5", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("application/openmetrics-text;q=0.5, nonsense, text/plain;q=0.6", "text/plain; version=0.0.4; charset=utf-8")]
    public async Task The_scraper_gets_the_format_that_it_likes_best(string accept, string type)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (accept.Length > 0) request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await exporter.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(type, answer.Content.Headers.ContentType!.ToString());
        Assert.Equal((await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length, answer.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_scrape_that_asks_for_less_time_gets_its_own_shorter_answer_and_does_not_shorten_that_of_another()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await SlowDownAsync(harbor, seconds: 4);
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var hasty = exporter.ScrapeAsync(timeoutSeconds: 2.5);
        await ActiveAsync(harbor);
        var patient = exporter.ScrapeAsync();

        var shorter = await hasty;
        Assert.Equal(0, shorter.Value("harbor_scan_up"));
        Assert.Equal(0, shorter.Value("harbor_scan_collector_success", ("collector", "executions")));
        Assert.Equal(1, shorter.Value("harbor_scan_scrapes_cut_short_total"));
        Assert.Equal(0, shorter.Value("harbor_scan_collection_failures_total", ("reason", "timeout")));
        var whole = await patient;
        Assert.Equal(1, whole.Value("harbor_scan_up"));
        Assert.Equal((1, 1), (whole.Value("harbor_scan_collections_total"), whole.Value("harbor_scan_scrapes_coalesced_total")));
        Assert.Empty(exporter.Warnings);
    }

    [Fact]
    public async Task A_shorter_answer_has_what_the_collection_has_come_to_by_then()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        await harbor.Database.ExecuteAsync($"""
            alter table robot rename to slow_robot;
            create view robot as select r.* from slow_robot r, (select pg_sleep(4)) slow;
            insert into slow_robot (name, project_id, description, expiresat, visible, creation_time) values ('robot$x', 1, 'for scan', -1, false, now() - interval '2 days');
            grant select on robot to {harbor.Role};
            """);
        var patient = exporter.ScrapeAsync();
        await ActiveAsync(harbor);
        var shorter = await exporter.ScrapeAsync(timeoutSeconds: 1.5);
        Assert.Equal(0, shorter.Value("harbor_scan_up"));
        Assert.Equal(1, shorter.Value("harbor_scan_collector_success", ("collector", "tasks")));
        Assert.Equal(0, shorter.Value("harbor_scan_collector_success", ("collector", "robots")));
        Assert.Contains("harbor_scan_tasks", shorter.Families);
        Assert.DoesNotContain("harbor_scan_leaked_robots", shorter.Families);
        Assert.Equal(1, (await patient).Value("harbor_scan_up"));
    }

    [Fact]
    public async Task A_client_that_asks_for_a_tenth_of_a_second_in_a_loop_takes_no_scrape_from_others()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        await using var network = new FreezableProxy("127.0.0.1", server.Port) { Delay = TimeSpan.FromMilliseconds(10) };
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_DATABASE_HOST", "127.0.0.1"), ("HARBOR_DATABASE_PORT", $"{network.Port}"));
        using var end = new CancellationTokenSource();
        var hasty = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var scrapes = 0;
            for (; !end.IsCancellationRequested; scrapes++) await exporter.ScrapeAsync(timeoutSeconds: 0.1);
            return scrapes;
        })).ToArray();
        List<double> up = [];
        for (var i = 0; i < 20; i++) up.Add((await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        await end.CancelAsync();
        Assert.All(await Task.WhenAll(hasty), scrapes => Assert.True(scrapes > 0));
        Assert.Equal(Enumerable.Repeat(1.0, 20), up);
    }

    [Fact]
    public async Task A_scrape_that_joins_at_the_end_of_a_collection_that_runs_out_of_time_is_answered_by_another()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await SlowDownAsync(harbor, seconds: 30);
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_SCRAPE_TIMEOUT", "4s"));
        var first = exporter.ScrapeAsync();
        await ActiveAsync(harbor);
        // Longer than half of its time, so that the second has far more left than the first.
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        var second = exporter.ScrapeAsync();
        await harbor.Database.ExecuteAsync($"create or replace view execution as select e.* from slow_execution e, (select pg_sleep(0)) slow");
        Assert.Equal(0, (await first).Value("harbor_scan_up"));
        var answer = await second;
        Assert.Equal(1, answer.Value("harbor_scan_up"));
        Assert.Equal((2, 1), (answer.Value("harbor_scan_collections_total"), answer.Value("harbor_scan_collection_failures_total", ("reason", "timeout"))));
    }

    [Fact]
    public async Task Whoever_asks_whether_the_database_can_be_reached_shares_one_connection()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        await using var network = new FreezableProxy("127.0.0.1", server.Port);
        var connected = 0;
        network.BeforeConnecting = () =>
        {
            Interlocked.Increment(ref connected);
            return Task.CompletedTask;
        };
        network.Freeze();
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_DATABASE_HOST", "127.0.0.1"), ("HARBOR_DATABASE_PORT", $"{network.Port}"));
        var asked = Enumerable.Range(0, 30).Select(_ => exporter.Client.GetAsync(new Uri("/readyz", UriKind.Relative))).ToArray();
        var answers = await Task.WhenAll(asked);
        Assert.All(answers, answer => Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, answer.StatusCode));
        Assert.Equal(1, connected);
        foreach (var answer in answers) answer.Dispose();
    }

    [Fact]
    public async Task A_scrape_after_another_begins_a_collection_of_its_own()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var first = await exporter.ScrapeAsync();
        var second = await exporter.ScrapeAsync();
        Assert.Equal((1, 2), (first.Value("harbor_scan_collections_total"), second.Value("harbor_scan_collections_total")));
        Assert.Equal(0, second.Value("harbor_scan_scrapes_coalesced_total"));
        Assert.True(second.Value("harbor_scan_snapshot_timestamp_seconds") > first.Value("harbor_scan_snapshot_timestamp_seconds"));
    }

    [Fact]
    public async Task A_client_that_hangs_up_cancels_the_query_on_the_server()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await SlowDownAsync(harbor);
        await using var exporter = await RunningExporter.StartAsync(harbor);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        var scrape = exporter.Client.GetAsync(new Uri("/metrics", UriKind.Relative), patience.Token);
        var active = $"select count(*) from pg_stat_activity where usename = '{harbor.Role}' and state = 'active'";
        await Eventually.HoldsAsync(async () => await harbor.Database.ScalarAsync<long>(active) == 1, TimeSpan.FromSeconds(5), () => "The query never ran.");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scrape);
        await Eventually.HoldsAsync(async () => await harbor.Database.ScalarAsync<long>(active) == 0, TimeSpan.FromSeconds(5), () => "The query still runs on the server.");
    }

    [Fact]
    public async Task A_database_that_never_answers_in_time_is_told_once()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await SlowDownAsync(harbor);
        await using var exporter = await RunningExporter.StartAsync(harbor);
        for (var i = 1; i <= 10; i++)
            Assert.Equal(i, (await exporter.ScrapeAsync(timeoutSeconds: 1)).Value("harbor_scan_collection_failures_total", ("reason", "timeout")));
        Assert.NotEmpty(exporter.Warnings);
        Assert.Equal(exporter.Warnings.Distinct(), exporter.Warnings);
    }

    [Fact]
    public async Task Answers_of_which_every_second_ends_in_time_without_its_rows_are_told_once()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await SlowDownAsync(harbor);
        var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        await using var network = new FreezableProxy("127.0.0.1", server.Port);
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_DATABASE_HOST", "127.0.0.1"), ("HARBOR_DATABASE_PORT", $"{network.Port}"));
        for (var i = 0; i < 3; i++)
        {
            network.Freeze();
            Assert.Equal(0, (await exporter.ScrapeAsync(timeoutSeconds: 1)).Value("harbor_scan_up"));
            network.Thaw();
            Assert.Equal(0, (await exporter.ScrapeAsync(timeoutSeconds: 3)).Value("harbor_scan_collector_success", ("collector", "executions")));
        }
        Assert.Single(exporter.Warnings, warning => warning.StartsWith("The collection failed (timeout)", StringComparison.Ordinal));
        Assert.Equal(exporter.Warnings.Distinct(), exporter.Warnings);
    }

    [Fact]
    public async Task A_client_that_hangs_up_does_not_take_the_collection_from_another()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var round = 0;
        MetricsDocument? scrape = null;
        await using (await LockAsync(harbor, "execution"))
        {
            // Nothing is shown where the two did not meet.
            for (var met = false; !met; met = Counted(exporter, ProcessCounters.Coalesced) > 0)
            {
                Assert.True(++round <= 10, "The two never shared a collection.");
                var other = exporter.ScrapeAsync();
                using var patience = new CancellationTokenSource();
                var hasty = exporter.Client.GetAsync(new Uri("/metrics", UriKind.Relative), patience.Token);
                await Eventually.HoldsAsync(
                    () => Task.FromResult(other.IsCompleted || Counted(exporter, ProcessCounters.Coalesced) > 0), TimeSpan.FromSeconds(30), () => "No answer.");
                await patience.CancelAsync();
                if (Counted(exporter, ProcessCounters.Coalesced) > 0) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hasty);
                else await Record.ExceptionAsync(() => hasty);
                scrape = await other;
            }
        }
        Assert.Equal(1, scrape!.Value("harbor_scan_collector_success", ("collector", "database")));
        Assert.Equal(0, scrape.Value("harbor_scan_collector_success", ("collector", "executions")));
        Assert.Equal(round, scrape.Value("harbor_scan_collection_failures_total", ("reason", "lock_timeout")));
    }

    [Fact]
    public async Task The_gate_is_free_within_a_second_of_the_deadline_a_hundred_times_on_a_frozen_network()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        await using var network = new FreezableProxy("127.0.0.1", server.Port);
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_DATABASE_HOST", "127.0.0.1"), ("HARBOR_DATABASE_PORT", $"{network.Port}"));
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        network.Freeze();
        for (var i = 1; i <= 100; i++)
        {
            var clock = Stopwatch.StartNew();
            var frozen = await exporter.ScrapeAsync(timeoutSeconds: 0.7);
            Assert.InRange(clock.Elapsed.TotalSeconds, 0, 1.2);
            Assert.Equal(0, frozen.Value("harbor_scan_up"));
            Assert.Equal(i + 1, frozen.Value("harbor_scan_collections_total"));
            Assert.DoesNotContain("harbor_scan_tasks", frozen.Families);
        }
        var warning = Assert.Single(exporter.Warnings);
        Assert.Contains("(timeout)", warning, StringComparison.Ordinal);
        network.Thaw();
        await Eventually.HoldsAsync(async () => (await exporter.ScrapeAsync()).Value("harbor_scan_up") == 1, TimeSpan.FromSeconds(60), () => "It did not recover.");
    }

    [Fact]
    public async Task Never_more_than_two_connections()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        long most = 0;
        await using (await LockAsync(harbor, "task"))
        {
            for (var round = 0; round < 5; round++)
            {
                var scrapes = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => exporter.ScrapeAsync(timeoutSeconds: 0.7)));
                do most = Math.Max(most, await harbor.Database.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename = '{harbor.Role}'"));
                while (!scrapes.IsCompleted);
                await scrapes;
            }
        }
        Assert.InRange(most, 1, 2);
    }

    private static async Task<string> ReadAsync(RunningExporter exporter, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await exporter.Client.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>A counter of the process, without a scrape.</summary>
    private static double Counted(RunningExporter exporter, Family family)
    {
        var samples = new Samples();
        ProcessCounters.Write(exporter.Services.GetRequiredService<ObservationCounts>(), samples);
        return samples.All.Where(sample => sample.Family == family).Sum(sample => sample.Value);
    }

    /// <summary>Waits until a statement of the exporter runs.</summary>
    private static Task ActiveAsync(TestHarbor harbor) => Eventually.HoldsAsync(
        async () => await harbor.Database.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename = '{harbor.Role}' and state = 'active' and wait_event = 'PgSleep'") == 1,
        TimeSpan.FromSeconds(30), () => "The query never ran.");

    /// <summary>Makes every read of execution take so long.</summary>
    private static Task SlowDownAsync(TestHarbor harbor, int seconds = 30) => harbor.Database.ExecuteAsync($"""
        alter table execution rename to slow_execution;
        create view execution as select e.* from slow_execution e, (select pg_sleep({seconds})) slow;
        insert into slow_execution (vendor_type, trigger) values ('IMAGE_SCAN', 'MANUAL');
        grant select on execution to {harbor.Role};
        """);

    /// <summary>Holds ACCESS EXCLUSIVE on a table until disposed.</summary>
    internal static async Task<NpgsqlConnection> LockAsync(TestHarbor harbor, string tables)
    {
        var connection = await harbor.Database.OpenAsync();
        await using var command = new NpgsqlCommand($"begin; lock table {tables} in access exclusive mode", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}
