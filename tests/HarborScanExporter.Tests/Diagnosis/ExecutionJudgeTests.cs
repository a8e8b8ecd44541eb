using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Diagnosis;

public sealed class ExecutionJudgeTests
{
    private const double Now = 1_789_992_000;

    private static readonly Limits Defaults = new() { MaxJobDuration = 86400, LostAfter = 7800, RunningLimit = 7200, Settle = 300 };

    private static readonly ScanExecution Running = new() { Id = 1, Type = ScanType.ImageScan, Status = ScanStatus.Running, Started = Now - 9000, Updated = Now - 9000 };

    private static readonly ScanExecution Enumerating = Running with { Type = ScanType.ScanAll };

    [Fact]
    public void Running_over_finished_tasks_is_not_refreshed()
    {
        Assert.Equal("execution_not_refreshed", Judge(Running, open: 0, tasks: 3, newest: Now - 301));
        Assert.Null(Judge(Running, open: 0, tasks: 3, newest: Now - 300));
    }

    [Fact]
    public void Running_without_a_task_is_without_tasks()
    {
        Assert.Equal("execution_without_tasks", Judge(Running, open: 0, tasks: 0, newest: null));
        Assert.Null(Judge(Running with { Started = Now - 300, Updated = Now - 300 }, open: 0, tasks: 0, newest: null));
    }

    [Fact]
    public void A_scan_all_without_its_summary_is_given_fifteen_minutes()
    {
        Assert.Null(Judge(Enumerating, open: 0, tasks: 5, newest: Now - 900));
        Assert.Equal("execution_not_refreshed", Judge(Enumerating, open: 0, tasks: 5, newest: Now - 901));
        Assert.Null(Judge(Enumerating with { Started = Now - 900, Updated = null }, open: 0, tasks: 0, newest: null));
        Assert.Equal("execution_without_tasks", Judge(Enumerating with { Started = Now - 901, Updated = null }, open: 0, tasks: 0, newest: null));
    }

    [Fact]
    public void A_scan_all_with_its_summary_is_given_the_usual_time() =>
        Assert.Equal("execution_not_refreshed",
            Judge(Enumerating with { Summary = new ScanAllSummary(5, 5, 0, 0, 0, 0) }, open: 0, tasks: 5, newest: Now - 301));

    [Fact]
    public void A_longer_settle_setting_holds_for_a_scan_all_too() =>
        Assert.Null(ExecutionJudge.Judge(Enumerating, 0, new ExecutionTasks(5, Now - 1000), Now, Defaults with { Settle = 1000 }));

    [Fact]
    public void Running_with_an_open_task_is_as_it_should_be() => Assert.Null(Judge(Running, open: 1, tasks: 3, newest: Now - 9000));

    [Theory]
    [InlineData(ScanStatus.Success)]
    [InlineData(ScanStatus.Error)]
    [InlineData(ScanStatus.Stopped)]
    public void Final_over_an_open_task_is_a_contradiction(string status)
    {
        Assert.Equal("execution_final_with_open_task", Judge(Running with { Status = status }, open: 1, tasks: 3, newest: Now - 301));
        Assert.Null(Judge(Running with { Status = status }, open: 1, tasks: 3, newest: Now - 299));
        Assert.Null(Judge(Running with { Status = status }, open: 0, tasks: 3, newest: Now - 9000));
    }

    [Fact]
    public void The_executions_own_newest_change_counts_too() =>
        Assert.Null(Judge(Running with { Updated = Now - 20 }, open: 0, tasks: 3, newest: Now - 9000));

    [Fact]
    public void Without_any_time_nothing_is_called_inconsistent() =>
        Assert.Null(Judge(Running with { Started = null, Updated = null }, open: 0, tasks: 0, newest: null));

    [Fact]
    public void A_foreign_status_word_is_no_contradiction() => Assert.Null(Judge(Running with { Status = "Succeed" }, open: 0, tasks: 1, newest: Now - 9000));

    private static string? Judge(ScanExecution execution, int open, long tasks, double? newest) =>
        ExecutionJudge.Judge(execution, open, new ExecutionTasks(tasks, newest), Now, Defaults);
}
