using System.Text.Json;
using HarborScanExporter.Findings;
using HarborScanExporter.Http;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.JobService;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Findings;

/// <summary>The findings of a real Harbor: in which order, whom they block, and what is said when nobody could look.</summary>
public sealed class FindingsReaderTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task The_most_urgent_come_first_then_the_system_then_tasks_and_the_oldest_of_them()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Jobs.PauseAsync();
        // The tasks name the first.
        await situation.Seed.RobotAsync(48 * Hour);
        await situation.Seed.RobotAsync(48 * Hour);
        await situation.Jobs.InProgressAsync("ghost", 30 * Hour);
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(status: "Error", started: 30 * Hour, end: Ago(5 * Hour)), status: "Error", created: 30 * Hour, update: Ago(5 * Hour), end: Ago(5 * Hour), jobId: "ghost");
        var execution = await situation.Seed.ExecutionAsync(started: 40 * Hour);
        long[] lost = [0, 0, 0, 0];
        foreach (var (i, age) in new[] { 9, 40, 12, 30 }.Index()) lost[i] = await situation.Seed.TaskAsync(execution, created: age * Hour, jobId: $"lost{i}");
        var empty = await situation.Seed.ExecutionAsync("SCAN_ALL", "Running", 20 * Hour, "SCHEDULE", 0);
        await situation.FirstLookAsync();
        Assert.Equal(
            [
                $"task-{lost[1]}", $"task-{lost[3]}", "system-ghosts", $"task-{lost[2]}", $"task-{lost[0]}", $"execution-{empty}", "system-paused", "system-robots",
            ],
            (await ReadAsync(situation.Exporter)).Findings.Select(finding => finding.Id));
    }

    [Fact]
    public async Task Whoever_holds_the_digest_is_named_and_can_be_asked_for()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.ExecuteAsync("""
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            values (7, 1, 'library/app', 'sha256:aaa', 'IMAGE', 1, 'm', 'm', 'a'), (8, 2, 'team/deep/app', 'sha256:aaa', 'IMAGE', 2, 'm', 'm', 'a'), (9, 2, 'team/other', 'sha256:bbb', 'IMAGE', 3, 'm', 'm', 'a');
            insert into project_metadata (project_id, name, value) values (2, 'prevent_vul', 'true'), (1, 'prevent_vul', 'false');
            """);
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 9 * Hour), created: 9 * Hour, extraAttributes: """{"artifact_id":7,"report_uuids":["u1"],"robot_id":1}""");
        await situation.Seed.ReportAsync("u1", "sha256:aaa", stored: false);
        await situation.FirstLookAsync();
        var report = await ReadAsync(situation.Exporter);
        var blocked = Assert.Single(report.Findings).Blocked;
        Assert.Equal([new BlockedArtifact("library", "library/app", "sha256:aaa", false), new BlockedArtifact("team", "team/deep/app", "sha256:aaa", true)], blocked.Artifacts);
        Assert.Equal("Harbor refuses to scan sha256:aaa again, in every repository that holds it: library/app, team/deep/app. Pulls are refused in team, which prevents vulnerable images.", blocked.Text);
        Assert.Single(FindingsFilter.Of(null, null, ["team"]).Of(report));
        Assert.Empty(FindingsFilter.Of(null, null, ["deep"]).Of(report));
        await situation.Seed.ExecuteAsync($"revoke select on project_metadata from {situation.Harbor.Role}; revoke select (project_id, name, value) on project_metadata from {situation.Harbor.Role}");
        Assert.Null(Assert.Single((await ReadAsync(situation.Exporter)).Findings).Blocked.Pulls);
    }

    [Fact]
    public async Task Of_a_stuck_SBOM_only_the_repository_of_its_artifact_is_named()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.ExecuteAsync("""
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            values (7, 1, 'library/app', 'sha256:aaa', 'IMAGE', 1, 'm', 'm', 'a'), (8, 2, 'team/deep/app', 'sha256:aaa', 'IMAGE', 2, 'm', 'm', 'a');
            insert into project_metadata (project_id, name, value) values (1, 'prevent_vul', 'true'), (2, 'prevent_vul', 'true');
            insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type, report) values ('s1', 8, 'scanner', 'm', 'application/spdx+json', null);
            """);
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync("SBOM", started: 9 * Hour, vendorId: 8), "SBOM", created: 9 * Hour,
            extraAttributes: """{"artifact_id":8,"report_uuids":["s1"],"robot_id":1}""");
        await situation.FirstLookAsync();
        var report = await ReadAsync(situation.Exporter);
        var blocked = Assert.Single(report.Findings).Blocked;
        Assert.Equal([new BlockedArtifact("team", "team/deep/app", "sha256:aaa", true)], blocked.Artifacts);
        Assert.Equal("Harbor refuses to generate the SBOM of sha256:aaa in team/deep/app again. Vulnerability scans of it, SBOMs in other repositories and pulls are not refused.", blocked.Text);
        Assert.Empty(FindingsFilter.Of(null, null, ["library"]).Of(report));
        Assert.Equal(0, FindingsDocument.SummaryPart.Of(report).BlockedArtifacts);
    }

    [Fact]
    public async Task Without_a_database_the_state_is_unknown_and_says_what_to_mend()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.DatabasePort, $"{Tool.FreePort()}"));
        var report = await ReadAsync(exporter);
        Assert.Equal(ScanningLevel.Unknown, report.State.Level);
        Assert.StartsWith("Harbor's database could not be read (connect). ", report.Problem, StringComparison.Ordinal);
        Assert.Empty(report.Findings);
        Assert.False(report.NeedsSecondLook);
        using var document = JsonDocument.Parse(FindingsDocument.Of(report, report.Findings, 1, 50).ToJson());
        Assert.Equal("unknown", document.RootElement.GetProperty("state").GetProperty("level").GetString());
        Assert.Equal("unknown", document.RootElement.GetProperty("job_service").GetProperty("evidence").GetString());
        Assert.False(document.RootElement.TryGetProperty("generated_at", out _));
    }

    [Fact]
    public async Task A_collector_that_is_switched_off_takes_its_metrics_away_and_nothing_else()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        var execution = await seed.ExecutionAsync("SCAN_ALL", started: 30 * Hour);
        var lost = await seed.TaskAsync(execution, "SCAN_ALL", created: 30 * Hour);
        // The task names the first.
        await seed.RobotAsync(48 * Hour);
        await seed.RobotAsync(48 * Hour);
        var off = string.Join(',', CollectorNames.All);
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_DISABLED", off));
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(1, scrape.Value("harbor_scan_up"));
        Assert.DoesNotContain("harbor_scan_stuck_tasks", scrape.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("harbor_scan_collector_success", scrape.Text, StringComparison.Ordinal);
        var report = await ReadAsync(exporter);
        Assert.Null(report.Problem);
        Assert.Equal(["system-scan-all", $"task-{lost}", "system-robots"], report.Findings.Select(finding => finding.Id));
        using var document = JsonDocument.Parse(FindingsDocument.Of(report, report.Findings, 1, 50).ToJson());
        Assert.Equal(1, document.RootElement.GetProperty("summary").GetProperty("stuck_tasks").GetProperty("SCAN_ALL").GetProperty("lost").GetInt32());
        Assert.Equal(1, document.RootElement.GetProperty("scan_all").GetProperty("total").GetInt64());
    }

    [Fact]
    public async Task The_document_has_pages_and_tells_its_words_in_lower_case()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(started: 9 * Hour), created: 9 * Hour, jobId: "", copies: 7);
        await situation.FirstLookAsync();
        var report = await ReadAsync(situation.Exporter);
        int OnPage(int page) => FindingsDocument.Of(report, report.Findings, page, 3).Findings.Count;
        Assert.Equal([3, 3, 1, 0, 0], new[] { 1, 2, 3, 4, int.MaxValue }.Select(OnPage));
        using var document = JsonDocument.Parse(FindingsDocument.Of(report, report.Findings, 1, 3).ToJson());
        Assert.Equal(7, document.RootElement.GetProperty("total").GetInt32());
        var first = document.RootElement.GetProperty("findings")[0];
        Assert.Equal(("task", "lost", "warning", "IMAGE_SCAN", "Pending"), (first.GetProperty("kind").GetString(), first.GetProperty("verdict").GetString(), first.GetProperty("severity").GetString(), first.GetProperty("type").GetString(), first.GetProperty("status").GetString()));
        Assert.False(first.TryGetProperty("job_id", out _));
        Assert.False(first.GetProperty("healing").GetProperty("by_itself").GetBoolean());
        Assert.InRange(first.GetProperty("age_seconds").GetDouble(), 9 * 3600, 9 * 3600 + 60);
        Assert.Equal("usable", document.RootElement.GetProperty("job_service").GetProperty("evidence").GetString());
    }

    private static Task<FindingsReport> ReadAsync(RunningExporter exporter) =>
        exporter.Services.GetRequiredService<FindingsReader>().ReadAsync(TestContext.Current.CancellationToken);
}
