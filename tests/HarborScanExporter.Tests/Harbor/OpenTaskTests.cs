using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Harbor;

public sealed class OpenTaskTests
{
    private const double Now = 1_789_992_000;

    [Fact]
    public void A_waiting_task_ages_from_its_creation_or_its_confirmation_whichever_is_later()
    {
        Assert.Equal(3600, Waiting(created: Now - 3600).WaitingAge(Now));
        Assert.Equal(60, Waiting(created: Now - 3600, revision: (long)Now - 60).WaitingAge(Now));
        Assert.Equal(3600, Waiting(created: Now - 3600, revision: (long)Now - 7200).WaitingAge(Now));
    }

    [Fact]
    public void Without_a_creation_time_the_executions_start_counts() =>
        Assert.Equal(500, (Waiting(created: null) with { ExecutionStarted = Now - 500 }).WaitingAge(Now));

    [Fact]
    public void Without_any_time_the_age_is_zero()
    {
        Assert.Equal(0, Waiting(created: null).WaitingAge(Now));
        Assert.Equal(0, (Waiting(created: null) with { Status = ScanStatus.Running }).RunningAge(Now));
    }

    [Fact]
    public void A_time_in_the_future_is_age_zero() => Assert.Equal(0, Waiting(created: Now + 99).WaitingAge(Now));

    [Fact]
    public void A_running_task_ages_from_the_hook_that_said_so_not_from_its_enqueueing()
    {
        var running = Waiting(created: Now - 9000) with { Status = ScanStatus.Running, Started = Now - 9000, Updated = Now - 60 };
        Assert.Equal(60, running.RunningAge(Now));
        Assert.Equal(9000, (running with { Updated = null }).RunningAge(Now));
        Assert.Equal(60, running.AgeAt(Now));
    }

    private static ScanTask Waiting(double? created, long revision = 0) => new()
    {
        Id = 1,
        ExecutionId = 1,
        Type = ScanType.ImageScan,
        Status = ScanStatus.Pending,
        StatusCode = 0,
        StatusRevision = revision,
        RunCount = revision > 0 ? 1 : 0,
        Created = created,
    };
}
