using HarborScanExporter.Hosting;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Triggers;
using HarborScanExporter.Remediation.Verification;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Triggers;

/// <summary>What goes on in the background: wakes, and intents that were left open.</summary>
public sealed class RepairLoopTests
{
    /// <summary>Between two wakes: it begins when the one before is served to its end.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_run_that_another_exporter_kept_out_is_tried_again_without_another_delivery()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);
        await using (var other = await repairs.Harbor.Database.OpenAsync())
        {
            await using var lockIt = new NpgsqlCommand($"begin; {TestHarbor.HoldRepairsSql}", other);
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
        var time = new WaitedTime();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        await repairs.Harbor.Database.ExecuteAsync($"""
            alter role {repairs.Harbor.RepairRole} nologin;
            select pg_terminate_backend(pid) from pg_stat_activity where usename = '{repairs.Harbor.RepairRole}'
            """);
        var wakes = repairs.Exporter.Services.GetRequiredService<Wakes>();
        wakes.Add(["HarborScanLost"]);
        await UntilAsync(time, RepairLoop.Again, () => Task.FromResult(Runs(repairs) == 6));
        await time.HasBegunAsync(Pause, 1);
        for (var i = 0; i < 10; i++) time.Advance(RepairLoop.Again);
        var tries = time.Begun(RepairLoop.Again);
        Assert.Equal(6, Runs(repairs));
        Assert.Equal(WakeOutcome.Accepted, wakes.Add(["HarborScanLost"]));
        // It waits after its first try: had there been one between, this would be the eighth run.
        await time.HasBegunAsync(RepairLoop.Again, tries + 1);
        Assert.Equal(7, Runs(repairs));
    }

    [Fact]
    public async Task Wakes_that_come_during_the_pause_before_the_second_look_are_served_by_it()
    {
        var time = new WaitedTime();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var (wakes, state) = (repairs.Exporter.Services.GetRequiredService<Wakes>(), repairs.Exporter.Services.GetRequiredService<RemediationState>());
        Assert.Equal(WakeOutcome.Accepted, wakes.Add(["HarborScanLost"]));
        await Eventually.HoldsAsync(() => Task.FromResult(Runs(repairs) == 1 && state.Newest is not null), TimeSpan.FromSeconds(20), () => "No first look.");
        for (var i = 0; i < 5; i++)
        {
            // Accepted once the one before was taken.
            await Eventually.HoldsAsync(() => Task.FromResult(wakes.Add(["HarborScanHung"]) == WakeOutcome.Accepted), TimeSpan.FromSeconds(20), () => "No wake is taken during the pause.");
        }
        await UntilAsync(time, RepairLoop.SecondLook, () => Task.FromResult(Runs(repairs) == 2));
        Assert.Contains(repairs.Exporter.Logs.GetSnapshot(), record => record.Message.Contains("for alert (HarborScanHung, HarborScanLost)", StringComparison.Ordinal));
        await time.HasBegunAsync(Pause, 1);
        for (var i = 0; i < 10; i++) time.Advance(RepairLoop.SecondLook);
        var looks = time.Begun(RepairLoop.SecondLook);
        Assert.Equal(2, Runs(repairs));
        // The next run is that of the next wake, and serves nothing of before.
        Assert.Equal(WakeOutcome.Accepted, wakes.Add(["HarborScanUnreported"]));
        await time.HasBegunAsync(RepairLoop.SecondLook, looks + 1);
        Assert.Equal(3, Runs(repairs));
        Assert.Contains(repairs.Exporter.Logs.GetSnapshot(), record => record.Message.Contains("for alert (HarborScanUnreported)", StringComparison.Ordinal));
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
                   ('r', 'alert', 'x', 'stop_job', 'intended', 'lost', '[]', {task + 1000}, 1, 0, now() - interval '60 seconds')
            """);
        await using var started = await repairs.AnotherAsync(time);
        await EndedAsync(repairs, "failed interrupted, intended");
        await repairs.Seed.ExecuteAsync("update harbor_scan.repair set at = at - interval '1 minute' where state = 'intended'");
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
        var time = new WaitedTime();
        await using var started = await repairs.AnotherAsync(time, ("HARBOR_SCAN_REMEDIATION", "dry-run"));
        // What works in the background has looked at the audit twice, and nothing works there that ends intents.
        await time.HasBegunAsync(VerificationLoop.LongestSleep, 1);
        time.Advance(VerificationLoop.LongestSleep);
        await time.HasBegunAsync(VerificationLoop.LongestSleep, 2);
        Assert.Equal(
            ["The look at whether repairs held", "The repair for alerts"],
            started.Exporter.Services.GetServices<IHostedService>().OfType<RepeatingService>().Select(service => service.Part));
        Assert.Equal("intended", await StatesAsync(repairs));
    }

    [Fact]
    public async Task Two_hundred_and_twenty_lost_scans_are_repaired_within_a_minute_of_the_proof_of_life_though_another_is_newly_stuck_and_no_delivery_comes()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        await HoldAsync(repairs, time, 220);
        await repairs.LoseScanAsync("ffffffffffffffffffffffff");
        for (var i = 0; i < 2; i++)
        {
            time.Advance(TimeSpan.FromSeconds(61));
            await repairs.Exporter.ScrapeAsync();
        }
        Assert.Equal("", await repairs.AuditAsync());

        await new JobServiceSeed(repairs.Redis).UpAsync();
        await SucceedAsync(repairs);
        var run = repairs.Exporter.Services.GetRequiredService<RepairRun>();
        var seconds = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                if (await EndedAsync(repairs) >= 220) return true;
                // The clock stands while a run works: what it waits for itself would show as a run that never ends.
                if (!run.IsBusy && seconds < 60)
                {
                    time.Advance(TimeSpan.FromSeconds(1));
                    seconds++;
                }
                return false;
            },
            TimeSpan.FromSeconds(90), () => $"Not repaired after {seconds} s: {string.Join(Environment.NewLine, repairs.Exporter.Logs.GetSnapshot().Select(record => record.Message))}");
        Assert.InRange(seconds, 1, 60);
        // Four hundred and forty would be two a scan.
        Assert.Equal(220, await repairs.Harbor.Database.ScalarAsync<int>("select count(*)::int from harbor_scan.repair where state = 'done' and action = 'finish_task' and task_id <= 220"));
    }

    [Fact]
    public async Task Proof_of_life_is_looked_for_until_nothing_is_stuck()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        await HoldAsync(repairs, time, 21);
        await UntilAsync(time, RepairLoop.ProofLook, () => Task.FromResult(ShareLooks(repairs) >= 4));
        await repairs.Seed.ExecuteAsync("update task set status = 'Error', status_code = 3, end_time = update_time; update execution set status = 'Error'");
        await UntilAsync(time, RepairLoop.SecondLook, () => Task.FromResult(Ends(repairs, "Clean") == 2));
        var looks = ShareLooks(repairs);
        await StandsAsync(repairs, time, () => (ShareLooks(repairs), Ends(repairs, "Clean")), (looks, 2));
        // What was looked for every few seconds was told once.
        Assert.Equal(1, Ends(repairs, "Blocked"));
    }

    [Fact]
    public async Task Proof_of_life_is_looked_for_as_long_as_Alertmanager_may_be_silent_and_no_longer()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        await HoldAsync(repairs, time, 21);
        // A look counts before its run is over; hours that pass in between would be those since the wake.
        var run = repairs.Exporter.Services.GetRequiredService<RepairRun>();
        await UntilAsync(time, RepairLoop.ProofLook, () => Task.FromResult(ShareLooks(repairs) >= 2 && !run.IsBusy));
        var before = ShareLooks(repairs);
        await UntilAsync(time, 10 * RepairLoop.ProofWait, () => Task.FromResult(ShareLooks(repairs) > before), run);
        var looks = ShareLooks(repairs);
        await StandsAsync(repairs, time, () => ShareLooks(repairs), looks);
        repairs.Exporter.Services.GetRequiredService<Wakes>().Add(["HarborScanLost"]);
        await UntilAsync(time, TimeSpan.FromSeconds(5), () => Task.FromResult(ShareLooks(repairs) > looks));
    }

    /// <summary>So many lost scans and nothing that moves; an alert has woken a look, and the share rule held it.</summary>
    private static async Task HoldAsync(OperatedRepairs repairs, FakeTimeProvider time, int scans)
    {
        for (var i = 1; i <= scans; i++) await repairs.LoseScanAsync(FormattableString.Invariant($"{i:x24}"));
        await repairs.SeeTwiceAsync(time);
        await new JobServiceSeed(repairs.Redis).UpAsync();
        repairs.Exporter.Services.GetRequiredService<Wakes>().Add(["HarborScanLost"]);
        await Eventually.HoldsAsync(() => Task.FromResult(ShareLooks(repairs) == 1), TimeSpan.FromSeconds(20), () => "The share rule held nothing.");
    }

    private static async Task SucceedAsync(OperatedRepairs repairs)
    {
        var now = Seed.Ago(TimeSpan.Zero);
        await repairs.Seed.TaskAsync(await repairs.Seed.ExecutionAsync(status: "Success", end: now), status: "Success", revision: "1", runCount: 1, start: now, update: now, end: now, jobId: "");
    }

    private static Task<int> EndedAsync(OperatedRepairs repairs) =>
        repairs.Harbor.Database.ScalarAsync<int>("select count(*)::int from task where status = 'Error' and status_code = 3");

    /// <summary>Looks that the share rule held.</summary>
    private static int ShareLooks(OperatedRepairs repairs) => repairs.Counted(RemediationCounters.Skipped).Split(", ")
        .Where(count => count.StartsWith("share ", StringComparison.Ordinal)).Select(count => int.Parse(count.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)).SingleOrDefault();

    private static int Ends(OperatedRepairs repairs, string end) =>
        repairs.Exporter.Logs.GetSnapshot().Count(record => record.Level == Microsoft.Extensions.Logging.LogLevel.Information && record.Message.Contains($"ended {end} ", StringComparison.Ordinal));

    /// <summary>Nothing more comes of it, as far as the clock is led on.</summary>
    private static async Task StandsAsync<T>(OperatedRepairs repairs, FakeTimeProvider time, Func<T> what, T value)
    {
        for (var i = 0; i < 20; i++)
        {
            time.Advance(RepairLoop.SecondLook);
            await repairs.Exporter.ScrapeAsync();
        }
        Assert.Equal(value, what());
    }

    private static int Runs(OperatedRepairs repairs) => repairs.Exporter.Logs.GetSnapshot().Count(record => record.Message.StartsWith("Run ", StringComparison.Ordinal));

    private static Task LoggedAsync(OperatedRepairs repairs, string text) => Eventually.HoldsAsync(
        () => Task.FromResult(repairs.Exporter.Logs.GetSnapshot().Any(record => record.Message.Contains(text, StringComparison.Ordinal))),
        TimeSpan.FromSeconds(20), () => string.Join(Environment.NewLine, repairs.Exporter.Logs.GetSnapshot().Select(record => record.Message)));

    private static Task<string> StatesAsync(OperatedRepairs repairs) =>
        repairs.Harbor.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', state, failure), ', ' order by id) from harbor_scan.repair");

    private static Task EndedAsync(OperatedRepairs repairs, string states) =>
        Eventually.HoldsAsync(async () => await StatesAsync(repairs) == states, TimeSpan.FromSeconds(20), () => $"The intents are not {states}.");

    /// <param name="time">The clock that is led on.</param>
    /// <param name="step">Ten times as far as it is led at once.</param>
    /// <param name="condition">What is waited for.</param>
    /// <param name="run">For steps that are longer than a look may take: the clock stands while this works.</param>
    private static Task UntilAsync(FakeTimeProvider time, TimeSpan step, Func<Task<bool>> condition, RepairRun? run = null) => Eventually.HoldsAsync(
        async () =>
        {
            if (await condition()) return true;
            if (run is not { IsBusy: true }) time.Advance(step / 10);
            return false;
        },
        TimeSpan.FromSeconds(30), () => "It did not come to that.");
}
