using HarborSimulator;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>EXECUTION_SWEEP: the dangling fixer and the foreign-key failure of 2.8.0 to 2.11.0.</summary>
public sealed class SweepTests
{
    [Theory]
    [InlineData("2.9.1", true)]
    [InlineData("2.9.5", true)]
    [InlineData("2.10.3", true)]
    [InlineData("2.11.0", true)]
    [InlineData("2.11.1", false)]
    [InlineData("2.12.0", false)]
    [InlineData("2.16.0", false)]
    public async Task A_final_execution_with_code_0_below_it_stops_the_sweep_of_its_vendor_up_to_2_11_0(string release, bool fails)
    {
        await using var simulated = await Simulated.StartAsync(release);
        var stuck = await simulated.Harbor.PushAsync(tag: "stuck", cancellationToken: TestContext.Current.CancellationToken);
        await simulated.Harbor.PauseQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        await simulated.Harbor.ScanAsync(stuck, TestContext.Current.CancellationToken);
        Assert.Equal(1, await simulated.Harbor.StopQueueAsync(cancellationToken: TestContext.Current.CancellationToken));
        await simulated.Harbor.ResumeQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(1));
        var healthy = await simulated.Harbor.PushAsync(tag: "healthy", cancellationToken: TestContext.Current.CancellationToken);
        foreach (var artifact in (HarborArtifact[])[stuck, healthy, stuck, healthy])
        {
            Assert.True((await simulated.Harbor.ScanAsync(artifact, TestContext.Current.CancellationToken)).Accepted);
            await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        }
        // 5 executions, the newest of each artifact is kept: 3 candidates, one of them over a Stopped task with code 0.
        var sweep = await simulated.Harbor.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, sweep.DeletedTasks);
        Assert.Equal(fails ? ["IMAGE_SCAN"] : Array.Empty<string>(), sweep.FailedVendors);
        Assert.Equal(fails ? 0 : 2, sweep.DeletedExecutions);
        Assert.Equal(fails ? "5" : "3", await simulated.OneAsync("select count(*) from execution"));
        Assert.Equal("3|1", await simulated.OneAsync("select count(*), count(*) filter (where status = 'Stopped' and status_code = 0) from task"));
    }

    [Fact]
    public async Task IMAGE_SCAN_was_not_swept_in_2_8()
    {
        await using var simulated = await Simulated.StartAsync("2.8.6");
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: TestContext.Current.CancellationToken);
        for (var i = 0; i < 3; i++)
        {
            await simulated.Harbor.ScanAsync(artifact, TestContext.Current.CancellationToken);
            await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        }
        Assert.Equal(0, (await simulated.Harbor.SweepAsync(TestContext.Current.CancellationToken)).DeletedExecutions);
    }

    [Fact]
    public async Task Before_2_8_a_new_scan_all_sweeps_all_but_the_five_newest()
    {
        await using var simulated = await Simulated.StartAsync("2.7.4");
        await simulated.Harbor.PushAsync(cancellationToken: TestContext.Current.CancellationToken);
        for (var i = 0; i < 8; i++)
        {
            Assert.True((await simulated.Harbor.ScanAllAsync(cancellationToken: TestContext.Current.CancellationToken)).Accepted);
            await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        }
        Assert.Equal("5|5", await simulated.OneAsync("select (select count(*) from execution), (select count(*) from task)"));
    }

    [Fact]
    public async Task The_dangling_fixer_calls_an_execution_over_a_Pending_task_Success_and_writes_nothing_else()
    {
        await using var simulated = await Simulated.StartAsync("2.11.0");
        var (task, execution) = await simulated.ScanAsync();
        await simulated.Harbor.LoseRedisAsync(TestContext.Current.CancellationToken);
        await simulated.AdvanceAsync(TimeSpan.FromHours(167));
        Assert.Equal(0, await simulated.Harbor.FixDanglingAsync(TestContext.Current.CancellationToken));
        await simulated.AdvanceAsync(TimeSpan.FromHours(2));
        var before = await simulated.OneAsync($"select start_time, update_time, revision from execution where id = {execution}");
        Assert.Equal(1, await simulated.Harbor.FixDanglingAsync(TestContext.Current.CancellationToken));
        Assert.Equal($"Success||{before}", await simulated.OneAsync($"select status, end_time, start_time, update_time, revision from execution where id = {execution}"));
        Assert.Equal("Pending|0", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_Running_task_protects_its_execution_from_the_dangling_fixer()
    {
        await using var simulated = await Simulated.StartAsync("2.11.0");
        var (task, execution) = await simulated.RunningScanAsync();
        await simulated.Harbor.LoseJobAsync(task, TestContext.Current.CancellationToken);
        await simulated.AdvanceAsync(TimeSpan.FromHours(200));
        Assert.Equal(0, await simulated.Harbor.FixDanglingAsync(TestContext.Current.CancellationToken));
        Assert.Equal("Running", await simulated.ExecutionAsync(execution));
    }

    [Theory]
    [InlineData("2.11.0", 24)]
    [InlineData("2.12.0", 1)]
    public async Task Sweeps_run_hourly_up_to_2_11_and_daily_from_2_12(string release, int runs)
    {
        await using var simulated = await Simulated.StartAsync(release, new SimulationSettings { ErrorShare = 0 });
        await simulated.AdvanceAsync(TimeSpan.FromHours(24) + TimeSpan.FromMinutes(5));
        var created = simulated.Harbor.Happened["EXECUTION_SWEEP Success"];
        Assert.Equal(runs, created);
        Assert.Equal("Scheduled|1|Running", await simulated.OneAsync(
            "select t.status, t.status_code, e.status from task t join execution e on e.id = t.execution_id where t.vendor_type = 'SCHEDULER'"));
    }
}
