using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Diagnosis;

public sealed class ScanAllBlockTests
{
    private static readonly ScanExecution Running = new() { Id = 1, Type = ScanType.ScanAll, Status = ScanStatus.Running, Trigger = "MANUAL" };

    [Fact]
    public void A_dead_run_blocks()
    {
        Assert.True(ScanAllBlock.Holds(Running, Inconsistency.ExecutionNotRefreshed, []));
        Assert.True(ScanAllBlock.Holds(Running, Inconsistency.ExecutionWithoutTasks, []));
        Assert.True(ScanAllBlock.Holds(Running, null, [Judgement.Lost, Judgement.Overdue]));
    }

    [Fact]
    public void A_live_run_does_not_block()
    {
        Assert.False(ScanAllBlock.Holds(Running, null, [Judgement.Lost, Judgement.Running]));
        Assert.False(ScanAllBlock.Holds(Running, null, [Judgement.Queued]));
        Assert.False(ScanAllBlock.Holds(Running, null, [Judgement.Unjudged]));
    }

    [Fact]
    public void A_run_between_two_refreshes_does_not_block() => Assert.False(ScanAllBlock.Holds(Running, null, []));

    [Fact]
    public void A_run_that_is_over_does_not_block()
    {
        Assert.False(ScanAllBlock.Holds(Running with { Status = ScanStatus.Success }, Inconsistency.ExecutionFinalWithOpenTask, [Judgement.Lost]));
        Assert.False(ScanAllBlock.Holds(null, null, []));
    }
}
