using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Verification;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Remediation.Audit;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Metrics.Collectors;

/// <summary>Repairs as /metrics shows them.</summary>
public sealed class RemediationCollectorTests
{
    private const string Repairs = "harbor_scan_remediation_repairs_total";
    private const string Failures = "harbor_scan_remediation_repair_failures_total";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task While_repairs_are_off_only_that_is_told_and_the_audit_is_not_read()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor);
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(["harbor_scan_remediation_armed"], scrape.Families.Where(IsOfRepairs));
        Assert.Equal(["""{mode="off"} 1"""], scrape.NonZero("harbor_scan_remediation_armed"));
        Assert.Equal(3, scrape.Series.Keys.Count(series => series.StartsWith("harbor_scan_remediation_armed", StringComparison.Ordinal)));
        Assert.DoesNotContain("remediation\"", string.Join('\n', scrape.Series.Keys.Where(series => series.Contains("collector=", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Empty(exporter.Warnings);
    }

    [Fact]
    public async Task An_empty_audit_shows_every_action_and_every_reason_that_it_can_have_with_0()
    {
        await using var repaired = await StartAsync();
        var scrape = await repaired.Exporter.ScrapeAsync();
        Assert.Equal(["""{mode="execute"} 1"""], scrape.NonZero("harbor_scan_remediation_armed"));
        Assert.Equal(8, Series(scrape, Repairs).Length);
        Assert.Equal((5 * 7) + (3 * 7), Series(scrape, Failures).Length);
        Assert.All(scrape.Families.Where(IsOfRepairs).Where(family => family != "harbor_scan_remediation_armed"), family => Assert.Empty(scrape.NonZero(family)));
        Assert.Equal(
            ScrapeFamilies.All.Select(family => family.Name).Where(IsOfRepairs).Except(["harbor_scan_remediation_last_run_timestamp_seconds"]).Order(StringComparer.Ordinal),
            scrape.Families.Where(IsOfRepairs).Order(StringComparer.Ordinal));
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.Empty(repaired.Exporter.Warnings);
    }

    [Fact]
    public async Task No_family_of_repairs_has_a_hundred_series()
    {
        await using var repaired = await StartAsync();
        var scrape = await repaired.Exporter.ScrapeAsync();
        Assert.All(scrape.Families, family => Assert.True(Series(scrape, family).Length < 100, family));
        Assert.True(scrape.Series.Keys.Count(series => series.StartsWith("harbor_scan_", StringComparison.Ordinal)) < 600);
    }

    [Fact]
    public async Task Lines_of_the_audit_are_counted_by_what_became_of_them()
    {
        await using var repaired = await StartAsync();
        var audit = repaired.Audit;
        await audit.AddAsync("finish_task", ago: 5 * Hour, copies: 4);
        await audit.AddAsync("finish_task", verification: "held", ago: 30 * Hour, copies: 3);
        await audit.AddAsync("finish_task", verification: "promoted", ago: 4 * Hour);
        await audit.AddAsync("finish_task", verification: "reverted", ago: 5 * Hour, copies: 2);
        await audit.AddAsync("finish_task", "undone", ago: 5 * Hour);
        await audit.AddAsync("undo", ago: 2 * Hour, source: "command");
        await audit.AddAsync("stop_job", "no_effect", ago: 5 * Hour);
        await audit.AddAsync("stop_job", "intended", ago: Hour / 60, copies: 2);
        await audit.AddAsync("stop_job", "failed", "api_denied", ago: 5 * Hour, copies: 3);
        await audit.AddAsync("refresh_execution", "failed", "locked", ago: 5 * Hour);
        var scrape = await repaired.Exporter.ScrapeAsync();
        Assert.Equal(["""{action="finish_task"} 11""", """{action="stop_job"} 1"""], scrape.NonZero(Repairs));
        Assert.Equal(["""{action="refresh_execution",reason="locked"} 1""", """{action="stop_job",reason="api_denied"} 3"""], scrape.NonZero(Failures));
        Assert.Equal((2, 1, 1, 2, 0), (
            scrape.Value("harbor_scan_remediation_reverted_total"), scrape.Value("harbor_scan_remediation_promoted_total"),
            scrape.Value("harbor_scan_remediation_undone_total"), scrape.Value("harbor_scan_remediation_open_intents"),
            scrape.Value("harbor_scan_remediation_breaker_open")));
    }

    [Fact]
    public async Task What_was_done_is_never_counted_less_when_its_line_moves_on()
    {
        await using var repaired = await StartAsync();
        await repaired.Audit.AddAsync("finish_task", copies: 2);
        await repaired.Audit.AddAsync("stop_job", "intended");
        var counts = new List<(double Finished, double Stopped)>();
        foreach (var change in new[] { "", "state = 'done' where state = 'intended'", "state = 'no_effect' where action = 'stop_job'", "state = 'undone' where action = 'finish_task'" })
        {
            if (change.Length > 0) await repaired.Harbor.Database.ExecuteAsync($"update harbor_scan.repair set {change}");
            var scrape = await repaired.Exporter.ScrapeAsync();
            counts.Add((scrape.Value(Repairs, ("action", "finish_task")), scrape.Value(Repairs, ("action", "stop_job"))));
        }
        Assert.Equal([(2, 0), (2, 1), (2, 1), (2, 1)], counts);
    }

    [Fact]
    public async Task The_newest_run_is_the_newest_line_that_a_run_wrote()
    {
        await using var repaired = await StartAsync();
        await repaired.Audit.AddAsync("finish_task", ago: 3 * Hour);
        await repaired.Audit.AddAsync("finish_task", "failed", "timeout", ago: 2 * Hour);
        await repaired.Audit.AddAsync("finish_task", ago: Hour, source: "verification");
        await repaired.Audit.AddAsync("undo", ago: Hour / 2, source: "command");
        var scrape = await repaired.Exporter.ScrapeAsync();
        Assert.Equal(2 * Hour.TotalSeconds, scrape.Value("harbor_scan_snapshot_timestamp_seconds") - scrape.Value("harbor_scan_remediation_last_run_timestamp_seconds"), 10.0);
    }

    [Fact]
    public async Task A_reason_that_an_action_was_not_thought_to_have_is_told_all_the_same()
    {
        await using var repaired = await StartAsync();
        await repaired.Audit.AddAsync("finish_task", "failed", "api_denied", ago: 5 * Hour);
        Assert.Equal(["""{action="finish_task",reason="api_denied"} 1"""], (await repaired.Exporter.ScrapeAsync()).NonZero(Failures));
    }

    [Theory]
    [InlineData(4, 0, 0, "other", false)]
    [InlineData(5, 5, 0, "other", true)]
    [InlineData(5, 6, 0, "other", false)]
    [InlineData(9, 0, 0, "locked", false)]
    [InlineData(9, 0, 0, "interrupted", false)]
    [InlineData(9, 0, 0, "paused", false)]
    [InlineData(0, 9, 2, "other", false)]
    [InlineData(0, 9, 3, "other", true)]
    public async Task The_breaker_is_open_here_when_it_is_open_for_a_run(int failed, int done, int reverted, string failure, bool isOpen)
    {
        await using var repairing = await RepairingHarbor.StartAsync();
        var audit = new AuditSeed(repairing.Harbor);
        await audit.AddAsync("finish_task", "failed", failure, ago: Hour / 2, copies: failed);
        await audit.AddAsync("finish_task", ago: Hour / 2, copies: done);
        await audit.AddAsync("finish_task", verification: "reverted", ago: 2 * Hour, copies: reverted);
        // Both of other hours.
        await audit.AddAsync("finish_task", "failed", failure, ago: 1.1 * Hour, copies: 9);
        await audit.AddAsync("finish_task", verification: "reverted", ago: 3.1 * Hour, copies: 9);
        await using var exporter = await RunningExporter.StartAsync(repairing.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, repairing.Redis.Url)));
        Assert.Equal(isOpen ? 1 : 0, (await exporter.ScrapeAsync()).Value("harbor_scan_remediation_breaker_open"));
        Assert.Equal(isOpen, (await repairing.PlanAsync()).Blocks.Any(block => block.Reason == SkipReason.BreakerOpen));
    }

    [Fact]
    public async Task A_repair_is_counted_alike_by_every_exporter_and_after_a_restart()
    {
        await using var repairing = await RepairingHarbor.StartAsync();
        var execution = await repairing.Seed.ExecutionAsync(started: 5 * Hour);
        await repairing.Seed.TaskAsync(execution, created: 5 * Hour);
        await repairing.SeeTwiceAsync();
        Assert.Equal(RunEnd.Clean, (await repairing.RunAsync()).End);
        for (var start = 0; start < 2; start++)
        {
            await using var exporter = await RunningExporter.StartAsync(repairing.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, repairing.Redis.Url)));
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal(["""{action="finish_task"} 1"""], scrape.NonZero(Repairs));
            Assert.Equal(0, scrape.Sum("harbor_scan_stuck_tasks"));
        }
    }

    [Theory]
    [InlineData("drop table harbor_scan.repair", "schema")]
    [InlineData("drop schema harbor_scan cascade", "schema")]
    [InlineData("revoke select on harbor_scan.repair from {0}", "permission")]
    [InlineData("revoke usage on schema harbor_scan from {0}", "permission")]
    [InlineData("alter table harbor_scan.repair drop column verification cascade", "schema")]
    public async Task An_audit_that_cannot_be_read_fails_its_collector_alone_and_names_the_mend(string trouble, string reason)
    {
        await using var repaired = await StartAsync();
        await repaired.Harbor.Database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, trouble, repaired.Harbor.Role));
        await repaired.Exporter.ScrapeAsync();
        var scrape = await repaired.Exporter.ScrapeAsync();
        Assert.Equal(0, scrape.Value("harbor_scan_collector_success", ("collector", "remediation")));
        Assert.Equal(10, scrape.NonZero("harbor_scan_collector_success").Length + 2);
        Assert.Equal(2, scrape.Value("harbor_scan_collection_failures_total", ("reason", reason)));
        Assert.DoesNotContain(Repairs, scrape.Families);
        Assert.DoesNotContain("harbor_scan_remediation_breaker_open", scrape.Families);
        Assert.Contains("harbor_scan_remediation_skipped_total", scrape.Families);
        Assert.Contains("harbor_scan_stuck_tasks", scrape.Families);
        var warning = Assert.Single(repaired.Exporter.Warnings, said => said.StartsWith("The collector ", StringComparison.Ordinal));
        Assert.StartsWith($"The collector remediation failed ({reason}): The audit of repairs cannot be used: ", warning, StringComparison.Ordinal);
        Assert.Contains("deploy/sql/03-remediation-role.sql", warning, StringComparison.Ordinal);
        Assert.DoesNotContain("HARBOR_DATABASE_DBNAME", warning, StringComparison.Ordinal);
        if (trouble.StartsWith("alter", StringComparison.Ordinal)) return;
        await repaired.Harbor.GrantAsync();
        await repaired.Harbor.GrantRemediationAsync();
        Assert.Equal(1, (await repaired.Exporter.ScrapeAsync()).Value("harbor_scan_collector_success", ("collector", "remediation")));
    }

    [Fact]
    public async Task A_long_audit_is_counted_from_an_index_without_the_rows_that_it_keeps()
    {
        var time = new WaitedTime();
        await using var repaired = await StartAsync(time);
        // What looks at repairs again counts lines for good, and reads them for that: at the start, and not for a quarter of an hour after.
        await time.HasBegunAsync(VerificationLoop.LongestSleep, 1);
        await repaired.Audit.AddAsync("finish_task", ago: 100 * Hour, copies: 20_000);
        await repaired.Harbor.Database.ExecuteAsync("vacuum analyze harbor_scan.repair");
        var pages = await repaired.Harbor.Database.ScalarAsync<long>("select pg_relation_size('harbor_scan.repair') / 8192");
        Assert.True(pages > 1_000, $"{pages} pages");
        await repaired.Harbor.CountsArePublishedAsync();
        var before = await AuditCostTests.PagesReadAsync(repaired.Harbor);
        Assert.Equal(20_000, (await repaired.Exporter.ScrapeAsync()).Value(Repairs, ("action", "finish_task")));
        await repaired.StopAsync();
        await repaired.Harbor.CountsArePublishedAsync(repaired.Harbor.Role, repaired.Harbor.RepairRole);
        var after = await AuditCostTests.PagesReadAsync(repaired.Harbor);
        Assert.True(after.Index - before.Index > 5, "The server counted nothing.");
        Assert.True(after.Table - before.Table < 20, $"{after.Table - before.Table} pages of the table were read.");
    }

    private static string[] Series(MetricsDocument scrape, string family) => [.. scrape.Series.Keys.Where(series => series.Split('{')[0] == family)];

    private static bool IsOfRepairs(string family) => family.StartsWith("harbor_scan_remediation_", StringComparison.Ordinal);

    private static async Task<RepairedHarbor> StartAsync(TimeProvider? time = null)
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        return new RepairedHarbor(harbor, redis, await RunningExporter.StartAsync(harbor.RemediationEnvironment((Setting.Names.RedisUrl, redis.Url)), time));
    }

    /// <summary>A Harbor with an audit, and an exporter that may repair it.</summary>
    private sealed record RepairedHarbor(TestHarbor Harbor, RedisServer Redis, RunningExporter Exporter) : IAsyncDisposable
    {
        private bool _stopped;

        public AuditSeed Audit { get; } = new(Harbor);

        public async Task StopAsync()
        {
            _stopped = true;
            await Exporter.DisposeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            if (!_stopped) await Exporter.DisposeAsync();
            await Redis.DisposeAsync();
            await Harbor.DisposeAsync();
        }
    }
}
