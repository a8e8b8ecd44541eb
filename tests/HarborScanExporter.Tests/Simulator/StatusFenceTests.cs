namespace HarborScanExporter.Tests.Simulator;

/// <summary>What a late hook does to a row that was changed meanwhile: the revision, then the code, decides.</summary>
public sealed class StatusFenceTests
{
    private const string Repaired = "status = 'Error', status_code = 3, end_time = timestamp '2026-09-21 00:00:00'";

    [Theory]
    [InlineData(Repaired, "Error|3|1")]
    [InlineData("status = 'Error'", "Success|3|1")]
    [InlineData($"{Repaired}, status_revision = status_revision - 1", "Success|3|2")]
    [InlineData($"{Repaired}, status_revision = null", "Error|3|1")]
    [InlineData("status_revision = null", "Running|2|1")]
    [InlineData("status_revision = status_revision + 1", "Running|2|1")]
    [InlineData("status_code = 3", "Running|3|1")]
    [InlineData("status_code = 0", "Success|3|1")]
    public async Task A_running_row_that_was_changed_meets_the_end_of_the_same_attempt(string change, string expected)
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.RunningScanAsync();
        Assert.Equal("Running|2|1", await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
        await simulated.RunAsync($"update task set {change} where id = {task}");
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(expected, await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
        // The work was done and its robot deleted, whatever became of the row.
        Assert.Equal("t", await simulated.OneAsync("select report is not null from scan_report"));
        Assert.Equal("0", await simulated.OneAsync("select count(*) from robot"));
    }

    [Fact]
    public async Task A_repaired_Pending_row_that_was_never_hooked_comes_back_to_life()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.ScanAsync();
        await simulated.RunAsync($"update task set {Repaired} where id = {task}");
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("Running|2", await simulated.StatusAsync(task));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3", await simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_repaired_Pending_row_that_the_reaper_had_hooked_stays_as_it_is()
    {
        await using var simulated = await Simulated.StartAsync();
        await simulated.Harbor.PauseQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        var (task, _) = await simulated.ScanAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(6));
        Assert.Equal("Pending|0|1|1790000000|0001-01-01 00:00:00.000000|t", await simulated.OneAsync(
            $"select status, status_code, run_count, status_revision - extract(epoch from start_time)::bigint + 1790000000, end_time, start_time < update_time from task where id = {task}"));
        await simulated.RunAsync($"update task set {Repaired} where id = {task}");
        await simulated.Harbor.ResumeQueueAsync(cancellationToken: TestContext.Current.CancellationToken);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Error|3", await simulated.StatusAsync(task));
        Assert.Equal("t", await simulated.OneAsync("select report is not null from scan_report"));
    }

    [Fact]
    public async Task A_repaired_Running_row_is_taken_over_by_a_rerun_after_a_crash()
    {
        await using var simulated = await Simulated.StartAsync();
        var (task, _) = await simulated.RunningScanAsync();
        simulated.Harbor.KillJobService();
        await simulated.RunAsync($"update task set {Repaired} where id = {task}");
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(2));
        await simulated.Harbor.StartJobServiceAsync(TestContext.Current.CancellationToken);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Success|3|2", await simulated.OneAsync($"select status, status_code, run_count from task where id = {task}"));
    }

    [Fact]
    public async Task The_ORM_writes_microseconds_and_NULL_and_a_hook_whole_seconds_and_the_year_one()
    {
        await using var simulated = await Simulated.StartAsync();
        await simulated.AdvanceAsync(TimeSpan.FromMicroseconds(123456));
        var (task, _) = await simulated.ScanAsync();
        Assert.Equal("2026-09-21 00:00:00.123456||2026-09-21 00:00:00.123456||0|0|", await simulated.OneAsync(
            $"select creation_time, start_time, update_time, end_time, status_revision, run_count, status_message from task where id = {task}"));
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Equal("2026-09-21 00:00:00.000000|t|0001-01-01 00:00:00.000000|t", await simulated.OneAsync(
            $"select start_time, update_time = date_trunc('second', update_time), end_time, status_revision = extract(epoch from start_time) from task where id = {task}"));
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("t|t", await simulated.OneAsync($"select update_time = end_time, end_time = date_trunc('second', end_time) from task where id = {task}"));
    }
}
