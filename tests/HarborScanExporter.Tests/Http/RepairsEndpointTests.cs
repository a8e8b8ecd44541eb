using System.Net;
using System.Text.Json;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>POST of /api/v1/repairs and of an undo.</summary>
public sealed class RepairsEndpointTests
{
    private const string Path = "/api/v1/repairs";

    [Fact]
    public async Task A_person_tries_repairs_reads_the_audit_and_takes_it_back()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);

        var (status, tried) = await repairs.PostAsync(Path, """{"mode":"dry-run","actor":"ada"}""");
        Assert.Equal((HttpStatusCode.OK, "dry-run", "clean"), (status, Text(tried, "mode"), Text(tried, "end")));
        var would = Assert.Single(tried.GetProperty("repairs").EnumerateArray());
        Assert.Equal(("finish_task", $"task-{task}", "lost", "Pending", "Error", "done"),
            (Text(would, "action"), Text(would, "finding"), Text(would, "verdict"), Text(would, "status_before"), Text(would, "status"), Text(would, "state")));
        Assert.False(would.TryGetProperty("audit_id", out _));
        Assert.Equal(("Pending 0", ""), (await repairs.TaskAsync(task), await repairs.AuditAsync()));

        (status, var done) = await repairs.PostAsync(Path, """{"mode":"execute","actor":"ada","note":"after the outage"}""");
        Assert.Equal((HttpStatusCode.OK, "execute", "clean", 1), (status, Text(done, "mode"), Text(done, "end"), done.GetProperty("batches").GetInt32()));
        var id = Assert.Single(done.GetProperty("repairs").EnumerateArray()).GetProperty("audit_id").GetInt64();
        Assert.Equal(("Error 3", "api ada after the outage finish_task done"), (await repairs.TaskAsync(task), await repairs.AuditAsync()));

        (status, var history) = await repairs.GetAsync($"{Path}?task={task}");
        var line = Assert.Single(history.GetProperty("repairs").EnumerateArray());
        Assert.Equal((HttpStatusCode.OK, 1, id, Text(done, "run"), "Pending", "Error", true),
            (status, history.GetProperty("total").GetInt32(), line.GetProperty("id").GetInt64(), Text(line, "run"), Text(line, "status_before"), Text(line, "status"), line.GetProperty("undoable").GetBoolean()));

        (status, var undone) = await repairs.PostAsync($"{Path}/{id}/undo", """{"actor":"grace"}""");
        Assert.Equal((HttpStatusCode.OK, id, "undone", id + 1), (status, undone.GetProperty("id").GetInt64(), Text(undone, "state"), undone.GetProperty("audit_id").GetInt64()));
        Assert.Equal(("Pending 0", "api ada after the outage finish_task undone\napi grace undo done"), (await repairs.TaskAsync(task), await repairs.AuditAsync()));

        (status, var again) = await repairs.PostAsync($"{Path}/{id}/undo", "");
        Assert.Equal((HttpStatusCode.Conflict, $"Repair {id} was taken back already."), (status, Text(again, "detail")));
        Assert.Equal(HttpStatusCode.NotFound, (await repairs.PostAsync($"{Path}/4711/undo", "{}")).Status);
        Assert.Equal("5", repairs.Counted(RemediationCounters.Requests));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("{", null)]
    [InlineData("null", "body")]
    [InlineData("[]", "body")]
    [InlineData("{}", "mode")]
    [InlineData("""{"mode":"apply"}""", "mode")]
    [InlineData("""{"mode":1}""", "mode")]
    [InlineData("""{"mode":"dry-run","actr":"x"}""", "actr")]
    [InlineData("""{"mode":"dry-run","filter":[]}""", "filter")]
    [InlineData("""{"mode":"dry-run","filter":{"verdict":"dead"}}""", "filter.verdict")]
    [InlineData("""{"mode":"dry-run","filter":{"type":"SCAN"}}""", "filter.type")]
    [InlineData("""{"mode":"dry-run","filter":{"projekt":"library"}}""", "filter.projekt")]
    [InlineData("""{"mode":"dry-run","ids":[]}""", "ids")]
    [InlineData("""{"mode":"dry-run","ids":"task-1"}""", "ids")]
    [InlineData("""{"mode":"dry-run","ids":[1]}""", "ids")]
    [InlineData("""{"mode":"dry-run","override_share":"yes"}""", "override_share")]
    [InlineData("""{"mode":"dry-run","actor":"a\u0000b"}""", "actor")]
    [InlineData("""{"mode":"dry-run","note":"\ud800"}""", "note")]
    [InlineData("""{"mode":"dry-run","\ud800":"x"}""", "?")]
    [InlineData("""{"mode":"dry-run","filter":{"a":{"b":{"c":{"d":{"e":{"f":{"g":{}}}}}}}}}""", null)]
    public async Task A_body_that_cannot_be_used_is_a_400_that_names_the_member(string body, string? member)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("POST", Path, OperatedHarbor.Bearer(), request => request.Content = new StringContent(body, null, "application/json"));
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal((HttpStatusCode.BadRequest, member), (answer.StatusCode, problem.RootElement.TryGetProperty("parameter", out var parameter) ? parameter.GetString() : null));
    }

    [Fact]
    public async Task A_member_that_is_misspelt_is_answered_with_the_one_that_was_meant()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("POST", Path, OperatedHarbor.Bearer(),
            request => request.Content = new StringContent("""{"mode":"dry-run","overide_share":true}""", null, "application/json"));
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("overide_share: There is no such member; did you mean override_share? It takes mode, filter, ids, override_share, actor, note.", Text(problem.RootElement, "detail"));
    }

    [Theory]
    [InlineData("off", "dry-run", "Repairs are off. Set HARBOR_SCAN_REMEDIATION to dry-run or execute.", "off 1")]
    [InlineData("off", "execute", "Repairs are off. Set HARBOR_SCAN_REMEDIATION to dry-run or execute.", "off 1")]
    [InlineData("dry-run", "execute", "Nothing is written while HARBOR_SCAN_REMEDIATION is dry-run. Ask for mode dry-run, or set it to execute.", "ceiling 1")]
    public async Task Nobody_goes_beyond_the_setting(string setting, string mode, string detail, string counted)
    {
        await using var repairs = await OperatedRepairs.StartAsync(null, (Setting.Names.Remediation, setting));
        var (status, problem) = await repairs.PostAsync(Path, $$"""{"mode":"{{mode}}"}""");
        Assert.Equal((HttpStatusCode.Forbidden, detail), (status, Text(problem, "detail")));
        Assert.Equal(HttpStatusCode.Forbidden, (await repairs.PostAsync($"{Path}/1/undo", "")).Status);
        if (setting != "off") Assert.Equal($"off 1, {counted}", repairs.Counted(RemediationCounters.Rejected));
    }

    [Fact]
    public async Task Another_run_makes_it_a_409_and_a_pause_is_told_with_its_reason()
    {
        var file = System.IO.Path.Combine(Directory.CreateTempSubdirectory("pause-").FullName, "pause");
        await using var repairs = await OperatedRepairs.StartAsync(null, (Setting.Names.RemediationPauseFile, file));
        await using (var other = await repairs.Harbor.Database.OpenAsync())
        {
            await using var lockIt = new Npgsql.NpgsqlCommand($"begin; {TestHarbor.HoldRepairsSql}", other);
            await lockIt.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            foreach (var path in new[] { Path, $"{Path}/1/undo" })
            {
                var (busy, problem) = await repairs.PostAsync(path, path == Path ? """{"mode":"execute"}""" : "");
                Assert.Equal(HttpStatusCode.Conflict, busy);
                Assert.Contains("lock", Text(problem, "detail"), StringComparison.Ordinal);
            }
        }
        Assert.Equal("busy 2", repairs.Counted(RemediationCounters.Rejected));
        await File.WriteAllTextAsync(file, "a migration", TestContext.Current.CancellationToken);
        var (status, run) = await repairs.PostAsync(Path, """{"mode":"execute"}""");
        Assert.Equal((HttpStatusCode.OK, "blocked", "paused"), (status, Text(run, "end"), Text(run.GetProperty("blocks")[0], "reason")));
        Assert.Contains("a migration", Text(run, "problem"), StringComparison.Ordinal);
        Directory.Delete(System.IO.Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public async Task It_waits_for_the_second_look_and_whoever_hangs_up_ends_nothing()
    {
        await using var repairs = await OperatedRepairs.StartAsync(new FastTime(20), (Setting.Names.ScrapeTimeout, "5m"));
        var task = await repairs.LoseScanAsync();
        await repairs.Exporter.ScrapeAsync();
        using var hangUp = new CancellationTokenSource();
        var asking = repairs.PostUntilAsync(Path, """{"mode":"execute","actor":"ada"}""", hangUp.Token);
        var run = repairs.Exporter.Services.GetRequiredService<RepairRun>();
        await Eventually.HoldsAsync(() => Task.FromResult(run.IsBusy), TimeSpan.FromSeconds(20), () => "No run began.");
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Equal("Pending 0", await repairs.TaskAsync(task));
        await Eventually.HoldsAsync(async () => await repairs.TaskAsync(task) == "Error 3", TimeSpan.FromSeconds(60), () => "It was not repaired.");
    }

    [Fact]
    public async Task A_run_that_waits_ends_with_the_exporter()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        await repairs.Exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromSeconds(61));
        var asking = repairs.PostAsync(Path, """{"mode":"execute"}""");
        var run = repairs.Exporter.Services.GetRequiredService<RepairRun>();
        await Eventually.HoldsAsync(() => Task.FromResult(run.IsBusy), TimeSpan.FromSeconds(20), () => "No run began.");
        repairs.Exporter.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var (status, document) = await asking;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "interrupted", "It was broken off. What was written until then stays, and is in the audit."),
            (status, Text(document, "end"), Text(document, "problem")));
        Assert.Equal(0, document.GetProperty("repairs").GetArrayLength());
        Assert.Equal(("Pending 0", ""), (await repairs.TaskAsync(task), await repairs.AuditAsync()));
    }

    [Fact]
    public async Task More_than_sixty_looks_within_a_minute_are_too_many()
    {
        var time = new FakeTimeProvider();
        await using var operated = await OperatedHarbor.StartAsync(time: time);
        for (var i = 0; i < 60; i++)
        {
            using var fine = await operated.SendAsync("GET", Path, OperatedHarbor.Bearer());
            Assert.Equal(HttpStatusCode.OK, fine.StatusCode);
        }
        foreach (var (method, path) in new[] { ("GET", Path), ("GET", "/api/v1/plan") })
        {
            using var refused = await operated.SendAsync(method, path, OperatedHarbor.Bearer());
            Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1)), (refused.StatusCode, refused.Headers.RetryAfter!.Delta));
        }
        time.Advance(TimeSpan.FromSeconds(1));
        using var let = await operated.SendAsync("GET", Path, OperatedHarbor.Bearer());
        Assert.Equal(HttpStatusCode.OK, let.StatusCode);
    }

    [Fact]
    public async Task A_repairing_role_that_cannot_sign_in_is_a_503_that_says_so_and_the_audit_that_is_missing_names_its_SQL()
    {
        await using var repairs = await OperatedRepairs.StartAsync(null, (Setting.Names.RemediationDatabasePassword, "wrong"));
        var (status, run) = await repairs.PostAsync(Path, """{"mode":"execute"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "failed"), (status, Text(run, "end")));
        Assert.Contains("(auth)", Text(run, "problem"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await repairs.GetAsync("/api/v1/plan")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await repairs.PostAsync($"{Path}/1/undo", "")).Status);
        Assert.Equal(HttpStatusCode.OK, (await repairs.GetAsync(Path)).Status);
        await repairs.Harbor.Database.ExecuteAsync("drop table harbor_scan.repair");
        (status, var problem) = await repairs.GetAsync(Path);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("deploy/sql/03-remediation-role.sql", Text(problem, "detail"), StringComparison.Ordinal);
    }

    private static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value.GetString() : null;
}
