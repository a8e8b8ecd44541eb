using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Remediation.Verification;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.JobService;

/// <summary>
/// A Harbor that keeps the report row and its uuid through a rescan: the result of the scan before stays readable while the new one waits. It proves nothing of
/// the new one.
/// </summary>
public sealed class KeptReportTests
{
    private const string Digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly string Lost = """{status="Pending",type="IMAGE_SCAN",verdict="lost"} 1""";
    private static readonly string Unreported = """{status="Pending",type="IMAGE_SCAN",verdict="unreported"} 1""";

    /// <summary>Large, and not to be packed small: the digits of hashes.</summary>
    private const string Large = """(select '"' || string_agg(md5(i::text), '') || '"' from generate_series(1, 20000) i)""";

    public static TheoryData<string, string, string> Reports => new()
    {
        { "of the scan before", MadeAgo(3 * Hour), "lost" },
        { "of the scan before, that ended a minute before this one was asked for", MadeAgo(2 * Hour + Minute), "lost" },
        { "that says no time", """'{"severity":"High"}'""", "lost" },
        { "of the scan before, with its vulnerabilities in it", MadeAgo(3 * Hour, Large), "lost" },
        { "of this scan", MadeAgo(Hour), "unreported" },
        { "of this scan, with its vulnerabilities in it", MadeAgo(Hour, Large), "unreported" },
        { "that is empty", "null", "lost" },
    };

    [Theory]
    [MemberData(nameof(Reports))]
    public async Task A_report_that_two_scans_name_proves_only_the_one_that_it_was_made_for(string which, string report, string verdict)
    {
        await using var harbor = await TestHarbor.CreateAsync("2.15.0");
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        var seed = new Seed(harbor);
        await ScannedBeforeAsync(seed);
        await seed.TaskAsync(await seed.ExecutionAsync(started: 2 * Hour), created: 2 * Hour, extraAttributes: Naming("kept"), jobId: "again");
        await seed.ReportAsync("kept", Digest, report);

        Assert.True((verdict == "lost" ? Lost : Unreported) == await VerdictAsync(harbor, redis), $"A report {which} is not {verdict}.");
    }

    [Fact]
    public async Task A_report_of_one_scan_alone_needs_to_say_no_time_but_none_long_before_it()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.15.0");
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        var seed = new Seed(harbor);
        await seed.TaskAsync(await seed.ExecutionAsync(started: 2 * Hour), created: 2 * Hour, extraAttributes: Naming("own"), jobId: "again");
        foreach (var (report, verdict) in new[] { ("""'{"severity":"High"}'""", Unreported), (MadeAgo(2 * Hour + 4 * Minute), Unreported), (MadeAgo(2 * Hour + 6 * Minute), Lost) })
        {
            await seed.ExecuteAsync("delete from scan_report");
            await seed.ReportAsync("own", Digest, report);
            Assert.Equal(verdict, await VerdictAsync(harbor, redis));
        }
    }

    [Fact]
    public async Task Where_Harbor_has_no_index_of_what_tasks_name_nothing_more_is_asked()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.7.0");
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        var seed = new Seed(harbor);
        // Such a row makes every expression on its JSON fail.
        await seed.TaskAsync(await seed.ExecutionAsync(started: 9 * Hour, status: "Success"), status: "Success", created: 9 * Hour, extraAttributes: """{"artifact_tag":"\u0000"}""", jobId: "");
        await seed.TaskAsync(await seed.ExecutionAsync(started: 2 * Hour), created: 2 * Hour, extraAttributes: Naming("own"), jobId: "again");
        await seed.ReportAsync("own", Digest, """'{"severity":"High"}'""");
        Assert.Equal(Unreported, await VerdictAsync(harbor, redis));
    }

    [Fact]
    public async Task An_SBOM_says_when_it_ended()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.15.0");
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        var seed = new Seed(harbor);
        foreach (var (uuid, age) in new[] { ("of before", 3 * Hour), ("of now", Hour) })
        {
            await seed.TaskAsync(await seed.ExecutionAsync("SBOM", started: 2 * Hour), "SBOM", created: 2 * Hour, extraAttributes: Naming(uuid), jobId: uuid);
            await seed.ExecuteAsync($$"""
                insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type, report)
                values ('{{uuid}}', 1, '{{uuid}}', 'm', 'application/spdx+json',
                        ('{"duration":"1s","end_time":"' || to_char({{Ago(age)}}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","sbom_digest":"{{Digest}}"}')::json)
                """);
        }
        Assert.Equal(
            """{status="Pending",type="SBOM",verdict="lost"} 1 {status="Pending",type="SBOM",verdict="unreported"} 1""", await VerdictAsync(harbor, redis));
    }

    [Fact]
    public async Task A_lost_rescan_becomes_Error_and_no_later_scan_makes_it_Success()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.15.0");
        await ScannedBeforeAsync(harbor.Seed);
        await harbor.Seed.ReportAsync("kept", Digest, MadeAgo(3 * Hour));
        var lost = await harbor.Seed.TaskAsync(await harbor.Seed.ExecutionAsync(started: 2 * Hour), created: 2 * Hour, extraAttributes: Naming("kept"), jobId: "again");
        await harbor.RepairAsync();
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(lost));
        await harbor.AgeAsync(2 * Minute);
        await harbor.VerifyAsync();
        Assert.Equal("finish_task done 1 held", await harbor.SeenAsync());

        // A person scans again, and that scan comes to its end.
        await harbor.Seed.TaskAsync(
            await harbor.Seed.ExecutionAsync(started: Hour / 2, status: "Success"), status: "Success", created: Hour / 2, extraAttributes: Naming("kept"), jobId: "third");
        await harbor.Seed.ExecuteAsync($"update scan_report set report = {MadeAgo(Hour / 3)}");
        await harbor.AgeAsync(70 * Minute);
        await harbor.VerifyAsync();
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(lost));
        Assert.Equal("finish_task done 2 held", await harbor.SeenAsync());
    }

    [Fact]
    public async Task A_finished_rescan_becomes_Success_and_one_that_ends_after_its_repair_does_too()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.15.0");
        await ScannedBeforeAsync(harbor.Seed);
        await harbor.Seed.ReportAsync("kept", Digest, MadeAgo(3 * Hour));
        var late = await harbor.Seed.TaskAsync(await harbor.Seed.ExecutionAsync(started: 2 * Hour), created: 2 * Hour, extraAttributes: Naming("kept"), jobId: "again");
        await harbor.RepairAsync();
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(late));
        await harbor.Seed.ExecuteAsync($"update scan_report set report = {MadeAgo(TimeSpan.Zero)}");
        await harbor.AgeAsync(2 * Minute);
        await harbor.VerifyAsync();
        Assert.Equal("Success 3 0 ended", await harbor.TaskAsync(late));
        var finished = await harbor.Seed.TaskAsync(await harbor.Seed.ExecutionAsync(started: Hour), created: Hour, extraAttributes: Naming("kept"), jobId: "third");
        await harbor.RepairAsync();
        Assert.StartsWith("Success 3 0", await harbor.TaskAsync(finished), StringComparison.Ordinal);
    }

    private static async Task ScannedBeforeAsync(Seed seed) => await seed.TaskAsync(
        await seed.ExecutionAsync(started: 4 * Hour, status: "Success"), status: "Success", created: 4 * Hour, update: Ago(3 * Hour), extraAttributes: Naming("kept"), jobId: "before");

    private static string Naming(string uuid) => $$"""{"artifact_id":1,"artifact_tag":"","report_uuids":["{{uuid}}"],"robot_id":1}""";

    /// <summary>What the second look calls stuck.</summary>
    private static async Task<string> VerdictAsync(TestHarbor harbor, RedisServer redis)
    {
        var time = new FakeTimeProvider();
        await using var exporter = await RunningExporter.StartAsync(harbor, time, ("HARBOR_REDIS_URL", redis.Url));
        await exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromSeconds(61));
        var scrape = await exporter.ScrapeAsync();
        Assert.Empty(exporter.Warnings);
        return string.Join(' ', scrape.NonZero("harbor_scan_stuck_tasks"));
    }
}
