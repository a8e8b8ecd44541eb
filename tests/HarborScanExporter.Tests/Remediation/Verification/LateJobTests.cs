using HarborScanExporter.Diagnosis;
using HarborScanExporter.Tests.EndToEnd;
using HarborScanExporter.Tests.Support;
using HarborSimulator;

namespace HarborScanExporter.Tests.Remediation.Verification;

/// <summary>
/// A job that was thought lost and lives: every row of harbor-facts 7.3, played by the simulator, whose core keeps to Harbor's fence. The exporter
/// looks at another Redis, in which a job service lives that knows none of the jobs; so every proof it has is wrong.
/// </summary>
public sealed class LateJobTests
{
    private static readonly TimeSpan Seconds = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan TwoMinutes = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan SeventyMinutes = TimeSpan.FromMinutes(70);

    /// <summary>One worker, whose scans take from ten hours to four days; nothing is failed for its age.</summary>
    private static readonly SimulationSettings Slow = new()
    {
        ErrorShare = 0,
        Sweeps = false,
        WorkersPerPool = 1,
        MeanScan = TimeSpan.FromHours(30),
        MaxJobDuration = TimeSpan.FromDays(50),
    };

    /// <summary>The oldest, both sides of 2.8, which refreshes executions later, and the newest.</summary>
    public static TheoryData<string> Releases => ["2.2.0", "2.7.0", "2.8.0", "2.16.0"];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_Pending_row_without_a_hook_and_a_Running_one_that_is_run_again_come_back_to_life_and_heal(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(6), Slow with { MeanScan = TimeSpan.FromMinutes(1) });
        var simulation = simulated.Simulation;
        simulation.HangNext(1);
        var running = Assert.Single(await simulated.ScanAsync(1, "running"));
        await simulation.AdvanceAsync(Seconds, TestContext.Current.CancellationToken);
        var pending = Assert.Single(await simulated.ScanAsync(1, "pending"));
        // Before the reaper comes: the waiting row never had a hook.
        simulation.KillJobService();
        await simulated.CatchUpAsync();
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor);
        Assert.Equal(2, (await repairing.RepairAsync()).Length);
        Assert.Equal("Error 3 0 ended", await repairing.TaskAsync(pending));
        Assert.Equal("Error 3 1", await ShapeAsync(harbor, running));

        await simulation.StartJobServiceAsync(TestContext.Current.CancellationToken);
        await simulation.AdvanceAsync(Seconds, TestContext.Current.CancellationToken);
        // One worker: it is at one of them.
        Assert.Contains("Running 2 ", $"{await ShapeAsync(harbor, pending)} {await ShapeAsync(harbor, running)}", StringComparison.Ordinal);
        await simulation.AdvanceAsync(SeventyMinutes, TestContext.Current.CancellationToken);

        Assert.Equal(("Success 3 1", "Success 3 2"), (await ShapeAsync(harbor, pending), await ShapeAsync(harbor, running)));
        Assert.Equal("Success Success", await ExecutionsAsync(harbor));
        await repairing.AgeAsync(TwoMinutes);
        await repairing.VerifyAsync();
        Assert.Equal("finish_task done 2 superseded\nfinish_task done 2 superseded", await repairing.SeenAsync());
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_row_that_is_live_again_is_superseded_before_its_end(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(6), Slow);
        var running = Assert.Single(await simulated.ScanAsync(1, "running"));
        await simulated.Simulation.AdvanceAsync(Seconds, TestContext.Current.CancellationToken);
        simulated.Simulation.KillJobService();
        await simulated.CatchUpAsync();
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor);
        Assert.Single(await repairing.RepairAsync());
        await simulated.Simulation.StartJobServiceAsync(TestContext.Current.CancellationToken);
        await simulated.Simulation.AdvanceAsync(TwoMinutes, TestContext.Current.CancellationToken);
        Assert.Equal("Running 2 2", await ShapeAsync(harbor, running));
        await repairing.AgeAsync(TwoMinutes);

        await repairing.VerifyAsync();

        Assert.Equal("finish_task done 2 superseded", await repairing.SeenAsync());
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task The_same_attempt_of_a_Running_or_a_hooked_Pending_row_is_ignored_and_its_reports_make_it_Success(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(6), Slow);
        var running = Assert.Single(await simulated.ScanAsync(1, "running"));
        await simulated.Simulation.AdvanceAsync(Seconds, TestContext.Current.CancellationToken);
        var pending = Assert.Single(await simulated.ScanAsync(1, "pending"));
        await simulated.CatchUpAsync();
        Assert.Equal(("Running 2 1", "Pending 0 1"), (await ShapeAsync(harbor, running), await ShapeAsync(harbor, pending)));
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor);
        Assert.Equal(2, (await repairing.RepairAsync()).Length);
        await repairing.AgeAsync(TwoMinutes);
        await repairing.VerifyAsync();
        Assert.Equal("finish_task done 1 held\nfinish_task done 1 held", await repairing.SeenAsync());

        await simulated.Simulation.AdvanceAsync(TimeSpan.FromDays(9), TestContext.Current.CancellationToken);
        Assert.Equal(("Error 3 1", "Error 3 1"), (await ShapeAsync(harbor, running), await ShapeAsync(harbor, pending)));
        Assert.Equal(2, await harbor.Database.ScalarAsync<long>("select count(*) from scan_report where report is not null"));
        await repairing.AgeAsync(SeventyMinutes);
        await repairing.VerifyAsync();

        Assert.Equal("finish_task done 2 promoted\nfinish_task done 2 promoted\nfinish_task done 0\nfinish_task done 0", await repairing.SeenAsync());
        Assert.Equal(("Success 3 1", "Success 3 1"), (await ShapeAsync(harbor, running), await ShapeAsync(harbor, pending)));
        Assert.Equal("Success Success", await ExecutionsAsync(harbor));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_row_without_a_revision_takes_no_hook_and_its_reports_make_it_Success(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(6), Slow);
        var running = Assert.Single(await simulated.ScanAsync(1, "running"));
        await simulated.Simulation.AdvanceAsync(Seconds, TestContext.Current.CancellationToken);
        await simulated.CatchUpAsync();
        await harbor.Database.ExecuteAsync($"update task set status_revision = null where id = {running}");
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor);
        Assert.Single(await repairing.RepairAsync());
        await simulated.Simulation.AdvanceAsync(TimeSpan.FromDays(5), TestContext.Current.CancellationToken);
        Assert.Equal("Error 3 1", await ShapeAsync(harbor, running));
        await repairing.AgeAsync(SeventyMinutes);

        await repairing.VerifyAsync();

        Assert.Equal("finish_task done 2 promoted\nfinish_task done 0", await repairing.SeenAsync());
        Assert.Equal("Success 3 1", await ShapeAsync(harbor, running));
        Assert.True(await harbor.Database.ScalarAsync<bool>($"select status_revision is null from task where id = {running}"));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_row_whose_status_alone_was_written_by_hand_is_left_to_the_hook_that_its_code_lets_in(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await using var redis = await RedisServer.StartAsync();
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(6), Slow);
        var running = Assert.Single(await simulated.ScanAsync(1, "running"));
        await simulated.Simulation.AdvanceAsync(Seconds, TestContext.Current.CancellationToken);
        Assert.Equal((1, 0), await simulated.Simulation.RunManualFixAsync(TestContext.Current.CancellationToken));
        await simulated.CatchUpAsync();
        // This time the exporter sees the Redis in which the job lives.
        await simulated.Simulation.MoveToRedisAsync(redis.Database);
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor, redis: redis);
        await repairing.SeeTwiceAsync();
        await simulated.CatchUpAsync();

        var result = await repairing.RunAsync();

        // The execution may follow what its tasks say, as Harbor's own refresh has it; the task is left alone.
        Assert.All(result.Outcomes, outcome => Assert.Equal(RepairAction.RefreshExecution, outcome.Repair.Action));
        Assert.Contains(result.Plan!.Refusals, refusal => refusal is { Reason: "worker_holds", TaskId: { } task } && task == running);
        Assert.Equal("Error 2 1", await ShapeAsync(harbor, running));
        await simulated.Simulation.AdvanceAsync(TimeSpan.FromDays(5), TestContext.Current.CancellationToken);
        Assert.Equal(("Success 3 1", "Success"), (await ShapeAsync(harbor, running), await ExecutionsAsync(harbor)));
    }

    /// <summary>Status, code and run_count: what tells a new run from the same attempt.</summary>
    private static Task<string> ShapeAsync(TestHarbor harbor, long task) =>
        harbor.Database.ScalarAsync<string>($"select concat_ws(' ', status, status_code, run_count) from task where id = {task}");

    private static Task<string> ExecutionsAsync(TestHarbor harbor) =>
        harbor.Database.ScalarAsync<string>("select string_agg(status, ' ' order by id) from execution where vendor_type = 'IMAGE_SCAN'");
}
