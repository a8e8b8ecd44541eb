using HarborSimulator;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>What people do to whole queues, and what it leaves in the rows.</summary>
public sealed class QueueTests
{
    [Fact]
    public async Task Stopping_the_queue_leaves_code_0_no_end_the_robots_and_the_scan_all_execution_Running()
    {
        await using var simulated = await Simulated.StartAsync("2.11.0");
        for (var i = 0; i < 3; i++) await simulated.Harbor.PushAsync(tag: $"{i}", cancellationToken: TestContext.Current.CancellationToken);
        await simulated.Harbor.PauseQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        var scanAll = await simulated.Harbor.ScanAllAsync(cancellationToken: TestContext.Current.CancellationToken);
        var single = await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(4, await simulated.Harbor.StopQueueAsync(cancellationToken: TestContext.Current.CancellationToken));
        await simulated.AdvanceAsync(TimeSpan.FromHours(3));
        Assert.Equal(["IMAGE_SCAN|Stopped|0||1", "SCAN_ALL|Stopped|0||3"], await simulated.RowsAsync(
            "select vendor_type, status, status_code, end_time, count(*) from task group by 1, 2, 3, 4 order by 1"));
        Assert.Equal("Stopped", await simulated.ExecutionAsync(single.Execution));
        Assert.Equal("Running", await simulated.ExecutionAsync(scanAll.ExecutionId));
        Assert.Equal("4|4", await simulated.OneAsync("select count(*), count(*) filter (where not visible and description = 'for scan' and expiresat = -1) from robot"));
    }

    [Theory]
    [InlineData("2.7.2", "Pending")]
    [InlineData("2.7.3", "Stopped")]
    [InlineData("2.8.4", "Pending")]
    [InlineData("2.8.5", "Stopped")]
    [InlineData("2.9.0", "Pending")]
    [InlineData("2.9.1", "Stopped")]
    public async Task Where_the_stop_left_the_records_the_reaper_turns_the_rows_back_to_Pending(string release, string expected)
    {
        await using var simulated = await Simulated.StartAsync(release);
        await simulated.Harbor.PauseQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        var (task, _) = await simulated.ScanAsync();
        await simulated.Harbor.StopQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("Stopped|0", await simulated.StatusAsync(task));
        await simulated.AdvanceAsync(TimeSpan.FromHours(1.2));
        Assert.Equal($"{expected}|0", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_job_that_waits_a_day_in_a_paused_queue_becomes_Error_loses_its_robot_and_fails_when_it_runs()
    {
        await using var simulated = await Simulated.StartAsync();
        await simulated.Harbor.PauseQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        var (task, _) = await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal("IMAGE_SCAN|t", await simulated.OneAsync("select job_type, paused from job_queue_status"));
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(TestContext.Current.CancellationToken));
        Assert.Equal((ScanFate.Paused, true), (truth.Fate, truth.WillEndByItself));
        Assert.Equal(new DateTime(2026, 9, 22, 0, 5, 0, DateTimeKind.Utc), truth.HealsAt);
        await simulated.AdvanceAsync(TimeSpan.FromHours(23));
        Assert.Equal("Error|3|1", await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
        Assert.Equal("0", await simulated.OneAsync("select count(*) from robot"));
        await simulated.Harbor.ResumeQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("Running|2|2", await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Error|3|2", await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
        Assert.Equal("t", await simulated.OneAsync("select report is null from scan_report"));
    }

    [Fact]
    public async Task Queues_cannot_be_stopped_before_2_7()
    {
        await using var simulated = await Simulated.StartAsync("2.6.4");
        await Assert.ThrowsAsync<NotSupportedException>(() => simulated.Harbor.StopQueueAsync(cancellationToken: TestContext.Current.CancellationToken));
    }
}
