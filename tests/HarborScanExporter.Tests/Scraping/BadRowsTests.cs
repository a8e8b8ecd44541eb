using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Scraping;

/// <summary>One bad row never fails a scrape. The rows are in a 2.7 database, whose indexes accept what later ones refuse.</summary>
public sealed class BadRowsTests
{
    private static readonly TimeSpan Old = TimeSpan.FromDays(3);

    [Theory]
    [InlineData("null")]
    [InlineData(ZeroTime)]
    [InlineData("'infinity'::timestamp")]
    [InlineData("'-infinity'::timestamp")]
    [InlineData("'294276-12-31'::timestamp")]
    [InlineData("'4713-01-01 BC'::timestamp")]
    [InlineData("now() at time zone 'utc' + interval '3 hours'")]
    public async Task Any_time_in_any_column(string time)
    {
        await using var harbor = await TestHarbor.CreateAsync("2.7.0");
        var seed = new Seed(harbor);
        foreach (var type in new[] { "IMAGE_SCAN", "SCAN_ALL" })
        {
            foreach (var status in new[] { "Pending", "Running", "Success" })
            {
                var execution = await seed.ExecutionAsync(type, status == "Pending" ? "Success" : "Running", Old, update: time, end: time);
                await seed.ExecuteAsync($"update execution set start_time = {time} where id = {execution}");
                await seed.TaskAsync(execution, type, status, creation: time, start: time, update: time, end: time);
            }
            await seed.ExecutionAsync(type, "Running", Old, update: time);
        }
        await seed.ExecuteAsync($"update robot set creation_time = {time}");
        await seed.RobotAsync(Old);
        await seed.ExecuteAsync($"update robot set creation_time = {time}");
        var scrape = await WholeAsync(harbor);
        Assert.All(scrape.Series, series => Assert.True(double.IsFinite(series.Value), series.Key));
        Assert.All(scrape.Series.Where(series => series.Key.Contains("age_seconds", StringComparison.Ordinal)), series => Assert.InRange(series.Value, 0, 1e10));
        Assert.Equal(4, scrape.Sum("harbor_scan_live_tasks") + scrape.Sum("harbor_scan_stuck_tasks"));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("'{}'")]
    [InlineData("'[]'")]
    [InlineData("'7'")]
    [InlineData("""'"text"'""")]
    [InlineData("""'{"report_uuids":"u","artifact_id":"x","robot_id":"y"}'""")]
    [InlineData("""'{"report_uuids":["\u0000"],"robot_id":1e99}'""")]
    [InlineData("""'{"report_uuids":["\ud800"]}'""")]
    [InlineData("""'{"report_uuids":[null,1,{}]}'""")]
    public async Task Any_attributes_in_a_row_in_doubt(string attributes)
    {
        await using var harbor = await TestHarbor.CreateAsync("2.7.0");
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: Old);
        await seed.TaskAsync(execution, created: Old);
        await seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(Old), runCount: 1, created: Old, update: Ago(Old));
        await seed.ExecutionAsync("SCAN_ALL", "Running", Old, vendorId: 0);
        await seed.ExecuteAsync($"update task set extra_attrs = {attributes}; update execution set extra_attrs = {attributes}");
        await seed.RobotAsync(Old);
        var scrape = await WholeAsync(harbor);
        Assert.Equal(
            ["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1""", """{status="Running",type="IMAGE_SCAN",verdict="overdue"} 1"""],
            scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(1, scrape.Value("harbor_scan_leaked_robots"));
    }

    [Fact]
    public async Task Unknown_status_words_are_other()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.7.0");
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(status: "Succeed", started: Old);
        await seed.ExecutionAsync(status: null, started: Old);
        await seed.ExecutionAsync(status: "", started: Old);
        await seed.TaskAsync(execution, status: "Succeed");
        await seed.TaskAsync(execution, status: "", code: 0);
        await seed.TaskAsync(execution, status: "running", code: 2);
        var scrape = await WholeAsync(harbor);
        Assert.Equal(["""{status="other",type="IMAGE_SCAN"} 3"""], scrape.NonZero("harbor_scan_tasks"));
        Assert.Equal(["""{status="other",type="IMAGE_SCAN"} 3"""], scrape.NonZero("harbor_scan_executions"));
        Assert.Empty(scrape.NonZero("harbor_scan_inconsistencies"));
    }

    [Fact]
    public async Task Empty_columns_and_a_revision_beyond_32_bits()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.16.0");
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync(started: Old);
        await seed.TaskAsync(execution, revision: "4102444800", runCount: 1, created: Old);
        await seed.TaskAsync(execution, created: Old, revision: "null");
        await seed.ExecuteAsync("update task set job_id = null, run_count = null where status_revision is null; update execution set revision = null, extra_attrs = null");
        var scrape = await WholeAsync(harbor);
        Assert.Equal(["""{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1"""], scrape.NonZero("harbor_scan_stuck_tasks"));
        Assert.Equal(["""{state="queued",type="IMAGE_SCAN"} 1"""], scrape.NonZero("harbor_scan_live_tasks"));
    }

    private static async Task<MetricsDocument> WholeAsync(TestHarbor harbor)
    {
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_ENABLED", "sweepable,orphan_reports"));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal("", string.Join(Environment.NewLine, exporter.Warnings));
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        return scrape;
    }
}
