using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;
using static HarborScanExporter.Tests.Tracking.ScanRows;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>What tasks that are over say together, from one read of the whole table on.</summary>
public sealed class TaskTallyTests
{
    [Fact]
    public void It_begins_with_what_the_whole_table_says_of_those_that_are_over()
    {
        var pass = Tally([Task(1, "Success"), Task(2, "Success"), Task(3, "Error", 4, code: 2), Task(4, "Running")]).With([], 5);

        Assert.Equal((2, 1, 0), (pass.Count("Success"), pass.Count("Error"), pass.Count("Running")));
        Assert.Equal([4], LowCodes(pass));
        Assert.Equal(5, pass.Hooks);
        Assert.Empty(pass.OpenRows);
    }

    [Fact]
    public void Open_tasks_come_from_the_read_alone()
    {
        var pass = Tally([Task(1, "Pending")]).With([Task(2, "Running"), Task(3, "Running"), Task(4, "Pending", 9)], 0);

        Assert.Equal((1, 2), (pass.Count("Pending"), pass.Count("Running")));
        Assert.Equal([2L, 3, 4], pass.OpenRows.Select(task => task.Id));
    }

    [Fact]
    public void An_end_is_added_and_taken_back_with_its_low_code()
    {
        var tally = Tally([]);
        tally.Add(Task(1, "Stopped", 5, code: 0), Now);
        tally.Add(Task(2, "Stopped", 5, code: 1), Now);
        tally.Add(Task(3, "Stopped", 6), Now);
        Assert.Equal(3, tally.With([], 0).Count("Stopped"));
        Assert.Equal([5, 5], LowCodes(tally.With([], 0)));

        tally.Remove(FinishedTask.Of(Task(1, "Stopped", 5, code: 0), Now));
        Assert.Equal(2, tally.With([], 0).Count("Stopped"));
        Assert.Equal([5], LowCodes(tally.With([], 0)));

        tally.Remove(FinishedTask.Of(Task(3, "Stopped", 6), Now));
        Assert.Equal(1, tally.With([], 0).Count("Stopped"));
        Assert.Equal([5], LowCodes(tally.With([], 0)));
    }

    [Fact]
    public void Nothing_is_counted_below_none()
    {
        var tally = Tally([]);
        tally.Remove(FinishedTask.Of(Task(1, "Error"), Now));
        tally.Add(Task(2, "Error"), Now);

        Assert.Equal(1, tally.With([], 0).Count("Error"));
    }

    [Theory]
    [InlineData(-5, -5)]
    [InlineData(299, 299)]
    [InlineData(300, -10)]
    public void The_newest_end_is_none_that_lies_ahead(double ended, double newest)
    {
        var tally = Tally([Task(1, "Success")]);
        tally.Add(Task(2, "Success") with { Ended = Now + ended }, Now);
        tally.Add(Task(3, "Success") with { Ended = null }, Now);

        Assert.Equal(Now + newest, tally.With([], 0).Scans.Single(group => group.Status == "Success").Ended);
    }

    [Fact]
    public void The_tasks_of_the_newest_scan_all_are_counted_apart_until_another_is_the_newest()
    {
        var tally = new TaskTally(Whole([Scan(1, "Success", 8), Scan(2, "Error", 8, code: 1), Scan(3, "Success", 5)], 8), 8);
        tally.Add(Scan(4, "Success", 8), Now);
        Assert.Equal((2, 1), Newest(tally, "Success"));

        tally.Follow(9);
        Assert.Equal((0, 3), Newest(tally, "Success"));
        Assert.Equal((0, 1), Newest(tally, "Error"));
        Assert.Equal([8], LowCodes(tally.With([], 0)));

        tally.Add(Scan(5, "Success", 9), Now);
        // One of the former lives again: it is among the others now.
        tally.Remove(FinishedTask.Of(Scan(4, "Success", 8), Now));
        Assert.Equal((1, 2), Newest(tally, "Success"));
        Assert.Equal(9, tally.NewestScanAll);
    }

    [Fact]
    public void What_its_tasks_changed_last_is_told_of_the_newest_scan_all_alone()
    {
        var tally = new TaskTally(Whole([], 8), 8);
        tally.Add(Scan(1, "Success", 8) with { StatusRevision = (long)Now - 5, Ended = Now - 10 }, Now);
        tally.Add(Scan(2, "Success", 5) with { Ended = Now - 1 }, Now);

        Assert.Equal((1, Now - 5), Changed(tally.With([], 0)));
        Assert.Equal((2, Now - 2), Changed(tally.With([Scan(3, "Running", 8) with { Updated = Now - 2 }], 0)));
        tally.Follow(9);
        Assert.Equal((0, null), Changed(tally.With([], 0)));
    }

    private static (long, double?) Changed(TaskPass pass) => (pass.OfNewestScanAll.Tasks, pass.OfNewestScanAll.NewestChange);

    private static TaskTally Tally(IReadOnlyList<ScanTask> tasks) => new(Whole(tasks), 0);

    private static ScanTask Scan(long id, string status, long execution, long? code = null) => Task(id, status, execution, ScanType.ScanAll, code);

    private static (long OfNewest, long Others) Newest(TaskTally tally, string status) =>
        (tally.With([], 0).Count(status, ScanType.ScanAll, true), tally.With([], 0).Count(status, ScanType.ScanAll, false));

    private static long[] LowCodes(TaskPass pass) => [.. pass.Scans.SelectMany(group => group.LowCodeExecutions).Order()];
}
