using System.Diagnostics;
using HarborScanExporter.Scraping;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Scraping;

public sealed class GateTests
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
        Assert.Equal(seconds, ScrapeGate.Deadline(TimeSpan.FromSeconds(10), header).TotalSeconds, 6);

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
        MetricsDocument scrape;
        await using (await LockAsync(harbor, "execution"))
        {
            var other = exporter.ScrapeAsync();
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => exporter.Client.GetAsync(new Uri("/metrics", UriKind.Relative), patience.Token));
            scrape = await other;
        }
        Assert.Equal(1, scrape.Value("harbor_scan_collector_success", ("collector", "database")));
        Assert.Equal(0, scrape.Value("harbor_scan_collector_success", ("collector", "executions")));
        Assert.Equal(1, scrape.Value("harbor_scan_collection_failures_total", ("reason", "lock_timeout")));
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
                var scrapes = Enumerable.Range(0, 20).Select(_ => exporter.ScrapeAsync(timeoutSeconds: 0.7)).ToArray();
                await Task.Delay(150, TestContext.Current.CancellationToken);
                most = Math.Max(most, await harbor.Database.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename = '{harbor.Role}'"));
                await Task.WhenAll(scrapes);
            }
        }
        Assert.InRange(most, 1, 2);
    }

    /// <summary>Makes every read of execution take half a minute.</summary>
    private static Task SlowDownAsync(TestHarbor harbor) => harbor.Database.ExecuteAsync($"""
        alter table execution rename to slow_execution;
        create view execution as select e.* from slow_execution e, (select pg_sleep(30)) slow;
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
