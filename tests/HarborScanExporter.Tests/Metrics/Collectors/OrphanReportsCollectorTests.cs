using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Metrics.Collectors;

/// <summary>A report is an orphan when no task names it, however the attributes are written.</summary>
public sealed class OrphanReportsCollectorTests
{
    [Theory]
    [InlineData("""{"report_uuids":["u"],"robot_id":1}""", 0)]
    [InlineData("""{ "report_uuids" : [ "t" , "u" ] }""", 0)]
    [InlineData("""{"report_uuids":["t"],"other":["u"]}""", 1)]
    [InlineData("""{"report_uuids":null,"other":["t","u"]}""", 1)]
    [InlineData("""{"report_uuids":[],"other":"u"}""", 1)]
    [InlineData("""["u"]""", 1)]
    public async Task Only_the_uuids_of_the_list_are_named(string attributes, int orphans)
    {
        await using var harbor = await TestHarbor.CreateAsync("2.11.0");
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(), status: "Success", extraAttributes: attributes);
        await seed.ExecuteAsync("insert into scan_report (uuid, digest, registration_uuid, mime_type) values ('u', 'sha256:d', 'r', 'm')");
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_ENABLED", "orphan_reports"));

        Assert.Equal(orphans, (await exporter.ScrapeAsync()).Value("harbor_scan_inconsistencies", ("type", "IMAGE_SCAN"), ("kind", "orphan_report")));
    }
}
