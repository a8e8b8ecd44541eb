using System.Net;
using System.Text.Json;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>GET of /api/v1/plan and of /api/v1/repairs.</summary>
public sealed class PlanAndHistoryTests
{
    [Fact]
    public async Task The_plan_names_what_would_be_done_and_what_is_left_alone_and_writes_nothing()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var lost = await repairs.LoseScanAsync();
        var other = await repairs.LoseScanAsync("d318c1b17dff242a33f02545");
        await repairs.SeeTwiceAsync(time);

        var (status, plan) = await repairs.GetAsync("/api/v1/plan");
        Assert.Equal((HttpStatusCode.OK, "execute", 0, 2), (status, Text(plan, "mode"), plan.GetProperty("blocks").GetArrayLength(), plan.GetProperty("repairs").GetArrayLength()));
        Assert.Equal([$"task-{lost}", $"task-{other}"], plan.GetProperty("repairs").EnumerateArray().Select(repair => Text(repair, "finding")));
        Assert.Equal([$"task-{other}"], await PlannedAsync($"?id=task-{other}"));
        Assert.Equal([$"task-{lost}", $"task-{other}"], await PlannedAsync("?verdict=lost&type=IMAGE_SCAN"));
        Assert.Empty(await PlannedAsync("?verdict=hung"));
        Assert.Empty(await PlannedAsync("?project=elsewhere"));
        Assert.Equal("", await repairs.AuditAsync());

        async Task<string?[]> PlannedAsync(string query) =>
            [.. (await repairs.GetAsync($"/api/v1/plan{query}")).Body.GetProperty("repairs").EnumerateArray().Select(repair => Text(repair, "finding"))];
    }

    [Fact]
    public async Task While_repairs_are_off_the_plan_says_so_beside_what_would_be_due()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time, (Setting.Names.Remediation, "off"));
        var lost = await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);
        var (status, plan) = await repairs.GetAsync("/api/v1/plan");
        Assert.Equal((HttpStatusCode.OK, "off", "off"), (status, Text(plan, "mode"), Text(plan.GetProperty("blocks")[0], "reason")));
        Assert.Equal($"task-{lost}", Text(Assert.Single(plan.GetProperty("repairs").EnumerateArray()), "finding"));
    }

    [Fact]
    public async Task Refusals_are_written_out_up_to_a_bound_and_counted_whole()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var age = TimeSpan.FromHours(5);
        for (var i = 0; i < 3; i++)
        {
            var execution = await repairs.Seed.ExecutionAsync(started: age);
            await repairs.Seed.ExecuteAsync($$"""
                insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
                select {{execution}}, lpad(to_hex({{i}} * 1000 + n), 24, 'a'), 'Pending', 0, 0, '', 0, '{}', {{Seed.Ago(age)}}, null, {{Seed.Ago(age)}}, null, 'IMAGE_SCAN'
                from generate_series(1, 200) n
                """);
        }
        await repairs.SeeTwiceAsync(time);
        var (_, plan) = await repairs.GetAsync("/api/v1/plan");
        Assert.Equal((50, 500, 550), (plan.GetProperty("repairs").GetArrayLength(), plan.GetProperty("refusals").GetArrayLength(), plan.GetProperty("left").GetProperty("next_batch").GetInt32()));
        Assert.Equal("share", Text(Assert.Single(plan.GetProperty("blocks").EnumerateArray()), "reason"));
    }

    [Fact]
    public async Task The_database_being_away_is_a_503_without_a_plan_and_without_the_audit()
    {
        await using var away = await OperatedHarbor.StartAsync(changes: ("HARBOR_DATABASE_PORT", $"{Tool.FreePort()}"));
        using var plan = await away.SendAsync("GET", "/api/v1/plan", OperatedHarbor.Bearer());
        using var document = JsonDocument.Parse(await plan.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, plan.StatusCode);
        Assert.StartsWith("Harbor's database could not be read (connect).", Text(document.RootElement, "problem"), StringComparison.Ordinal);
        using var history = await away.SendAsync("GET", "/api/v1/repairs", OperatedHarbor.Bearer());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, history.StatusCode);
        Assert.Contains("The audit could not be read (connect).", await history.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_audit_is_paged_the_newest_first_and_filtered_also_while_repairs_are_off()
    {
        await using var repairs = await OperatedRepairs.StartAsync(null, (Setting.Names.Remediation, "off"));
        await repairs.Seed.ExecuteAsync("""
            insert into harbor_scan.repair (run, source, actor, action, state, failure, verdict, evidence, task_id, execution_id, before, at)
            select 'r' || n, 'alert', 'HarborScanLost', case when n % 2 = 0 then 'finish_task' else 'stop_job' end, case when n % 5 = 0 then 'failed' else 'done' end,
                   case when n % 5 = 0 then 'lost_race' end, 'lost', '["one","two"]', n, 1, case when n % 2 = 0 then '{"task": {"status": "Running"}}'::json end,
                   '2026-09-21 12:00:00Z'::timestamptz + n * interval '1 minute'
            from generate_series(1, 250) n
            """);
        Assert.Equal((250, 250, 151), await RangeAsync(""));
        Assert.Equal((250, 150, 51), await RangeAsync("?page=2"));
        Assert.Equal((250, 10, 1), await RangeAsync("?page=25&page_size=10"));
        Assert.Equal((250, 0, 0), await RangeAsync("?page=2147483647&page_size=500"));
        Assert.Equal((50, 250, 5), await RangeAsync("?state=failed&page_size=500"));
        Assert.Equal((100, 248, 54), await RangeAsync("?state=done&action=finish_task&page_size=79"));
        Assert.Equal((1, 7, 7), await RangeAsync("?task=7"));
        Assert.Equal((0, 0, 0), await RangeAsync("?task=9223372036854775807"));
        var line = Assert.Single((await repairs.GetAsync("/api/v1/repairs?task=4")).Body.GetProperty("repairs").EnumerateArray());
        Assert.Equal(("2026-09-21T12:04:00+00:00", "Running", "one two", true),
            (Text(line, "at"), Text(line, "status_before"), string.Join(' ', line.GetProperty("evidence").EnumerateArray().Select(word => word.GetString())), line.GetProperty("undoable").GetBoolean()));

        async Task<(int Total, long First, long Last)> RangeAsync(string query)
        {
            var (status, page) = await repairs.GetAsync($"/api/v1/repairs{query}");
            Assert.Equal(HttpStatusCode.OK, status);
            var ids = page.GetProperty("repairs").EnumerateArray().Select(one => one.GetProperty("task_id").GetInt64()).ToArray();
            return (page.GetProperty("total").GetInt32(), ids.FirstOrDefault(), ids.LastOrDefault());
        }
    }

    [Theory]
    [InlineData("/api/v1/plan?verdict=dead", "verdict")]
    [InlineData("/api/v1/plan?verdict=lost,dead", "verdict")]
    [InlineData("/api/v1/plan?type=SCAN", "type")]
    [InlineData("/api/v1/plan?page=1", "page")]
    [InlineData("/api/v1/repairs?state=open", "state")]
    [InlineData("/api/v1/repairs?action=delete", "action")]
    [InlineData("/api/v1/repairs?task=-1", "task")]
    [InlineData("/api/v1/repairs?task=x", "task")]
    [InlineData("/api/v1/repairs?page_size=501", "page_size")]
    [InlineData("/api/v1/repairs?run=x", "run")]
    public async Task A_parameter_that_cannot_be_used_is_named(string path, string parameter)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        using var answer = await operated.SendAsync("GET", path, OperatedHarbor.Bearer());
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal((HttpStatusCode.BadRequest, parameter), (answer.StatusCode, Text(problem.RootElement, "parameter")));
    }

    private static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value.GetString() : null;
}
