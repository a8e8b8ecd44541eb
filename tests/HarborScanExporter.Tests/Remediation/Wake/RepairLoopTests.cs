using HarborScanExporter.Remediation;
using HarborScanExporter.Remediation.Wake;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Wake;

/// <summary>What goes on in the background: wakes, and intents that were left open.</summary>
public sealed class RepairLoopTests
{
    [Fact]
    public async Task A_run_that_another_exporter_kept_out_is_tried_again_without_another_delivery()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);
        await using (var other = await repairs.Harbor.Database.OpenAsync())
        {
            await using var lockIt = new NpgsqlCommand("select pg_advisory_lock(x'6873726570616972'::bigint)", other);
            await lockIt.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            repairs.Exporter.Services.GetRequiredService<Wakes>().Add(["HarborScanLost"]);
            await LoggedAsync(repairs, "ended Busy");
        }
        Assert.Equal("Pending 0", await repairs.TaskAsync(task));
        await UntilAsync(time, RepairLoop.Again, async () => await repairs.TaskAsync(task) == "Error 3");
    }

    [Fact]
    public async Task A_database_that_is_away_is_tried_again_a_few_times_and_the_next_delivery_wakes_anew()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        await repairs.Harbor.Database.ExecuteAsync($"""
            alter role {repairs.Harbor.RepairRole} nologin;
            select pg_terminate_backend(pid) from pg_stat_activity where usename = '{repairs.Harbor.RepairRole}'
            """);
        var wakes = repairs.Exporter.Services.GetRequiredService<Wakes>();
        wakes.Add(["HarborScanLost"]);
        await UntilAsync(time, RepairLoop.Again, () => Task.FromResult(Runs(repairs) == 6));
        for (var i = 0; i < 10; i++) time.Advance(RepairLoop.Again);
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.Equal(6, Runs(repairs));
        Assert.Equal(WakeOutcome.Accepted, wakes.Add(["HarborScanLost"]));
        await UntilAsync(time, TimeSpan.FromSeconds(5), () => Task.FromResult(Runs(repairs) == 7));
    }

    [Fact]
    public async Task Wakes_that_come_during_the_pause_before_the_second_look_are_served_by_it()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var (wakes, state) = (repairs.Exporter.Services.GetRequiredService<Wakes>(), repairs.Exporter.Services.GetRequiredService<RemediationState>());
        Assert.Equal(WakeOutcome.Accepted, wakes.Add(["HarborScanLost"]));
        await Eventually.HoldsAsync(() => Task.FromResult(Runs(repairs) == 1 && state.Newest is not null), TimeSpan.FromSeconds(20), () => "No first look.");
        for (var i = 0; i < 5; i++)
        {
            wakes.Add(["HarborScanHung"]);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        }
        await UntilAsync(time, RepairLoop.SecondLook, () => Task.FromResult(Runs(repairs) == 2));
        Assert.Contains(repairs.Exporter.Logs.GetSnapshot(), record => record.Message.Contains("for alert (HarborScanHung, HarborScanLost)", StringComparison.Ordinal));
        for (var i = 0; i < 10; i++) time.Advance(RepairLoop.SecondLook);
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.Equal(2, Runs(repairs));
    }

    [Fact]
    public async Task Intents_that_an_exporter_left_open_are_ended_at_the_start_and_when_they_come_of_age()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        await repairs.Seed.ExecuteAsync($"""
            insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, execution_id, revision, at)
            values ('r', 'alert', 'x', 'stop_job', 'intended', 'lost', '[]', {task}, 1, 0, now() - interval '10 minutes'),
                   ('r', 'alert', 'x', 'stop_job', 'intended', 'lost', '[]', {task + 1000}, 1, 0, now() - interval '117 seconds')
            """);
        await using var started = await repairs.AnotherAsync(time);
        await EndedAsync(repairs, "failed interrupted, intended");
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        await UntilAsync(time, Intents.LeastAge, async () => await StatesAsync(repairs) == "failed interrupted, done");
    }

    [Fact]
    public async Task While_nothing_may_be_written_intents_are_left_alone()
    {
        await using var repairs = await OperatedRepairs.StartAsync(null, ("HARBOR_SCAN_REMEDIATION", "dry-run"));
        await repairs.Seed.ExecuteAsync("""
            insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, task_id, execution_id, revision, at)
            values ('r', 'alert', 'x', 'stop_job', 'intended', 'lost', '[]', 7, 1, 0, now() - interval '10 minutes')
            """);
        await using var started = await repairs.AnotherAsync(null, ("HARBOR_SCAN_REMEDIATION", "dry-run"));
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        Assert.Equal("intended", await StatesAsync(repairs));
    }

    private static int Runs(OperatedRepairs repairs) => repairs.Exporter.Logs.GetSnapshot().Count(record => record.Message.StartsWith("Run ", StringComparison.Ordinal));

    private static Task LoggedAsync(OperatedRepairs repairs, string text) => Eventually.HoldsAsync(
        () => Task.FromResult(repairs.Exporter.Logs.GetSnapshot().Any(record => record.Message.Contains(text, StringComparison.Ordinal))),
        TimeSpan.FromSeconds(20), () => string.Join(Environment.NewLine, repairs.Exporter.Logs.GetSnapshot().Select(record => record.Message)));

    private static Task<string> StatesAsync(OperatedRepairs repairs) =>
        repairs.Harbor.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', state, failure), ', ' order by id) from harbor_scan.repair");

    private static Task EndedAsync(OperatedRepairs repairs, string states) =>
        Eventually.HoldsAsync(async () => await StatesAsync(repairs) == states, TimeSpan.FromSeconds(20), () => $"The intents are not {states}.");

    private static Task UntilAsync(FakeTimeProvider time, TimeSpan step, Func<Task<bool>> condition) => Eventually.HoldsAsync(
        async () =>
        {
            if (await condition()) return true;
            time.Advance(step / 10);
            return false;
        },
        TimeSpan.FromSeconds(30), () => "It did not come to that.");
}
