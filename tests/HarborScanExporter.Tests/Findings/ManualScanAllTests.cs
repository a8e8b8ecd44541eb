using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Findings;

/// <summary>What Harbor would answer to the request for a manual scan-all, and why.</summary>
public sealed class ManualScanAllTests
{
    private static readonly ScanExecution Newest = Execution(age: 2 * Hour);
    private static readonly ScanExecution Summarised = Newest with { Summary = new ScanAllSummary(5, 5, 0, 0, 0, 0) };

    [Fact]
    public void Without_one_or_with_one_that_is_over_for_Harbor_it_is_allowed()
    {
        foreach (var newest in new[] { null, Newest with { Status = ScanStatus.Success }, Newest with { Status = ScanStatus.Stopped } })
        {
            var answer = Of(Diagnosed(Child(Judgement.Lost)) with { NewestManualScanAll = newest });
            Assert.Equal((false, false, null, "allowed"), (answer.IsRefused, answer.IsBlocked, answer.Reason, answer.Text));
        }
    }

    [Fact]
    public void One_that_is_alive_refuses_another_and_blocks_nothing()
    {
        var answer = Of(Diagnosed(Child(Judgement.Lost), Child(Judgement.Queued)) with { NewestManualScanAll = Summarised });
        Assert.Equal((true, false, "refused: execution 812 is running since 2026-09-21 10:00 UTC"), (answer.IsRefused, answer.IsBlocked, answer.Text));
        Assert.Equal("refused: execution 812 is running", Of(Diagnosed(Child(Judgement.Queued)) with { NewestManualScanAll = Newest with { Started = null } }).Text);
    }

    [Fact]
    public void One_that_is_over_refuses_another_until_it_is_refreshed()
    {
        var answer = Of(Diagnosed() with { NewestManualScanAll = Summarised });
        Assert.Equal((true, false, "refused: execution 812, Running since 2026-09-21 10:00 UTC, is over but not refreshed yet"), (answer.IsRefused, answer.IsBlocked, answer.Text));
        Assert.Equal("refused: execution 812, Running since 2026-09-21 10:00 UTC, has no open task: it still looks for artifacts, or is over but not refreshed yet",
            Of(Diagnosed() with { NewestManualScanAll = Newest }).Text);
    }

    [Theory]
    [InlineData(Inconsistency.ExecutionNotRefreshed, "is over but not refreshed")]
    [InlineData(Inconsistency.ExecutionWithoutTasks, "has no task")]
    public void One_that_contradicts_its_tasks_blocks(string kind, string why)
    {
        var answer = Of(Diagnosed() with { NewestManualScanAll = Newest, BlockingScanAll = Newest, Executions = [new InconsistentExecution(Newest, kind, 0, 0)] });
        Assert.Equal((true, true, $"refused: blocked since 2026-09-21 10:00 UTC; execution 812 {why}"), (answer.IsRefused, answer.IsBlocked, answer.Text));
    }

    [Fact]
    public void One_whose_open_tasks_are_all_stuck_blocks()
    {
        var answer = Of(Diagnosed(Child(Judgement.Lost)) with { NewestManualScanAll = Newest, BlockingScanAll = Newest });
        Assert.Equal((true, true, "refused: blocked since 2026-09-21 10:00 UTC; execution 812 has only stuck tasks open"), (answer.IsRefused, answer.IsBlocked, answer.Text));
        Assert.Same(Newest, answer.By);
    }

    private static ManualScanAll Of(Diagnosed diagnosed) => ManualScanAll.Of(diagnosed);

    private static JudgedTask Child(Judgement judgement) => Judged(judgement, Waiting(Hour) with { ExecutionId = 812, Type = ScanType.ScanAll });
}
