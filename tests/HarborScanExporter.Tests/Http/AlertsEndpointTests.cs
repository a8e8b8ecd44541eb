using System.Net;
using System.Text;
using System.Text.Json;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Triggers;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>POST of /api/v1/alerts, with bodies as Alertmanager sends them.</summary>
public sealed class AlertsEndpointTests
{
    private const string Path = "/api/v1/alerts";

    [Fact]
    public async Task A_firing_alert_is_answered_at_once_and_the_rows_are_repaired_by_the_look_that_it_wakes()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);
        var (status, answer) = await repairs.PostAsync(Path, Notification.Of("HarborScanLost", "HarborScanLost", "HarborScanAllBlocked", "Watchdog"));
        Assert.Equal((HttpStatusCode.Accepted, "accepted", "execute", 1), (status, Text(answer, "status"), Text(answer, "mode"), answer.GetProperty("known").GetProperty("stuck").GetInt32()));
        Assert.Equal(1, answer.GetProperty("known").GetProperty("findings").GetInt32());
        await RepairedAsync(repairs, task);
        Assert.Equal("alert HarborScanAllBlocked, HarborScanLost finish_task done", await repairs.AuditAsync());

        var state = repairs.Exporter.Services.GetRequiredService<RemediationState>();
        await Eventually.HoldsAsync(() => Task.FromResult(state.Newest is not null), TimeSpan.FromSeconds(20), () => "The run did not end.");
        (_, answer) = await repairs.PostAsync(Path, Notification.Of("HarborScanLost"));
        var last = answer.GetProperty("known").GetProperty("last_run");
        Assert.Equal(("clean", 1), (Text(last, "end"), last.GetProperty("repairs").GetInt32()));
    }

    [Fact]
    public async Task What_one_look_finds_for_the_first_time_a_second_look_repairs_though_no_other_delivery_comes()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        // Nothing has looked before: the exporter was just started.
        Assert.Equal("accepted", Text((await repairs.PostAsync(Path, Notification.Of("HarborScanLost"))).Body, "status"));
        await Eventually.HoldsAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(5));
                return await repairs.TaskAsync(task) == "Error 3";
            },
            TimeSpan.FromSeconds(30), () => "It was not repaired.");
    }

    [Fact]
    public async Task While_the_mode_is_dry_run_the_look_changes_nothing()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time, (Setting.Names.Remediation, "dry-run"));
        var task = await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);
        var (status, answer) = await repairs.PostAsync(Path, Notification.Of("HarborScanLost"));
        Assert.Equal((HttpStatusCode.Accepted, "accepted", "dry-run"), (status, Text(answer, "status"), Text(answer, "mode")));
        var state = repairs.Exporter.Services.GetRequiredService<RemediationState>();
        await Eventually.HoldsAsync(() => Task.FromResult(state.Newest is not null), TimeSpan.FromSeconds(20), () => "The run did not end.");
        Assert.Equal(("Pending 0", ""), (await repairs.TaskAsync(task), await repairs.AuditAsync()));
        Assert.True(state.Newest!.Result.DryRun);
        Assert.Equal(RepairAction.FinishTask, Assert.Single(state.Newest.Result.Outcomes).Repair.Action);
    }

    [Theory]
    [InlineData("resolved", "HarborScanLost", "ignored", "resolved 1")]
    [InlineData("firing", "Watchdog", "ignored", "not_allowed 1")]
    [InlineData("firing", "harborscanlost", "ignored", "not_allowed 1")]
    public async Task What_does_not_fire_or_is_not_on_the_list_wakes_nothing(string state, string alert, string status, string counted)
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        var (code, answer) = await repairs.PostAsync(Path, Notification.Of(state, 0, (alert, state)));
        Assert.Equal((HttpStatusCode.Accepted, status, counted), (code, Text(answer, "status"), repairs.Counted(RemediationCounters.Rejected)));
        Assert.Null(repairs.Exporter.Services.GetRequiredService<RemediationState>().Newest);
    }

    [Fact]
    public async Task While_repairs_are_off_or_paused_it_is_a_202_that_says_so()
    {
        await using (var operated = await OperatedHarbor.StartAsync())
        {
            using var answer = await operated.SendAsync("POST", Path, OperatedHarbor.Bearer(), request => request.Content = Notification.Content(Notification.Of("HarborScanLost")));
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            Assert.Equal("""{"status":"off","message":"Repairs are off (HARBOR_SCAN_REMEDIATION).","mode":"off","known":{"stuck":0,"findings":0,"running":false}}""",
                await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        var file = System.IO.Path.Combine(Directory.CreateTempSubdirectory("pause-").FullName, "pause");
        await File.WriteAllTextAsync(file, "a migration\nuntil noon", TestContext.Current.CancellationToken);
        await using var repairs = await OperatedRepairs.StartAsync(null, (Setting.Names.RemediationPauseFile, file));
        var (code, body) = await repairs.PostAsync(Path, Notification.Of("HarborScanLost"));
        Assert.Equal((HttpStatusCode.Accepted, "paused", "Repairs are paused by a file: a migration until noon. A delivery after its removal wakes them."), (code, Text(body, "status"), Text(body, "message")));
        Assert.Equal("paused 1", repairs.Counted(RemediationCounters.Rejected));
        File.Delete(file);
        Assert.Equal("accepted", Text((await repairs.PostAsync(Path, Notification.Of("HarborScanLost"))).Body, "status"));
        Directory.Delete(System.IO.Path.GetDirectoryName(file)!);
    }

    [Fact]
    public async Task Of_a_truncated_group_the_common_name_counts_while_the_group_fires()
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        // max_alerts left one, and that one is resolved.
        Assert.Equal("accepted", Text((await repairs.PostAsync(Path, Notification.Of("firing", 7, ("HarborScanLost", "resolved")))).Body, "status"));
        Assert.Equal("ignored", Text((await repairs.PostAsync(Path, Notification.Of("firing", 0, ("HarborScanLost", "resolved")))).Body, "status"));
        Assert.Equal("ignored", Text((await repairs.PostAsync(Path, Notification.Of("resolved", 7, ("HarborScanLost", "resolved")))).Body, "status"));
    }

    [Theory]
    [InlineData("""{"version":"5","status":"firing","alerts":[]}""", "The body is of version 5; this route understands version 4 of Alertmanager's webhook and version 1 of Grafana's.", "version 1")]
    [InlineData("""{"status":"firing","alerts":[]}""", "The body is of version none; this route understands version 4 of Alertmanager's webhook and version 1 of Grafana's.", "version 1")]
    [InlineData("""{"version":"4","status":"firing"}""", "The body names no alerts. Send a notification of Alertmanager.", "bad_body 1")]
    [InlineData("null", "body: Send a notification of Alertmanager, which is an object.", "bad_body 1")]
    [InlineData("", "The body is not the JSON that this route takes (line 1, byte 0).", "bad_body 1")]
    [InlineData("[]", "body: Send a notification of Alertmanager, which is an object.", "bad_body 1")]
    [InlineData("""{"version":4,"alerts":[]}""", "version: Give a text.", "bad_body 1")]
    [InlineData("""{"version":"4","alerts":{}}""", "alerts: Give a list.", "bad_body 1")]
    [InlineData("""{"version":"4","alerts":["x"]}""", "alerts: Give a list of objects.", "bad_body 1")]
    [InlineData("""{"version":"4","alerts":[{"labels":[]}]}""", "alerts.labels: Give an object.", "bad_body 1")]
    [InlineData("""{"version":"4","alerts":[{"labels":{"alertname":7}}]}""", "alerts.labels.alertname: Give a text.", "bad_body 1")]
    [InlineData("""{"version":"4","alerts":[{"labels":{"alertname":"\ud800"}}]}""", "alerts.labels.alertname: Give a text.", "bad_body 1")]
    [InlineData("""{"version":"4","truncatedAlerts":-1,"alerts":[]}""", "truncatedAlerts: Give a whole number.", "bad_body 1")]
    [InlineData("""{"version":"4","alerts":[]}}""", "The body is not the JSON that this route takes (line 1, byte 27).", "bad_body 1")]
    public async Task A_body_that_is_no_notification_is_a_400_which_Alertmanager_does_not_repeat(string body, string detail, string counted)
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        var (status, problem) = await repairs.PostAsync(Path, body);
        Assert.Equal((HttpStatusCode.BadRequest, detail, counted), (status, Text(problem, "detail"), repairs.Counted(RemediationCounters.Rejected)));
    }

    [Theory]
    [InlineData("application/json", null, 202)]
    [InlineData("application/json; charset=utf-8", null, 202)]
    [InlineData("application/cloudevents+json", null, 202)]
    [InlineData(null, null, 202)]
    [InlineData("text/plain", null, 415)]
    [InlineData("application/x-www-form-urlencoded", null, 415)]
    [InlineData("application/json", "identity", 202)]
    [InlineData("application/json", "gzip", 415)]
    public async Task Plain_JSON_is_taken_and_no_other_type(string? type, string? encoding, int status)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("POST", Path, OperatedHarbor.Bearer(), request =>
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Notification.Of("HarborScanLost")));
            if (type is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            if (encoding is not null) request.Content.Headers.ContentEncoding.Add(encoding);
        });
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_flood_of_deliveries_is_served_by_few_looks_and_none_is_refused()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        List<string?> statuses = [];
        for (var i = 0; i < 100; i++)
        {
            var (code, answer) = await repairs.PostAsync(Path, Notification.Of("HarborScanLost"));
            Assert.Equal(HttpStatusCode.Accepted, code);
            statuses.Add(Text(answer, "status"));
        }
        // Sixty within a minute; the look that waits serves the others too.
        Assert.All(statuses.Skip(60), status => Assert.Equal("merged", status));
        Assert.Equal("accepted", statuses[0]);
        Assert.Equal(("100", "rate 40"), (repairs.Counted(RemediationCounters.Requests), repairs.Counted(RemediationCounters.Rejected)));
        Assert.InRange(repairs.Exporter.Logs.GetSnapshot().Count(record => record.Message.StartsWith("Run ", StringComparison.Ordinal)), 0, 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_the_exporter_ends_a_delivery_is_a_503_which_Alertmanager_repeats(bool begins)
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        if (begins) repairs.Exporter.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        else repairs.Exporter.Services.GetRequiredService<Wakes>().Close();
        var (status, problem) = await repairs.PostAsync(Path, Notification.Of("HarborScanLost"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "The exporter ends. Send it again."), (status, Text(problem, "detail")));
    }

    private static Task RepairedAsync(OperatedRepairs repairs, long task) => Eventually.HoldsAsync(
        async () => await repairs.TaskAsync(task) == "Error 3", TimeSpan.FromSeconds(20),
        () => string.Join(Environment.NewLine, repairs.Exporter.Logs.GetSnapshot().Select(record => record.Message)));

    private static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value.GetString() : null;
}
