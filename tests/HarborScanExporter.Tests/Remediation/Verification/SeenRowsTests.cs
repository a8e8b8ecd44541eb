using HarborScanExporter.Remediation.Verification;

namespace HarborScanExporter.Tests.Remediation.Verification;

/// <summary>What rows say of a repair, as harbor-facts 7.3 has it.</summary>
public sealed class SeenRowsTests
{
    [Theory]
    // The row was Error with code 3 and revision 1000 when the repair left it.
    [InlineData("finish_task", "Error", "Error", 3, 1000, "held")]
    [InlineData("finish_task", "Error", "Error", 2, 1000, "reverted")]
    [InlineData("finish_task", "Error", "Running", 2, 1000, "reverted")]
    [InlineData("finish_task", "Error", "Pending", 0, 999, "reverted")]
    [InlineData("finish_task", "Error", "Running", 2, 1001, "superseded")]
    [InlineData("finish_task", "Error", "Pending", 0, 1001, "superseded")]
    [InlineData("finish_task", "Error", "Error", 3, 1001, "superseded")]
    [InlineData("finish_task", "Error", "Success", 3, 1001, "superseded")]
    [InlineData("finish_task", "Error", "Stopped", 3, 1000, "superseded")]
    [InlineData("finish_task", "Success", "Success", 3, 1000, "held")]
    [InlineData("finish_task", "Success", "Succeed", 3, 1000, "reverted")]
    [InlineData("fix_status_code", "Stopped", "Stopped", 3, 1000, "held")]
    [InlineData("fix_status_code", "Stopped", "Stopped", 0, 1000, "reverted")]
    [InlineData("fix_status_code", "Stopped", "Pending", 0, 1001, "superseded")]
    [InlineData("stop_job", "Stopped", "Stopped", 3, 1000, "held")]
    [InlineData("stop_job", "Stopped", "Stopped", 3, 1001, "held")]
    [InlineData("stop_job", "Stopped", "Success", 3, 1000, "superseded")]
    [InlineData("stop_job", "Stopped", "Running", 2, 1001, "superseded")]
    [InlineData("stop_job", "Stopped", "Running", 2, 1000, null)]
    public void A_task_is_seen(string action, string left, string status, int code, int revision, string? expected) => Assert.Equal(
        expected, SeenRows.Of(new DueCheck { Action = action, Status = left, Revision = 1000 }, new TaskNow { Status = status, Code = code, Revision = revision }).Word());

    [Theory]
    [InlineData("refresh_execution", "Error", "Error", "Error", "held")]
    [InlineData("refresh_execution", "Error", "Success", "Success", "superseded")]
    [InlineData("refresh_execution", "Error", "Running", "Running", "superseded")]
    [InlineData("refresh_execution", "Error", "Running", "Error", "reverted")]
    [InlineData("refresh_execution", "Error", "Running", null, "reverted")]
    [InlineData("close_empty_execution", "Error", "Error", null, "held")]
    [InlineData("close_empty_execution", "Error", "Running", null, "reverted")]
    [InlineData("close_empty_execution", "Error", "Running", "Success", "superseded")]
    [InlineData("close_empty_execution", "Error", "Success", null, "superseded")]
    public void An_execution_is_seen(string action, string left, string status, string? tasks, string expected) =>
        Assert.Equal(expected, SeenRows.Of(new DueCheck { Action = action, Status = left }, new ExecutionNow(status, tasks)).Word());

    [Fact]
    public void A_row_that_was_swept_was_over()
    {
        Assert.Equal(Seen.Held, SeenRows.Of(new DueCheck { Action = "finish_task", Status = "Error" }, (TaskNow?)null));
        Assert.Equal(Seen.Held, SeenRows.Of(new DueCheck { Action = "refresh_execution", Status = "Error" }, (ExecutionNow?)null));
    }

    [Theory]
    [InlineData(0, 60, 1)]
    [InlineData(0, 4199, 1)]
    [InlineData(0, 4200, 2)]
    [InlineData(1, 4200, 2)]
    public void A_first_look_at_the_time_of_the_second_is_both(long checks, double age, long after) => Assert.Equal(after, new DueCheck { Checks = checks, Age = age }.ChecksAfter);
}
