using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>The two Harbors of the dashboards are what their names say.</summary>
public sealed class ScanSituationTests
{
    [Fact]
    public async Task The_healthy_Harbor_works_and_nothing_is_wrong_with_it()
    {
        var scrape = await ScrapeAsync(DashboardTarget.Healthy());
        Assert.Empty(scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Empty(scrape.NonZero("harbor_scan_inconsistencies"));
        Assert.Equal(0, scrape.Value("harbor_scan_blocked_artifacts"));
        Assert.Equal(0, scrape.Value("harbor_scan_all_blocked"));
        Assert.True(scrape.Value("harbor_scan_live_tasks", ("type", "IMAGE_SCAN"), ("state", "running")) >= 5, scrape.Text);
        Assert.True(scrape.Sum("harbor_scan_tasks", ("status", "Success")) > 50);
    }

    [Fact]
    public async Task The_faulty_Harbor_has_every_verdict_state_and_kind_but_those_of_a_Harbor_that_moves_or_cannot_be_seen()
    {
        var scrape = await ScrapeAsync(DashboardTarget.Faulty());
        Assert.Equal(
            [
                """{status="Pending",type="IMAGE_SCAN",verdict="lost"} 4""",
                """{status="Pending",type="IMAGE_SCAN",verdict="not_queued"} 1""",
                """{status="Running",type="IMAGE_SCAN",verdict="unreported"} 1""",
                """{status="Running",type="SBOM",verdict="hung"} 1""",
                """{status="Running",type="SCAN_ALL",verdict="unreported"} 2""",
            ],
            scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(
            [
                """{state="paused",type="IMAGE_SCAN"} 5""",
                """{state="paused",type="SBOM"} 1""",
                """{state="requeued",type="IMAGE_SCAN"} 1""",
                """{state="running",type="IMAGE_SCAN"} 1""",
            ],
            scrape.NonZero("harbor_scan_live_tasks"));
        Assert.Equal(
            [
                """{kind="execution_final_with_open_task",type="IMAGE_SCAN"} 1""",
                """{kind="execution_not_refreshed",type="IMAGE_SCAN"} 1""",
                """{kind="execution_without_tasks",type="SCAN_ALL"} 1""",
                """{kind="final_status_wrong_code",type="SCAN_ALL"} 6""",
                """{kind="orphan_report",type="IMAGE_SCAN"} 1""",
                """{kind="sweep_blocked",type="IMAGE_SCAN"} 1""",
                """{kind="sweep_blocked",type="SCAN_ALL"} 1""",
            ],
            scrape.NonZero("harbor_scan_inconsistencies"));
        Assert.Equal(7, scrape.Value("harbor_scan_blocked_artifacts"));
        Assert.Equal(1, scrape.Value("harbor_scan_all_blocked"));
        Assert.Equal(5, scrape.Value("harbor_scan_leaked_robots"));
        Assert.Equal(1, scrape.Value("harbor_scan_read_only"));
        Assert.Equal(["""{queue="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_queue_paused"));
        Assert.Equal(["""{type="IMAGE_SCAN"} 3""", """{type="SCAN_ALL"} 1"""], scrape.NonZero("harbor_scan_sweepable_executions"));
        Assert.True(scrape.Value("harbor_scan_scrapes_coalesced_total") > 0);
        Assert.Equal(["""{state="alive"} 1""", """{state="dead"} 1"""], scrape.NonZero("harbor_scan_jobservice_pools"));
        Assert.Equal(["""{state="busy"} 3""", """{state="idle"} 7"""], scrape.NonZero("harbor_scan_jobservice_workers"));
        Assert.Equal((1, 1, 1, 1), (scrape.Value("harbor_scan_jobservice_up"), scrape.Value("harbor_scan_ghost_workers"),
            scrape.Value("harbor_scan_orphan_hooks"), scrape.Value("harbor_scan_queue_length", ("queue", "IMAGE_SCAN"))));
        Assert.Equal(["""{action="finish_task"} 16""", """{action="refresh_execution"} 1"""], scrape.NonZero("harbor_scan_remediation_repairs_total"));
        Assert.Equal(
            ["""{action="finish_task",reason="lost_race"} 2""", """{action="stop_job",reason="api_denied"} 1"""],
            scrape.NonZero("harbor_scan_remediation_repair_failures_total"));
        Assert.Equal((3, 1, 1, 1, 1), (
            scrape.Value("harbor_scan_remediation_reverted_total"), scrape.Value("harbor_scan_remediation_promoted_total"),
            scrape.Value("harbor_scan_remediation_undone_total"), scrape.Value("harbor_scan_remediation_open_intents"),
            scrape.Value("harbor_scan_remediation_breaker_open")));
    }

    [Fact]
    public async Task A_verdict_of_rows_alone_is_there_with_0()
    {
        var scrape = await ScrapeAsync(DashboardTarget.Faulty());
        Assert.Equal(9, scrape.Series.Keys.Count(series => series.Contains("verdict=\"overdue\"", StringComparison.Ordinal)
            && series.StartsWith("harbor_scan_stuck_tasks{", StringComparison.Ordinal)));
        Assert.Equal(0, scrape.Sum("harbor_scan_stuck_tasks", ("verdict", "overdue")));
    }

    private static async Task<MetricsDocument> ScrapeAsync(DashboardTarget target)
    {
        await using var running = target;
        using var http = new HttpClient();
        return new MetricsDocument(await http.GetStringAsync(await target.StartAsync()));
    }
}
