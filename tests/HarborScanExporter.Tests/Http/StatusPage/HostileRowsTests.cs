using System.Net;
using System.Text.Json;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Cli.Repair;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Http.StatusPage;

/// <summary>Rows and keys whose text would move a terminal's cursor, ring it, forge a line, or turn what follows round.</summary>
public sealed class HostileRowsTests
{
    /// <summary>An escape sequence, a link, BEL, a line of its own, C1, DEL, and bidirectional marks.</summary>
    private const string Hostile = "a\u001b[2J\u001b]8;;http://evil\u0007b\r\ncritical  forged\u009b31m\u007f\u202e\u2066\u061c\u200fz";

    private static readonly string Sql = $"U&'{string.Concat(Hostile.Select(character => $"\\{(int)character:x4}"))}'";

    [Fact]
    public async Task Nothing_of_them_reaches_a_terminal_a_log_or_a_page_as_it_is()
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        var seed = repairs.Seed;
        await seed.ExecuteAsync($"""
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            values (1, 1, 'library/' || {Sql}, 'sha256:' || {Sql}, 'IMAGE', 1, 'm', 'm', 'a');
            insert into scan_report (uuid, digest, registration_uuid, mime_type, report) values ('u1', 'sha256:' || {Sql}, 's', 'm', null);
            """);
        var age = TimeSpan.FromHours(30);
        var task = await seed.TaskAsync(await seed.ExecutionAsync(started: age), created: age, jobId: "x", extraAttributes: """{"artifact_id":1,"report_uuids":["u1"]}""");
        await seed.ExecuteAsync($"update task set job_id = left({Sql}, 60) where id = {task}");
        await seed.ExecuteAsync($"""
            insert into harbor_scan.repair (at, run, source, actor, note, action, state, verdict, evidence, task_id, execution_id, revision, before, ended_at, checks, status)
            values (clock_timestamp(), 'seeded', 'api', {Sql}, {Sql}, 'finish_task', 'done', {Sql}, '[]', {task}, 1, 0, json_build_object(), clock_timestamp(), 2, left({Sql}, 30))
            """);
        var environment = repairs.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, repairs.Redis.Url), (Setting.Names.Remediation, "dry-run"));
        // On rows alone one look is enough to call it lost.
        var alone = repairs.Harbor.Environment();
        List<string> routes = [];
        foreach (var run in new[]
        {
            await CommandRun.CheckAsync(alone), await CommandRun.CheckAsync(alone, new CheckOptions { All = true }, width: 600),
            await CommandRun.CheckAsync(alone, new CheckOptions { Output = CheckOutput.Prometheus }), await CommandRun.RepairAsync(environment, new RepairOptions()),
            await CommandRun.DoctorAsync(environment),
        })
            routes.Add(run.All);
        var json = (await CommandRun.CheckAsync(alone, new CheckOptions { Output = CheckOutput.Json })).Output;
        routes.Add(json);
        routes.Add((await CommandRun.RepairAsync(environment, new RepairOptions { Output = RepairOutput.Json })).Output);
        routes.Add((await CommandRun.DoctorAsync(environment, DoctorOutput.Json)).Output);
        var page = await repairs.Operated.GetAsync("/status");
        routes.Add(WebUtility.HtmlDecode(page));
        routes.Add(await repairs.Operated.GetAsync("/api/v1/findings"));
        routes.Add(await repairs.Operated.GetAsync("/api/v1/repairs"));
        foreach (var text in routes)
        {
            Assert.DoesNotContain(text, character => character != '\n' && (char.IsControl(character) || "\u202e\u2066\u061c\u200f".Contains(character, StringComparison.Ordinal)));
            Assert.DoesNotContain(text.Split('\n'), line => line.StartsWith("critical  forged", StringComparison.Ordinal));
        }
        // It is shown, in escapes, and programs get it as it is.
        foreach (var part in new[] { @"a\u001B[2J\u001B]8;;http://evil\u0007b\u000D\u000Acritical", @"forged\u009B31m\u007F\u202E\u2066\u061C\u200Fz" })
            Assert.True(routes[1].Contains(part, StringComparison.Ordinal), routes[1]);
        Assert.Contains(@"a\u001B[2J", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json);
        Assert.Contains(document.RootElement.GetProperty("findings").EnumerateArray(), finding =>
            finding.GetProperty("blocked").GetProperty("artifacts").EnumerateArray().Any(artifact => artifact.GetProperty("repository").GetString() == "library/" + Hostile));
    }

    [Fact]
    public async Task What_is_no_id_of_a_job_stands_in_no_command_to_copy()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        var seed = new Seed(harbor);
        var age = TimeSpan.FromHours(30);
        foreach (var job in new[] { "all", "../../robots/1", "D318C1B17DFF242A33F02544", "d318c1b17dff242a33f02544 ; reboot" })
            await seed.TaskAsync(await seed.ExecutionAsync(started: age), created: age, jobId: job);
        var run = await CommandRun.CheckAsync(harbor.Environment(("HARBOR_REDIS_URL", redis.Url)), new CheckOptions { All = true }, width: 400, time: new Microsoft.Extensions.Time.Testing.FakeTimeProvider());
        Assert.Contains("task 4", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("jobservice/jobs/", run.Output, StringComparison.Ordinal);
        Assert.Contains("what the row names is no id of a job", run.Output, StringComparison.Ordinal);
    }
}
