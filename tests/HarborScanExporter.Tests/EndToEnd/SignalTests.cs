using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.EndToEnd;

public sealed class SignalTests
{
    [Fact]
    public async Task A_hang_up_is_told_in_one_line_and_ends_nothing()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await StartAsync(harbor);
        await SignalAsync(exporter, "HUP");
        await Eventually.HoldsAsync(() => Task.FromResult(exporter.Log.Contains("SIGHUP", StringComparison.Ordinal)), TimeSpan.FromSeconds(30), () => $"Nothing was told: {exporter.Log}", () => exporter.HasExited);
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        Assert.Single(exporter.Log.Split('\n'), line => line.Contains("SIGHUP: nothing is to be done. Secrets are read again by themselves when their files change; other settings need a restart.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("PIPE")]
    [InlineData("WINCH")]
    [InlineData("CONT")]
    public async Task A_signal_that_says_nothing_to_a_server_ends_nothing(string signal)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await StartAsync(harbor);
        await SignalAsync(exporter, signal);
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        Assert.False(exporter.HasExited);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task A_signal_that_means_the_end_ends_it_after_the_scrape_that_is_under_way(string signal)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync($"""
            alter table execution rename to slow_execution;
            create view execution as select e.* from slow_execution e, (select pg_sleep(2)) slow;
            insert into slow_execution (vendor_type, trigger) values ('IMAGE_SCAN', 'MANUAL');
            grant select on execution to {harbor.Role};
            """);
        await using var exporter = await StartAsync(harbor);
        var scrape = exporter.ScrapeAsync();
        await Eventually.HoldsAsync(async () => await harbor.Database.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename = '{harbor.Role}' and state = 'active'") == 1,
            TimeSpan.FromSeconds(30), () => "The query never ran.");
        await SignalAsync(exporter, signal);
        Assert.Equal(1, (await scrape).Value("harbor_scan_up"));
        Assert.Equal(0, await exporter.ExitCodeAsync(TimeSpan.FromSeconds(30)));
    }

    /// <summary>With signals that do what they do by default: whoever starts the tests in the background may have had some ignored, which is inherited.</summary>
    private static Task<ExporterProcess> StartAsync(TestHarbor harbor) =>
        ExporterProcess.StartAsync(harbor.Environment(), command => ["env", "--default-signal=HUP,INT,QUIT,TERM", .. command]);

    private static async Task SignalAsync(ExporterProcess exporter, string signal) =>
        Assert.Equal(0, (await Tool.RunAsync("/bin/sh", ["-c", $"kill -{signal} {exporter.Id}"])).ExitCode);
}
