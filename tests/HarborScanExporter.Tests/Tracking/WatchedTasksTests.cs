using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;
using static HarborScanExporter.Tests.Tracking.ScanRows;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>Which tasks are looked at again, and what is told of them.</summary>
public sealed class WatchedTasksTests
{
    /// <summary>Ids up to this are settled.</summary>
    private const long Settled = 100;

    private readonly ToldTransitions _told = new();

    [Fact]
    public void It_watches_the_open_tasks_and_those_that_ended_lately()
    {
        var tasks = Watched([Task(1, "Success"), Task(2, "Error"), Task(3, "Running"), Task(4, "Pending")], recent: 2);

        Assert.Equal([3L, 4], tasks.Open.Order());
        Assert.Equal([2L], tasks.Finished);
        Assert.Equal("", _told.Since());
    }

    [Fact]
    public void A_scan_that_was_seen_from_its_creation_to_its_end_is_told_once()
    {
        var tasks = Watched([]);
        Assert.Equal(1, Take(tasks, 10, Task(101, "Pending")).Count("Pending"));
        Assert.Equal("", _told.Since());
        Assert.Equal(1, Take(tasks, 20, Task(101, "Running")).Count("Running"));
        Assert.Equal("IMAGE_SCAN started after 40", _told.Since());
        Take(tasks, 30, Task(101, "Running") with { Updated = Now + 25 });
        Assert.Equal("", _told.Since());
        var pass = Take(tasks, 40, Task(101, "Success"));
        // From the start of work that was seen, not from what the row's update says at the end.
        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN ran 50", _told.Since());
        Assert.Equal((1, 0), (pass.Count("Success"), pass.Count("Running")));
        Assert.Equal(1, Take(tasks, 50, Task(101, "Success")).Count("Success"));
        Assert.Equal("", _told.Since());
        Assert.Empty(tasks.Open);
        Assert.Equal([101L], tasks.Finished);
    }

    [Theory]
    [InlineData("Success", "SBOM Success after 90; SBOM start unseen")]
    [InlineData("Error", "SBOM Error after 90; SBOM start unseen")]
    [InlineData("Stopped", "SBOM Stopped after 90")]
    [InlineData("other", "")]
    public void An_end_of_a_scan_that_was_never_seen_running_says_so_unless_it_was_stopped(string status, string told)
    {
        var tasks = Watched([]);
        Take(tasks, 10, Task(101, "Pending", type: "SBOM"));
        Assert.Equal(1, Take(tasks, 20, Task(101, status, type: "SBOM") with { Ended = Now - 10 }).Count(status, "SBOM"));

        Assert.Equal(told, _told.Since());
    }

    [Fact]
    public void A_new_row_that_is_over_when_it_is_first_seen_is_told()
    {
        var tasks = Watched([]);
        Assert.Equal(1, Take(tasks, 10, Task(101, "Error")).Count("Error"));

        Assert.Equal("IMAGE_SCAN Error after 90; IMAGE_SCAN start unseen", _told.Since());
    }

    [Fact]
    public void What_ended_before_the_read_of_the_whole_table_is_counted_and_tells_nothing()
    {
        // Settled, and above it.
        var tasks = Watched([Task(1, "Success"), Task(101, "Success")], recent: 101);
        var pass = Take(tasks, 10, Task(1, "Success"), Task(101, "Success"));

        Assert.Equal(2, pass.Count("Success"));
        Assert.Equal("", _told.Since());
        Assert.Equal([101L], tasks.Finished);
    }

    [Fact]
    public void A_scan_that_ran_before_the_read_of_the_whole_table_has_begun_and_its_end_is_told()
    {
        var tasks = Watched([Task(1, "Running")]);
        Take(tasks, 10, Task(1, "Running"));
        Assert.Equal("", _told.Since());
        Take(tasks, 20, Task(1, "Success"));

        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN ran 50", _told.Since());
    }

    [Fact]
    public void Of_a_run_after_a_crash_the_wait_is_not_told_again_and_the_run_is_the_last_one()
    {
        var tasks = Watched([]);
        Take(tasks, 10, Task(101, "Running", revision: 7));
        Assert.Equal("IMAGE_SCAN started after 40", _told.Since());
        Take(tasks, 20, Task(101, "Pending", revision: 8));
        Take(tasks, 30, Task(101, "Running", revision: 8) with { Updated = Now - 30 });
        Assert.Equal("", _told.Since());
        Take(tasks, 40, Task(101, "Success", revision: 8));

        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN ran 20", _told.Since());
    }

    [Fact]
    public void The_run_that_ended_was_another_than_the_one_that_was_seen()
    {
        var tasks = Watched([]);
        Take(tasks, 10, Task(101, "Running", revision: 7));
        _told.Since();
        Take(tasks, 20, Task(101, "Success", revision: 8));

        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN start unseen", _told.Since());
    }

    [Fact]
    public void A_row_without_usable_times_tells_none()
    {
        var tasks = Watched([]);
        Take(tasks, 10, Task(101, "Running") with { Created = null });
        Take(tasks, 20, Task(101, "Success") with { Created = null, Ended = null });

        Assert.Equal("IMAGE_SCAN started after ; IMAGE_SCAN Success after ; IMAGE_SCAN ran ", _told.Since());
    }

    [Fact]
    public void A_row_that_is_over_and_lives_again_leaves_those_that_are_over_and_comes_back_with_its_new_end()
    {
        var tasks = Watched([Task(1, "Error", code: 2), Task(2, "Error")], recent: 1);
        var alive = Take(tasks, 10, Task(1, "Running"));
        Assert.Equal((1, 1), (alive.Count("Error"), alive.Count("Running")));
        Assert.Empty(alive.Scans.SelectMany(group => group.LowCodeExecutions));
        Assert.Equal([1L], tasks.Open);
        Assert.Empty(tasks.Finished);
        Assert.Equal("IMAGE_SCAN started after 40", _told.Since());

        var over = Take(tasks, 20, Task(1, "Success"));
        Assert.Equal((1, 1, 0), (over.Count("Error"), over.Count("Success"), over.Count("Running")));
        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN ran 50", _told.Since());
    }

    [Fact]
    public void An_end_that_became_another_between_two_reads_is_counted_and_told_as_the_later_one()
    {
        var tasks = Watched([]);
        Take(tasks, 10, Task(101, "Error"));
        _told.Since();
        var pass = Take(tasks, 20, Task(101, "Success"));

        Assert.Equal((0, 1), (pass.Count("Error"), pass.Count("Success")));
        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN start unseen", _told.Since());
    }

    [Fact]
    public void A_code_that_hands_mended_leaves_the_low_ones()
    {
        var tasks = Watched([]);
        Assert.Equal([1L], Take(tasks, 10, Task(101, "Stopped", code: 1)).Scans.SelectMany(group => group.LowCodeExecutions));
        Assert.Empty(Take(tasks, 20, Task(101, "Stopped")).Scans.SelectMany(group => group.LowCodeExecutions));
    }

    [Theory]
    [InlineData(7800, 1)]
    [InlineData(7801, 0)]
    public void What_ended_is_watched_for_two_hours_and_ten_minutes(double later, int watched)
    {
        var tasks = Watched([Task(1, "Error")], recent: 1);
        Take(tasks, later);

        Assert.Equal(watched, tasks.Finished.Count);
    }

    [Theory]
    [InlineData(7810, 1)]
    [InlineData(7811, 0)]
    public void The_time_counts_from_the_read_that_saw_the_end(double later, int watched)
    {
        var tasks = Watched([Task(1, "Running")]);
        Take(tasks, 10, Task(1, "Error"));
        Take(tasks, later);

        Assert.Equal(watched, tasks.Finished.Count);
    }

    [Fact]
    public void What_ended_above_the_settled_ids_is_counted_and_told_once_however_long_they_take_to_settle()
    {
        var tasks = Watched([]);
        Take(tasks, 10, Task(101, "Success"));
        _told.Since();
        Take(tasks, 8000, Task(101, "Success"));

        Assert.Equal(1, Take(tasks, 8010, Task(101, "Success")).Count("Success"));
        Assert.Equal("", _told.Since());
    }

    [Fact]
    public void An_open_task_that_is_not_read_again_was_deleted()
    {
        var tasks = Watched([Task(1, "Running"), Task(2, "Pending")]);
        var (changes, pass) = tasks.Take([Task(2, "Pending")], 0, 0, Now + 10, _told);

        Assert.Equal([2L], tasks.Open);
        Assert.Equal([1L], changes.Gone);
        Assert.Equal((0, 1), (pass.Count("Running"), pass.Count("Pending")));
        Assert.Equal("", _told.Since());
    }

    [Fact]
    public void Only_what_changed_is_to_be_repeated()
    {
        var tasks = Watched([Task(1, "Running"), Task(2, "Pending"), Task(3, "Success")]);
        var (changes, _) = tasks.Take([Task(1, "Running"), Task(2, "Running"), Task(3, "Success"), Task(101, "Pending")], 0, 0, Now + 10, _told);

        Assert.Equal([2L, 101], changes.Rows.Select(row => row.Id));
    }

    [Fact]
    public void A_row_of_two_ranges_is_taken_once()
    {
        var tasks = Watched([]);
        var pass = Take(tasks, 10, Task(101, "Running"), Task(101, "Running"));

        Assert.Equal(1, pass.Count("Running"));
        Assert.Single(pass.OpenRows);
        Assert.Equal("IMAGE_SCAN started after 40", _told.Since());
    }

    [Fact]
    public void Hooks_of_rows_and_of_others_are_joined_and_move_on_with_the_clock()
    {
        var tasks = new WatchedTasks(Whole([], hooks: 0b100), 0, new HighWater(Settled), Now);
        var (_, first) = tasks.Take([Task(101, "Running") with { Updated = Now - 600 }], 0b1_0000, 0, Now, _told);
        Assert.Equal(0b1_0110, first.Hooks);

        Assert.Equal(0b10_1100, tasks.Take([], 0, 0, Now + 600, _told).Pass.Hooks);
    }

    [Fact]
    public void The_newest_scan_all_is_followed_before_its_tasks_are_counted()
    {
        var tasks = new WatchedTasks(Whole([Task(1, "Success", 8, "SCAN_ALL")], 8), 8, new HighWater(Settled), Now);
        var (changes, pass) = tasks.Take([Task(101, "Success", 9, "SCAN_ALL"), Task(102, "Running", 9, "SCAN_ALL")], 0, 9, Now + 10, _told);

        Assert.Equal((1, 1, 1), (pass.Count("Success", "SCAN_ALL", false), pass.Count("Success", "SCAN_ALL", true), pass.Count("Running", "SCAN_ALL", true)));
        Assert.Equal(9, changes.NewestScanAll);
    }

    [Fact]
    public void What_was_told_is_repeated_on_a_later_read_of_the_whole_table_without_being_told()
    {
        var scrapes = Watched([Task(1, "Running"), Task(2, "Running")]);
        var reconciled = Watched([Task(1, "Running"), Task(2, "Running")]);
        var (changes, pass) = scrapes.Take([Task(1, "Success"), Task(101, "Running"), Task(102, "Error")], 0b1, 0, Now + 10, _told);
        _told.Since();
        reconciled.Repeat(changes);
        Assert.Equal("", _told.Since());

        Assert.Equal([101L], reconciled.Open);
        Assert.Equal([1L, 102], reconciled.Finished.Order());
        var again = Take(reconciled, 20, Task(101, "Running"), Task(102, "Error"));
        Assert.Equal((1, 1, 1), (again.Count("Success"), again.Count("Error"), again.Count("Running")));
        Assert.Equal(pass.Hooks, again.Hooks);
        // The wait was told before the reconciliation.
        Assert.Equal("", _told.Since());
    }

    [Fact]
    public void A_task_whose_job_stands_in_a_list_is_watched_however_long_ago_it_ended()
    {
        var tasks = Watched([Task(1, "Error"), Task(2, "Running")]);
        tasks.Listed([Task(1, "Error"), Task(2, "Error")]);
        Assert.Equal([1L], tasks.Finished);
        // An open one ends by a read of its own.
        Assert.Equal([2L], tasks.Open);

        Take(tasks, 7000, Task(2, "Running"));
        tasks.Listed([Task(1, "Error")]);
        Assert.Equal(1, Take(tasks, 14_000, Task(2, "Running")).Count("Error"));
        var alive = Take(tasks, 14_001, Task(1, "Running"), Task(2, "Running"));
        Assert.Equal((0, 2), (alive.Count("Error"), alive.Count("Running")));
    }

    [Fact]
    public void One_that_lives_already_when_its_list_is_looked_at_is_watched_as_open()
    {
        var tasks = Watched([Task(1, "Error")]);
        tasks.Listed([Task(1, "Pending")]);

        Assert.Equal([1L], tasks.Open);
    }

    [Fact]
    public void A_listed_task_that_no_read_has_seen_is_counted_and_told_by_the_next_one()
    {
        var tasks = Watched([]);
        tasks.Listed([Task(101, "Success")]);

        Assert.Equal(1, Take(tasks, 10, Task(101, "Success")).Count("Success"));
        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN start unseen", _told.Since());
    }

    [Fact]
    public void A_listed_task_with_another_end_than_the_one_that_was_read_is_counted_and_told_by_the_next_one()
    {
        var tasks = Watched([]);
        Take(tasks, 10, Task(101, "Error"));
        _told.Since();
        tasks.Listed([Task(101, "Success")]);
        var pass = Take(tasks, 20, Task(101, "Success"));

        Assert.Equal((0, 1), (pass.Count("Error"), pass.Count("Success")));
        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN start unseen", _told.Since());
    }

    [Fact]
    public void It_goes_on_watching_what_was_watched_for_longer()
    {
        var before = Watched([Task(1, "Error"), Task(2, "Error"), Task(3, "Error")], recent: 2);
        Take(before, 5000);
        before.Listed([Task(1, "Error"), Task(2, "Error"), Task(3, "Error")]);
        var reconciled = Watched([Task(1, "Error"), Task(2, "Error"), Task(3, "Running")], recent: 2);
        reconciled.GoOnFrom(before);
        Assert.Equal([1L, 2], reconciled.Finished.Order());

        Take(reconciled, 5000 + 7800, Task(3, "Running"));
        Assert.Equal([1L, 2], reconciled.Finished.Order());
        Take(reconciled, 5000 + 7801, Task(3, "Running"));
        Assert.Empty(reconciled.Finished);
    }

    private static WatchedTasks Watched(IReadOnlyList<ScanTask> tasks, params long[] recent) => new(Whole(tasks, recent: recent.ToHashSet()), 0, new HighWater(Settled), Now);

    private TaskPass Take(WatchedTasks tasks, double later, params ScanTask[] rows) => tasks.Take(rows, 0, 0, Now + later, _told).Pass;
}
