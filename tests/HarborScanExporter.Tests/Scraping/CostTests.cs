using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Scraping;

/// <summary>What a scrape reads, as the server counts it.</summary>
public sealed class CostTests
{
    [Fact]
    public async Task A_scrape_reads_task_and_execution_once_each_and_sorts_nothing_on_disk()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("""
            insert into execution (vendor_type, vendor_id, status, trigger, extra_attrs, start_time, update_time, revision)
            select 'IMAGE_SCAN', g, case when g > 99800 then 'Running' else 'Success' end, 'MANUAL', '{}', now() at time zone 'utc', now() at time zone 'utc', 1
            from generate_series(1, 100000) g;
            insert into task (execution_id, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, update_time, vendor_type)
            select g, md5(g::text), case when g > 99800 then 'Running' else 'Success' end, case when g > 99800 then 2 else 3 end, 1789992000, 1, '{"report_uuids":["u"]}',
                   now() at time zone 'utc' - interval '1 hour', now() at time zone 'utc' - interval '1 hour', 'IMAGE_SCAN'
            from generate_series(1, 100000) g;
            analyze;
            """);
        await harbor.CountsArePublishedAsync();
        var before = await ReadsAsync(harbor);
        await using (var exporter = await RunningExporter.StartAsync(harbor))
        {
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal(1, scrape.Value("harbor_scan_up"));
            Assert.Equal(200, scrape.Value("harbor_scan_live_tasks", ("type", "IMAGE_SCAN"), ("state", "running")));
        }
        await harbor.CountsArePublishedAsync(harbor.Role);
        var after = await ReadsAsync(harbor);
        Assert.Equal((1, 1), (after.Task - before.Task, after.Execution - before.Execution));
        Assert.Equal(0, after.TemporaryFiles - before.TemporaryFiles);
    }

    private static async Task<(long Task, long Execution, long TemporaryFiles)> ReadsAsync(TestHarbor harbor) =>
    (
        await harbor.Database.ScalarAsync<long>("select seq_scan from pg_stat_user_tables where relname = 'task'"),
        await harbor.Database.ScalarAsync<long>("select seq_scan from pg_stat_user_tables where relname = 'execution'"),
        await harbor.Database.ScalarAsync<long>("select temp_files from pg_stat_database where datname = current_database()")
    );
}
