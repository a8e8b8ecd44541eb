using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;
using static HarborScanExporter.Tests.Tracking.ScanRows;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>Which executions are looked at again, and which are remembered when they are over.</summary>
public sealed class WatchedExecutionsTests
{
    private const long Settled = 100;

    [Fact]
    public void It_watches_those_running_and_those_that_ended_lately()
    {
        var executions = Watched([Execution(1, "Running"), Execution(2, "Error"), Execution(3, "Success")], recent: 2);

        Assert.Equal([1L], executions.Open);
        Assert.Equal([2L], executions.Finished);
        Assert.Empty(executions.Telling);
    }

    [Fact]
    public void An_execution_is_counted_from_its_start_over_its_end_to_its_next_life()
    {
        var executions = Watched([Execution(1, "Success")]);
        Assert.Equal((1, 0, 1), Counts(Take(executions, 10, Execution(101, "Running"))));
        Assert.Equal((0, 1, 1), Counts(Take(executions, 20, Execution(101, "Error"))));
        Assert.Equal((0, 1, 1), Counts(Take(executions, 30, Execution(101, "Error"))));
        Assert.Equal((1, 0, 1), Counts(Take(executions, 40, Execution(101, "Running"))));
        Assert.Equal((0, 0, 2), Counts(Take(executions, 50, Execution(101, "Success"))));
        Assert.Equal([101L], executions.Finished);
    }

    [Fact]
    public void An_end_that_became_another_between_two_reads_is_counted_once()
    {
        var executions = Watched([]);
        Take(executions, 10, Execution(101, "Error"));

        Assert.Equal((0, 0, 1), Counts(Take(executions, 20, Execution(101, "Success"))));
    }

    [Fact]
    public void An_end_that_became_another_takes_one_from_the_ends_of_its_former_kind()
    {
        var executions = Watched([Execution(1, "Error"), Execution(2, "Error")]);
        Take(executions, 10, Execution(101, "Error"));

        Assert.Equal((0, 2, 1), Counts(Take(executions, 20, Execution(101, "Success"))));
    }

    [Fact]
    public void One_that_ended_long_ago_is_counted_already()
    {
        var executions = Watched([Execution(1, "Error")]);

        Assert.Equal((0, 1, 0), Counts(Take(executions, 10, Execution(1, "Error"))));
        Assert.Empty(executions.Finished);
    }

    [Fact]
    public void A_status_that_is_none_is_counted_as_such()
    {
        var executions = Watched([Execution(1, null)]);

        Assert.Equal(2, Take(executions, 10, Execution(101, null)).Count(null));
    }

    [Theory]
    [InlineData(7800, 1)]
    [InlineData(7801, 0)]
    public void What_ended_is_watched_for_two_hours_and_ten_minutes(double later, int watched)
    {
        var executions = Watched([Execution(1, "Error")], recent: 1);
        Take(executions, later);

        Assert.Equal(watched, executions.Finished.Count);
    }

    [Fact]
    public void What_ended_above_the_settled_ids_is_counted_once_however_long_they_take_to_settle()
    {
        var executions = Watched([]);
        Take(executions, 10, Execution(101, "Success"));
        Take(executions, 8000, Execution(101, "Success"));

        Assert.Equal((0, 0, 1), Counts(Take(executions, 8010, Execution(101, "Success"))));
    }

    [Fact]
    public void One_that_was_asked_for_and_is_not_there_was_deleted()
    {
        var executions = Watched([Execution(1, "Running"), Execution(2, "Running")]);
        var (changes, pass) = executions.Take([Execution(2, "Running")], new HashSet<long> { 1, 2, 3 }, Now + 10);

        Assert.Equal([2L], executions.Open);
        Assert.Equal([1L], changes.Gone);
        Assert.False(changes.HasLostTelling);
        Assert.Equal((1, 0, 0), Counts(pass));
    }

    [Fact]
    public void Those_that_tell_something_until_a_newer_one_does_are_read_again()
    {
        var executions = Watched([
            All(1, "Success", 1), All(2, "Success", 2, "SCHEDULE"), All(3, "Success", 3, "SCHEDULE"),
            SweepOf(4, "Success", 1), SweepOf(5, "Success", 2), SweepOf(6, "Error", 3)]);

        // The newest scan-all, the newest of a person, the newest sweep, the newest that ended well.
        Assert.Equal([1L, 3, 5, 6], executions.Telling.Order());
    }

    [Fact]
    public void When_the_newest_is_deleted_the_one_before_it_is_the_newest_and_something_was_lost()
    {
        var executions = Watched([All(1, "Success", 1), All(2, "Success", 2), All(3, "Success", 3)]);
        var (changes, pass) = executions.Take([], new HashSet<long> { 3 }, Now + 10);

        Assert.True(changes.HasLostTelling);
        Assert.Equal([3L], changes.Gone);
        Assert.Equal(2, pass.NewestScanAll?.Id);
        Assert.Equal([2L], executions.Telling);
    }

    [Fact]
    public void Ten_scan_alls_and_ten_sweeps_are_remembered_and_the_newest_of_their_kind()
    {
        var executions = Watched([
            All(1, "Success", 1), .. Enumerable.Range(2, 15).Select(id => All(id, "Success", id, "SCHEDULE")),
            SweepOf(31, "Success", 1), .. Enumerable.Range(32, 15).Select(id => SweepOf(id, "Error", id))]);

        Assert.Equal([1L, .. Ids(7, 10), 31, .. Ids(37, 10)], Take(executions, 10).Detailed.Keys.Order());
    }

    [Fact]
    public void A_newer_one_takes_the_place_of_the_oldest()
    {
        var executions = Watched([.. Enumerable.Range(1, 10).Select(id => All(id, "Success", id))]);
        Take(executions, 10, All(101, "Success", 101));

        Assert.Equal([.. Ids(2, 9), 101L], Take(executions, 20).Detailed.Keys.Order());
    }

    [Fact]
    public void A_scan_all_that_runs_is_told_by_the_read_and_remembered_when_it_ends()
    {
        var executions = Watched([All(1, "Success", 1)]);
        Assert.Equal(101, Take(executions, 10, All(101, "Running", 5)).NewestScanAll?.Id);
        Assert.Equal([1L], executions.Telling);
        Take(executions, 20, All(101, "Success", 5));
        Assert.Equal(101, Take(executions, 30).NewestScanAll?.Id);
        Assert.Equal([101L], executions.Telling);

        // It lives again: the read alone tells of it.
        Take(executions, 40, All(101, "Running", 5));
        Assert.Equal(1, Take(executions, 50, asked: [101]).NewestScanAll?.Id);
    }

    [Fact]
    public void What_a_finished_scan_all_says_later_is_taken()
    {
        var executions = Watched([All(1, "Success", 1)]);
        var (changes, _) = executions.Take([All(1, "Success", 1) with { Summary = new ScanAllSummary(5, 5, 0, 0, 0, 0) }], new HashSet<long> { 1 }, Now + 10);

        Assert.Equal([1L], changes.Rows.Select(row => row.Id));
        Assert.Equal(5, Take(executions, 20).NewestScanAll?.Summary?.Total);
    }

    [Fact]
    public void What_was_seen_is_repeated_on_a_later_read_of_the_whole_table()
    {
        ScanExecution[] rows = [Execution(1, "Running"), Execution(2, "Running"), All(3, "Success", 3), All(4, "Success", 4)];
        var (scrapes, reconciled) = (Watched(rows), Watched(rows));
        var (changes, _) = scrapes.Take([Execution(1, "Success"), All(3, "Success", 3), Execution(101, "Running"), Execution(102, "Error")], new HashSet<long> { 1, 2, 4 }, Now + 10);
        reconciled.Repeat(changes);

        Assert.Equal([101L], reconciled.Open);
        Assert.Equal([1L, 102], reconciled.Finished.Order());
        var pass = Take(reconciled, 20, Execution(101, "Running"), Execution(102, "Error"));
        Assert.Equal((1, 1, 1), Counts(pass));
        Assert.Equal(3, pass.NewestScanAll?.Id);
    }

    [Fact]
    public void It_goes_on_watching_what_was_watched_before()
    {
        var before = Watched([Execution(1, "Error"), Execution(2, "Error")], 1, 2);
        var reconciled = Watched([Execution(1, "Error"), Execution(2, "Running")]);
        reconciled.GoOnFrom(before);

        Assert.Equal([1L], reconciled.Finished);
        Assert.Equal([2L], reconciled.Open);
    }

    [Theory]
    [InlineData("Success")]
    [InlineData("Error")]
    [InlineData("Stopped")]
    public void A_sweep_that_ends_however_is_told_once(string status)
    {
        var executions = Watched([SweepOf(1, "Running", 1), SweepOf(2, "Success", 2), Execution(3, "Running")]);
        Assert.False(HasSwept(executions, 10, SweepOf(1, "Running", 1), SweepOf(2, "Success", 2), Execution(3, "Success"), All(101, "Success", 1)));
        Assert.True(HasSwept(executions, 20, SweepOf(1, status, 1)));
        Assert.False(HasSwept(executions, 30, SweepOf(1, status, 1) with { Updated = Now + 25 }));

        // One that began and ended between two reads, and one that is read anew at every scrape.
        Assert.True(HasSwept(executions, 40, SweepOf(102, status, 40)));
        Assert.False(HasSwept(executions, 50, SweepOf(102, status, 40)));
    }

    [Fact]
    public void A_sweep_that_the_whole_table_shows_as_over_is_no_news()
    {
        var executions = Watched([.. Enumerable.Range(1, 12).Select(id => SweepOf(100 + id, "Success", id))], 101, 102);
        Assert.False(HasSwept(executions, 10, [.. Enumerable.Range(1, 12).Select(id => SweepOf(100 + id, "Success", id))]));
    }

    private static bool HasSwept(WatchedExecutions executions, double later, params ScanExecution[] rows) =>
        executions.Take(rows, rows.Select(row => row.Id).ToHashSet(), Now + later).Changes.HasSwept;

    [Fact]
    public void Those_that_started_last_are_remembered_whatever_their_ids_and_those_without_a_start_last()
    {
        var executions = Watched([All(1, "Success", 500, "SCHEDULE"), .. Ids(2, 20).Select(id => All(id, "Success", id, "SCHEDULE")), All(30, "Success", 0, "SCHEDULE") with { Started = null }]);

        Assert.Equal(1, Take(executions, 10).NewestScanAll?.Id);
        Assert.Equal([1L, .. Ids(13, 9)], Take(executions, 20).Detailed.Keys.Order());
    }

    private static WatchedExecutions Watched(IReadOnlyList<ScanExecution> executions, params long[] recent) =>
        new(WholeExecutions(executions, recent.ToHashSet()), new HighWater(Settled), Now);

    private static ExecutionPass Take(WatchedExecutions executions, double later, params ScanExecution[] rows) =>
        executions.Take(rows, rows.Select(row => row.Id).ToHashSet(), Now + later).Pass;

    private static ExecutionPass Take(WatchedExecutions executions, double later, long[] asked) => executions.Take([], asked.ToHashSet(), Now + later).Pass;

    private static ScanExecution All(long id, string status, double started, string trigger = "MANUAL") => Execution(id, status, ScanType.ScanAll, Now - 10_000 + started, trigger);

    private static ScanExecution SweepOf(long id, string status, double started) => Execution(id, status, JobType.Sweep, Now - 10_000 + started);

    private static IEnumerable<long> Ids(int first, int count) => Enumerable.Range(first, count).Select(id => (long)id);

    private static (long Running, long Error, long Success) Counts(ExecutionPass pass) => (pass.Count("Running"), pass.Count("Error"), pass.Count("Success"));
}
