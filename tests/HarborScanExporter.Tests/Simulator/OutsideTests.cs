namespace HarborScanExporter.Tests.Simulator;

/// <summary>Late commits, restored tables and a failover leave the rows that PostgreSQL would, and the simulated Harbor goes on with them.</summary>
public sealed class OutsideTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scan_that_commits_late_appears_below_ids_that_others_already_see()
    {
        await using var simulated = await Simulated.StartAsync();
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        await using var late = await simulated.Harbor.BeginScanAsync(artifact, Token);
        var (task, execution) = await simulated.ScanAsync();
        Assert.True(task > late.TaskId && execution > late.ExecutionId);
        Assert.Equal("0", await simulated.OneAsync($"select count(*) from task where id = {late.TaskId}"));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(12));
        await late.CommitAsync(Token);
        Assert.Equal("Pending|0", await simulated.StatusAsync(late.TaskId));
        Assert.Equal("Success|3", await simulated.StatusAsync(task));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3", await simulated.StatusAsync(late.TaskId));
        Assert.Equal("Success", await simulated.ExecutionAsync(late.ExecutionId));
    }

    [Fact]
    public async Task A_scan_that_is_rolled_back_leaves_a_gap_and_no_job()
    {
        await using var simulated = await Simulated.StartAsync();
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        await (await simulated.Harbor.BeginScanAsync(artifact, Token)).DisposeAsync();
        await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("1|2", await simulated.OneAsync("select count(*), min(id) from task where vendor_type = 'IMAGE_SCAN'"));
    }

    [Fact]
    public async Task Restored_tables_are_those_of_the_copy_and_their_ids_are_given_again()
    {
        await using var simulated = await Simulated.StartAsync();
        var (kept, _) = await simulated.RunningScanAsync();
        var rows = await simulated.RowsAsync("select id, status, status_code, status_revision from task order by id");
        await simulated.Harbor.BackUpAsync(Token);
        var (lost, _) = await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3", await simulated.StatusAsync(kept));
        await simulated.Harbor.RestoreAsync(Token);
        Assert.Equal(rows, await simulated.RowsAsync("select id, status, status_code, status_revision from task order by id"));
        Assert.Equal("Running|2", await simulated.StatusAsync(kept));
        // Ids were taken from the sequence 50 at a time when the copy was made.
        var again = await simulated.Harbor.PushAndScanAsync(tag: "again", cancellationToken: Token);
        Assert.True(again.TaskIds[0] > lost && again.TaskIds[0] <= kept + 50, $"{kept}, {lost}, {again.TaskIds[0]}");
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3", await simulated.StatusAsync(again.TaskIds[0]));
    }

    [Fact]
    public async Task A_failover_loses_the_newest_rows_and_ends_and_gives_their_ids_to_others()
    {
        await using var simulated = await Simulated.StartAsync();
        var (old, execution) = await simulated.RunningScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        var (ended, _) = await simulated.RunningScanAsync();
        var newest = await simulated.ScanAsync();
        await simulated.Harbor.FailOverAsync(TimeSpan.FromSeconds(1), Token);
        Assert.Equal("0", await simulated.OneAsync($"select count(*) from task where id = {newest.Task}"));
        Assert.Equal("Success|3", await simulated.StatusAsync(old));
        Assert.Equal("Success", await simulated.ExecutionAsync(execution));
        Assert.Equal("Running|2", await simulated.StatusAsync(ended));
        var (again, againExecution) = await simulated.ScanAsync();
        Assert.Equal(newest, (again, againExecution));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3", await simulated.StatusAsync(again));
        Assert.Equal("Success|3", await simulated.StatusAsync(ended));
        await simulated.Harbor.FailOverAsync(TimeSpan.FromMinutes(5), Token);
        Assert.Equal("Running|2", await simulated.StatusAsync(ended));
    }

    [Fact]
    public async Task A_deleted_execution_takes_its_tasks_with_it()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, execution) = await simulated.RunningScanAsync();
        await simulated.Harbor.DeleteExecutionAsync(execution, Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("0|0", await simulated.OneAsync($"select (select count(*) from task where id = {task}), (select count(*) from execution where id = {execution})"));
        Assert.True(simulated.Harbor.Happened["hook refused"] > 0);
    }
}
