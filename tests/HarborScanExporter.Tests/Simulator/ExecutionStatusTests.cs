namespace HarborScanExporter.Tests.Simulator;

/// <summary>How the status of an execution follows from its tasks, and when.</summary>
public sealed class ExecutionStatusTests
{
    [Theory]
    [InlineData("Success", "Success", "Success")]
    [InlineData("Stopped", "Success", "Stopped")]
    [InlineData("Stopped", "Error", "Error")]
    [InlineData("Error", "Success", "Error")]
    [InlineData("Scheduled", "Error", "Running")]
    [InlineData("Pending", "Stopped", "Running")]
    [InlineData("Running", "Success", "Running")]
    public async Task Open_tasks_come_before_Error_before_Stopped_before_Success(string second, string third, string expected)
    {
        await using var simulated = await Simulated.StartAsync();
        var scan = await simulated.Harbor.PushAndScanAsync(children: 3, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(3, scan.TaskIds.Count);
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(2));
        await simulated.Harbor.LoseJobAsync(scan.TaskIds[1], TestContext.Current.CancellationToken);
        await simulated.Harbor.LoseJobAsync(scan.TaskIds[2], TestContext.Current.CancellationToken);
        await simulated.RunAsync($"update task set status = '{second}' where id = {scan.TaskIds[1]}");
        await simulated.RunAsync($"update task set status = '{third}' where id = {scan.TaskIds[2]}");
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3", await simulated.StatusAsync(scan.TaskIds[0]));
        Assert.Equal($"{expected}|{(expected == "Running" ? "t" : "f")}", await simulated.OneAsync($"select status, end_time is null from execution where id = {scan.ExecutionId}"));
    }

    [Theory]
    [InlineData("2.7.4", true)]
    [InlineData("2.8.0", false)]
    [InlineData("2.15.0", false)]
    public async Task Up_to_2_7_a_hook_refreshes_at_once_and_from_2_8_on_within_30_seconds(string release, bool atOnce)
    {
        await using var simulated = await Simulated.StartAsync(release);
        var (task, execution) = await simulated.RunningScanAsync();
        Assert.Equal(atOnce ? "1" : "0", await simulated.OneAsync($"select revision from execution where id = {execution}"));
        for (var second = 0; second < 120 && await simulated.StatusAsync(task) != "Success|3"; second++) await simulated.AdvanceAsync(TimeSpan.FromSeconds(1));
        if (atOnce) Assert.Equal("Success", await simulated.ExecutionAsync(execution));
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(31));
        Assert.Equal("Success|t", await simulated.OneAsync(
            $"select status, end_time = (select max(end_time) from task where execution_id = {execution}) from execution where id = {execution}"));
    }

    [Fact]
    public async Task A_lost_refresh_leaves_the_execution_Running_and_blocks_a_manual_scan_all()
    {
        await using var simulated = await Simulated.StartAsync();
        await simulated.Harbor.PushAsync(cancellationToken: TestContext.Current.CancellationToken);
        var scanAll = await simulated.Harbor.ScanAllAsync(cancellationToken: TestContext.Current.CancellationToken);
        simulated.Harbor.LoseRefresh(scanAll.ExecutionId!.Value);
        await simulated.AdvanceAsync(TimeSpan.FromHours(100));
        Assert.Equal("Running||1|0", await simulated.OneAsync($"""
            select e.status, e.end_time, count(*), count(*) filter (where t.status_code < 3)
            from execution e join task t on t.execution_id = e.id where e.id = {scanAll.ExecutionId} group by e.id
            """));
        var refused = await simulated.Harbor.ScanAllAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("a previous scan all job aleady exits, its status is Running", refused.Refusal);
        Assert.True((await simulated.Harbor.ScanAllAsync(manual: false, TestContext.Current.CancellationToken)).Accepted);
    }

    [Fact]
    public async Task An_execution_whose_revision_is_NULL_is_never_refreshed()
    {
        await using var simulated = await Simulated.StartAsync();
        var (_, execution) = await simulated.RunningScanAsync();
        await simulated.RunAsync($"update execution set revision = null where id = {execution}");
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Running", await simulated.ExecutionAsync(execution));
    }
}
