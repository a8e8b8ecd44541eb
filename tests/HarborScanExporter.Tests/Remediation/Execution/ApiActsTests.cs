using HarborScanExporter.Diagnosis;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Hosting;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>Acts of Harbor's API, written ahead and ended by what it answers.</summary>
public sealed class ApiActsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_answer_has_its_state_and_its_failure()
    {
        (string State, string? Failure) Of(RepairAction action, ApiOutcome outcome) => ApiActs.Of(action, new ApiAnswer(outcome, null, null)) is var told ? (told.State, told.Failure) : default;
        RepairAction[] acts = [RepairAction.StopJob, RepairAction.DeleteRobot, RepairAction.Rescan];
        Assert.All(acts, act =>
        {
            Assert.Equal(("done", null), Of(act, ApiOutcome.Done));
            Assert.Equal(("failed", "api_denied"), Of(act, ApiOutcome.Denied));
            Assert.Equal(("failed", "api_refused"), Of(act, ApiOutcome.Refused));
            Assert.Equal(("failed", "api_refused"), Of(act, ApiOutcome.Unmet));
            Assert.Equal(("failed", "api_unreachable"), Of(act, ApiOutcome.Unreachable));
            Assert.Equal(("intended", null), Of(act, ApiOutcome.Failed));
            Assert.Equal(("intended", null), Of(act, ApiOutcome.Undecided));
        });
        Assert.Equal(("done", null), Of(RepairAction.DeleteRobot, ApiOutcome.Gone));
        Assert.Equal(("failed", "api_refused"), Of(RepairAction.StopJob, ApiOutcome.Gone));
        Assert.Equal(("failed", "api_refused"), Of(RepairAction.Rescan, ApiOutcome.Gone));
        Assert.Equal(("no_effect", null), Of(RepairAction.Rescan, ApiOutcome.Conflict));
        Assert.Equal(("failed", "api_refused"), Of(RepairAction.StopJob, ApiOutcome.Conflict));
    }

    [Theory]
    [InlineData("all")]
    [InlineData("")]
    [InlineData("D318C1B17DFF242A33F02544")]
    public async Task A_name_that_is_another_route_is_never_asked_for(string job)
    {
        await using var served = await ServedHarbor.StartAsync();
        var acts = new ApiActs(served.Client());
        Assert.Equal(new ActOutcome("failed", "other"), await acts.DoAsync(Planned(RepairAction.StopJob) with { JobId = job }, Token));
        Assert.Equal(new ActOutcome("failed", "other"), await acts.DoAsync(Planned(RepairAction.DeleteRobot) with { RobotId = 0 }, Token));
        Assert.Equal(new ActOutcome("failed", "other"), await acts.DoAsync(Planned(RepairAction.Rescan) with { Artifact = ("library/../x", "sha256:0", null) }, Token));
        Assert.Equal(new ActOutcome("failed", "other"), await acts.DoAsync(Planned(RepairAction.Rescan), Token));
        Assert.Empty(served.Api.Requests);
    }

    [Fact]
    public async Task A_lost_scan_is_stopped_by_Harbor_and_its_row_is_final()
    {
        await using var harbor = await ServedRepairs.StartAsync();
        var task = Assert.Single(await harbor.LoseAsync(1));
        await harbor.SeeTwiceAsync();
        Assert.Null((await harbor.Repairing.RunAsync()).Problem);
        Assert.Equal("stop_job done", await harbor.AuditAsync());
        Assert.Equal("Stopped 3 0 ended", await harbor.Repairing.TaskAsync(task));
        Assert.Equal("Stopped|3", await harbor.ScalarAsync<string>("select concat_ws('|', after -> 'task' ->> 'status', after -> 'task' ->> 'status_code') from harbor_scan.repair"));
    }

    [Fact]
    public async Task A_user_without_rights_is_told_apart_from_a_Harbor_that_is_away()
    {
        await using var harbor = await ServedRepairs.StartAsync(user: ServedHarbor.Guest);
        await harbor.LoseAsync(1);
        await harbor.SeeTwiceAsync();
        await harbor.Repairing.RunAsync();
        Assert.Equal("stop_job failed api_denied", await harbor.AuditAsync());
        await harbor.Api.DisposeAsync();
        await harbor.AgeAuditAsync(TimeSpan.FromHours(2));
        await harbor.Repairing.RunAsync();
        Assert.Equal("stop_job failed api_denied\nstop_job failed api_unreachable", await harbor.AuditAsync());
    }

    [Theory]
    [InlineData(true, "stop_job done", "Stopped 3 0 ended")]
    [InlineData(false, "stop_job failed interrupted\nstop_job done", "Stopped 3 0 ended")]
    public async Task An_answer_that_got_lost_leaves_the_intent_open_until_the_rows_tell(bool hasActed, string audit, string row)
    {
        await using var harbor = await ServedRepairs.StartAsync();
        var task = Assert.Single(await harbor.LoseAsync(1));
        await harbor.SeeTwiceAsync();
        harbor.Trouble = api => api.DropNext(1, afterActing: hasActed);
        await harbor.Repairing.RunAsync();
        Assert.Equal("stop_job intended", await harbor.AuditAsync());
        // Another run within two minutes waits for whoever asked.
        await harbor.Repairing.RunAsync();
        Assert.Equal("stop_job intended", await harbor.AuditAsync());
        await harbor.AgeAuditAsync(TimeSpan.FromHours(2));
        await harbor.CatchUpAsync();
        await harbor.Repairing.RunAsync();
        Assert.Equal(audit, await harbor.AuditAsync());
        Assert.Equal(row, await harbor.Repairing.TaskAsync(task));
    }

    [Fact]
    public async Task With_a_user_of_the_API_a_run_is_given_its_acts_and_without_one_none()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        foreach (var hasApi in (bool[])[true, false])
        {
            (string, string)[] api = hasApi ? [(Setting.Names.ServiceHost, "127.0.0.1"), (Setting.Names.ApiUsername, "repairer"), (Setting.Names.ApiPassword, "planted-api-password")] : [];
            var settings = SettingsReader.Read(harbor.RemediationEnvironment([("HARBOR_REDIS_URL", "redis://127.0.0.1:1/1"), .. api]), new Dictionary<string, string>()).Settings!;
            await using var pieces = new ServiceCollection().AddLogging().AddLooking(settings, TimeProvider.System).AddRepairing(settings).BuildServiceProvider();
            Assert.Equal(hasApi, pieces.GetService<Act>() is not null);
            Assert.NotNull(pieces.GetRequiredService<RepairRun>());
        }
    }

    private static PlannedRepair Planned(RepairAction action) => new() { Action = action, FindingId = "task-1", Verdict = "lost", Text = "", Evidence = [] };
}
