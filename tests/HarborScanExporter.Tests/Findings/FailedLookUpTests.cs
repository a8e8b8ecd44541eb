using System.Net;
using System.Text.Json;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Cli.Repair;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Cli;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Findings;

/// <summary>What could not be looked up is told; it is never "nothing found".</summary>
public sealed class FailedLookUpTests
{
    private const string Why = "Whose artifacts the stuck scans block could not be looked up (permission): 42501: permission denied for table artifact. ";

    [Theory]
    [InlineData(CheckOutput.Table)]
    [InlineData(CheckOutput.Json)]
    internal async Task Check_ends_with_2_where_a_project_is_asked_for_and_with_1_where_none_is(CheckOutput form)
    {
        await using var harbor = await BlindAsync();
        var settings = harbor.Harbor.Environment((Setting.Names.RedisUrl, harbor.Redis.Url));

        var asked = await CommandRun.CheckAsync(settings, new CheckOptions { Output = form, Quick = true, Filter = FindingsFilter.Of(null, null, ["library"]) });
        var all = await CommandRun.CheckAsync(settings, new CheckOptions { Output = form, Quick = true });

        Assert.Equal((CheckCommand.CouldNotLook, CheckCommand.Found), (asked.Exit, all.Exit));
        Assert.Contains($"Could not look: {Why}", asked.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("none fits the filter", asked.Output, StringComparison.Ordinal);
        Assert.Contains("permission denied for table artifact", all.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_API_says_that_it_could_not_look()
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        await OverdueAsync(repairs.Seed);
        await RevokeAsync(repairs.Harbor);

        foreach (var (path, member) in new[] { ("/api/v1/findings?project=library", "detail"), ("/api/v1/plan?project=library", "problem") })
        {
            var (status, body) = await repairs.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.StartsWith(Why, body.GetProperty(member).GetString(), StringComparison.Ordinal);
        }
        var (ran, run) = await repairs.PostAsync("/api/v1/repairs", """{"mode":"execute","filter":{"project":"library"}}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "failed"), (ran, run.GetProperty("end").GetString()));
        Assert.StartsWith(Why, run.GetProperty("problem").GetString(), StringComparison.Ordinal);
        foreach (var path in new[] { "/api/v1/findings", "/api/v1/plan" })
        {
            var (status, body) = await repairs.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.StartsWith(Why, Assert.Single(body.GetProperty("incomplete").EnumerateArray()).GetString(), StringComparison.Ordinal);
        }
        var page = await repairs.Operated.GetAsync("/status?project=library");
        Assert.Contains("could not be looked up (permission)", page, StringComparison.Ordinal);
        Assert.DoesNotContain("fits the filter", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_names_the_parts_that_failed()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        await operated.Harbor.Database.ExecuteAsync($"revoke select on robot from {operated.Harbor.Role}; revoke select (id, project_id, description, creation_time, visible, expiresat) on robot from {operated.Harbor.Role}");
        using var answer = JsonDocument.Parse(await operated.GetAsync("/api/v1/findings"));
        Assert.Equal(0, answer.RootElement.GetProperty("total").GetInt32());
        Assert.StartsWith("A part of this look failed (permission): robots. ", Assert.Single(answer.RootElement.GetProperty("incomplete").EnumerateArray()).GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repair_ends_with_2_where_a_project_is_asked_for()
    {
        await using var harbor = await BlindAsync();
        var settings = harbor.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, harbor.Redis.Url));
        var run = await CommandRun.RepairAsync(settings, new RepairOptions { Quick = true, Filter = FindingsFilter.Of(null, null, ["library"]) });
        Assert.Equal((RepairCommand.CouldNot, ""), (run.Exit, run.Output));
        Assert.Contains($"Could not look: {Why}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_stuck_scans_than_are_looked_up_are_told()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.Seed.TaskAsync(await harbor.Seed.ExecutionAsync(started: TimeSpan.FromDays(3)), created: TimeSpan.FromDays(3), jobId: "", copies: 5_001);
        await harbor.SeeTwiceAsync();
        var report = await harbor.LookAsync();
        Assert.Equal(["Whose artifacts are blocked was looked up for the oldest 5,000 of 5,001 stuck scans only."], report.Incomplete);
    }

    [Theory]
    [InlineData("repair")]
    [InlineData("scrape")]
    public async Task An_audit_that_only_one_of_the_roles_may_read_is_no_empty_one(string blind)
    {
        await using var harbor = await RepairingHarbor.StartAsync(
            act: (_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)), changes: (Setting.Names.RemediationRescan, "on"));
        await harbor.Seed.ExecuteAsync($"revoke select on harbor_scan.repair from {(blind == "scrape" ? harbor.Harbor.Role : harbor.Harbor.RepairRole)}");
        var error = await Assert.ThrowsAsync<AuditException>(harbor.PlanAsync);
        Assert.Equal("The audit of repairs cannot be used: 42501: permission denied for table repair. Run the SQL of deploy/sql/03-remediation-role.sql; the exporter never makes it by itself.", error.Message);
        var run = await harbor.RunAsync();
        Assert.Equal((RunEnd.Failed, error.Message), (run.End, run.Problem));
    }

    [Fact]
    public async Task While_repairs_are_off_a_missing_audit_is_an_empty_one()
    {
        await using var harbor = await RepairingHarbor.StartAsync(limits: limits => limits with { Mode = RemediationMode.Off, Rescan = true, Robots = true });
        await harbor.Seed.ExecuteAsync("drop schema harbor_scan cascade");
        Assert.Equal(["off"], (await harbor.PlanAsync()).Blocks.Select(block => block.Reason).Where(reason => reason == "off"));
    }

    private static async Task<RepairingHarbor> BlindAsync()
    {
        var harbor = await RepairingHarbor.StartAsync();
        await OverdueAsync(harbor.Seed);
        await RevokeAsync(harbor.Harbor);
        return harbor;
    }

    /// <summary>A scan that one look proves to be stuck: its record is final for long, and acknowledged.</summary>
    private static async Task OverdueAsync(Seed seed) =>
        await seed.TaskAsync(await seed.ExecutionAsync(started: TimeSpan.FromDays(3)), created: TimeSpan.FromDays(3), jobId: "",
            extraAttributes: """{"artifact_id":7,"report_uuids":["u1"],"robot_id":1}""");

    private static async Task RevokeAsync(TestHarbor harbor)
    {
        await new Seed(harbor).ReportAsync("u1", "sha256:aaa", stored: true);
        await harbor.Database.ExecuteAsync($"revoke select on artifact from {harbor.Role}; revoke select (id, project_id, repository_name, digest) on artifact from {harbor.Role}");
    }
}
