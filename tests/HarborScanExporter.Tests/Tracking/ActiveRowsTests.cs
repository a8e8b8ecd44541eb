using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;
using static HarborScanExporter.Tests.Tracking.ScanRows;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>What is remembered over scrapes, and what becomes of it when the whole tables are read beside them.</summary>
public sealed class ActiveRowsTests
{
    /// <summary>Ids up to this are settled.</summary>
    private const long Settled = 100;

    private readonly ToldTransitions _told = new();
    private readonly ActiveRows _rows;

    public ActiveRowsTests() => _rows = new ActiveRows(_told);

    [Fact]
    public void Before_the_whole_tables_were_read_nothing_is_known()
    {
        Assert.False(_rows.IsKnown);
        Assert.Null(_rows.Watched);
        Assert.Null(_rows.Plan(Horizon(1), Now));
        _rows.Listed([Task(1, "Error")]);
        Assert.False(_rows.IsKnown);
    }

    [Fact]
    public void A_plan_asks_for_what_is_open_for_what_ended_lately_and_for_everything_new()
    {
        Begin([Task(1, "Running"), Task(5, "Pending"), Task(60, "Running"), Task(80, "Error"), Task(101, "Pending"), Task(102, "Error")], [80, 102],
            [Execution(7, "Running"), Execution(9, "Error"), Execution(8, "Success", "SCAN_ALL")], [9]);
        var plan = _rows.Plan(Horizon(2), Now + 1)!;

        AssertRanges([1L, 60, 101], [5L, 60, long.MaxValue], plan.Tasks);
        AssertRanges([80L], [80L], plan.FinishedTasks);
        Assert.Equal([7L, 8], plan.Executions.Order());
        AssertRanges([9L], [9L], plan.FinishedExecutions);
        Assert.Equal((Settled, Settled), (plan.NewTasks, plan.NewExecutions));
        Assert.Equal(new WatchedRows(4, 2, 1, 1), _rows.Watched);
    }

    [Fact]
    public void With_the_optional_index_every_old_id_is_asked_for_an_open_row()
    {
        Begin([Task(80, "Error")], [80]);

        AssertRanges([0L], [Settled], _rows.Plan(Horizon(2) with { HasOpenTaskIndex = true }, Now + 1)!.FinishedTasks);
    }

    [Fact]
    public void A_read_counts_once_and_only_by_the_newest_plan()
    {
        Begin([]);
        var plan = _rows.Plan(Horizon(2), Now + 1)!;
        Assert.NotNull(_rows.Take(plan, Read([Task(101, "Success")]), Horizon(2), Now + 1, null));
        Assert.Null(_rows.Take(plan, Read([Task(101, "Success"), Task(102, "Success")]), Horizon(2), Now + 1, null));

        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN start unseen", _told.Since());
    }

    [Fact]
    public void What_redis_lists_makes_a_plan_old()
    {
        Begin([Task(1, "Error")]);
        var plan = _rows.Plan(Horizon(2), Now + 1)!;
        _rows.Listed([]);
        Assert.Equal(plan.Version, _rows.Plan(Horizon(2), Now + 1)!.Version);
        _rows.Listed([Task(1, "Error")]);

        Assert.Null(_rows.Take(plan, Read([]), Horizon(2), Now + 1, null));
        AssertRanges([1L], [1L], _rows.Plan(Horizon(2), Now + 1)!.FinishedTasks);
    }

    [Theory]
    [InlineData(9, 9, 100)]
    [InlineData(10, 9, 100)]
    [InlineData(9, 10, 100)]
    [InlineData(10, 10, 9)]
    public void A_snapshot_older_than_one_that_was_read_is_refused(long oldest, long next, double later)
    {
        Begin([]);
        Take(Horizon(10), 10);

        Assert.Throws<OutdatedSnapshotException>(() => _rows.Plan(Horizon(1) with { OldestTransaction = oldest, NextTransaction = next }, Now + later));
    }

    [Fact]
    public void The_same_snapshot_or_a_later_one_with_an_earlier_clock_is_not()
    {
        Begin([]);
        Take(Horizon(10), 10);

        Assert.NotNull(_rows.Plan(Horizon(10), Now + 10));
        Assert.NotNull(_rows.Plan(Horizon(11), Now - 500));
    }

    [Theory]
    [InlineData("database")]
    [InlineData("task")]
    [InlineData("execution")]
    public void Of_other_tables_nothing_is_known(string other)
    {
        Begin([Task(1, "Running")]);
        var horizon = Horizon(2);
        Assert.Null(_rows.Plan(other switch
        {
            "database" => horizon with { Database = 2 },
            "task" => horizon with { TaskTable = 2 },
            _ => horizon with { ExecutionTable = 2 },
        }, Now + 1));

        Assert.False(_rows.IsKnown);
        Assert.Null(_rows.Plan(horizon, Now + 1));
    }

    [Fact]
    public void A_reconciliation_of_tables_that_were_forgotten_meanwhile_replaces_nothing()
    {
        Begin([]);
        var reconciling = Know(Horizon(2), 1);
        _rows.Forget();

        Assert.False(Reconcile(reconciling, Horizon(2), 1, [Task(1, "Running")]));
        Assert.False(_rows.IsKnown);
    }

    [Fact]
    public void The_first_reconciliation_tells_and_counts_nothing_as_drift()
    {
        var reconciling = new ReconcilingRows();
        _rows.Begin(reconciling);
        Assert.Null(reconciling.Known);
        Assert.True(_rows.Reconcile(reconciling, Whole([Task(1, "Running")]), WholeExecutions([]), (new HighWater(Settled), new HighWater(Settled)), Horizon(1), Now));

        Assert.True(_rows.IsKnown);
        Assert.Equal("", _told.Since());
    }

    [Fact]
    public void A_reconciliation_reads_first_what_is_known_and_tells_it()
    {
        Begin([Task(1, "Running"), Task(2, "Running")], executions: [Execution(7, "Running")]);
        var reconciling = Know(Horizon(2), 1, [Task(1, "Running"), Task(2, "Success"), Task(101, "Pending")], [Execution(7, "Running"), Execution(101, "Running")]);

        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN ran 50", _told.Since());
        Assert.Equal([1L, 101], reconciling.Known!.Tasks.Order());
        Assert.Equal([7L, 101], reconciling.Known.Executions.Order());
        Assert.Equal(Settled, reconciling.Known.HighTasks.Settled);
        Assert.Empty(reconciling.Meanwhile);
    }

    [Fact]
    public void One_that_was_given_up_replaces_nothing()
    {
        Begin([]);
        var givenUp = Know(Horizon(2), 1);
        var next = Know(Horizon(3), 2);

        Assert.False(Reconcile(givenUp, Horizon(2), 1, [Task(1, "Running")]));
        Assert.Equal(0, _rows.Watched?.OpenTasks);
        Assert.True(Reconcile(next, Horizon(3), 2, [Task(1, "Running"), Task(2, "Running")]));
        Assert.Equal(2, _rows.Watched?.OpenTasks);
        // It replaces once.
        Assert.False(Reconcile(next, Horizon(3), 2, []));
    }

    [Fact]
    public void For_one_that_failed_nothing_is_kept()
    {
        Begin([]);
        var failed = Know(Horizon(2), 1);
        _rows.GiveUp(failed);
        Take(Horizon(3), 2, [Task(101, "Running")]);

        Assert.Empty(failed.Meanwhile);
        Assert.False(Reconcile(failed, Horizon(2), 1, []));
        Assert.Equal(1, _rows.Watched?.OpenTasks);
    }

    [Fact]
    public void That_an_earlier_one_failed_disturbs_none()
    {
        Begin([]);
        var failed = Know(Horizon(2), 1);
        var next = Know(Horizon(3), 2);
        _rows.GiveUp(failed);

        Assert.True(Reconcile(next, Horizon(3), 2, [Task(1, "Running")]));
    }

    [Fact]
    public void It_corrects_the_counts_and_tells_nothing_of_what_it_finds()
    {
        Begin([Task(1, "Success"), Task(2, "Success"), Task(3, "Error")]);
        // One was deleted, one came to life and ended anew, one lives that nobody saw.
        var reconciling = Know(Horizon(2), 1);
        Reconcile(reconciling, Horizon(2), 1, [Task(2, "Error"), Task(3, "Running")], [2]);
        Assert.Equal("", _told.Since());

        var pass = Take(Horizon(3), 10, [Task(3, "Running")]).Tasks;
        Assert.Equal((1, 0, 1), Counts(pass));
        Assert.Equal("", _told.Since());
    }

    [Fact]
    public void Of_what_scrapes_see_end_while_the_whole_tables_are_read_nothing_is_counted_or_told_twice()
    {
        Begin([Task(1, "Running"), Task(2, "Running"), Task(3, "Error")], [3], [Execution(7, "Running")]);
        var reconciling = Know(Horizon(2), 1, [Task(1, "Running"), Task(2, "Running")], [Execution(7, "Running")]);
        // One ends, one is deleted, one lives again.
        Take(Horizon(3), 2, [Task(1, "Success"), Task(3, "Running")], [Execution(7, "Success")]);
        _told.Since();
        Reconcile(reconciling, Horizon(2), 1, [Task(1, "Running"), Task(2, "Running"), Task(3, "Error")], [3], [Execution(7, "Running")]);
        Assert.Equal("", _told.Since());

        Assert.Equal(new WatchedRows(1, 1, 0, 1), _rows.Watched);
        var (tasks, executions) = Take(Horizon(4), 3, [Task(3, "Running")]);
        Assert.Equal((1, 1, 0), Counts(tasks));
        Assert.Equal((0, 1), (executions.Count("Running"), executions.Count("Success")));
        Assert.Equal("", _told.Since());
    }

    [Fact]
    public void What_began_and_ended_while_the_whole_tables_were_read_is_counted()
    {
        Begin([]);
        var reconciling = Know(Horizon(2), 1);
        Take(Horizon(3), 2, [Task(101, "Success")], [Execution(101, "Success")]);
        Reconcile(reconciling, Horizon(2), 1, []);
        var (tasks, executions) = Take(Horizon(4), 3, [Task(101, "Success")], [Execution(101, "Success")]);

        Assert.Equal((0, 1, 0), Counts(tasks));
        Assert.Equal(1, executions.Count("Success"));
        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN start unseen", _told.Since());
    }

    [Fact]
    public void What_lived_again_and_ended_otherwise_while_the_whole_tables_were_read_is_counted_once()
    {
        Begin([Task(1, "Error")], [1], [Execution(7, "Error")], [7]);
        var reconciling = Know(Horizon(2), 1);
        Take(Horizon(3), 2, [Task(1, "Running")], [Execution(7, "Running")]);
        Take(Horizon(4), 3, [Task(1, "Success")], [Execution(7, "Success")]);
        Reconcile(reconciling, Horizon(2), 1, [Task(1, "Error")], [1], [Execution(7, "Error")], [7]);
        var (tasks, executions) = Take(Horizon(5), 4);

        Assert.Equal((0, 1, 0), Counts(tasks));
        Assert.Equal((1, 0), (executions.Count("Success"), executions.Count("Error")));
    }

    [Fact]
    public void What_redis_listed_and_lived_again_while_the_whole_tables_were_read_is_counted_once()
    {
        Begin([Task(1, "Error"), Task(2, "Error")]);
        _rows.Listed([Task(1, "Error")]);
        var reconciling = Know(Horizon(2), 1);
        _rows.Listed([Task(2, "Error")]);
        Take(Horizon(3), 2, [Task(1, "Running"), Task(2, "Running")]);
        Take(Horizon(4), 3, [Task(1, "Success"), Task(2, "Running")]);
        Reconcile(reconciling, Horizon(2), 1, [Task(1, "Error"), Task(2, "Error")]);

        Assert.Equal((1, 1, 0), Counts(Take(Horizon(5), 4, [Task(2, "Running")]).Tasks));
    }

    [Fact]
    public void A_run_that_scrapes_saw_begin_meanwhile_is_told_at_its_end()
    {
        Begin([]);
        var reconciling = Know(Horizon(2), 1);
        Take(Horizon(3), 2, [Task(101, "Running")]);
        Assert.Equal("IMAGE_SCAN started after 40", _told.Since());
        Reconcile(reconciling, Horizon(2), 1, []);
        Take(Horizon(4), 3, [Task(101, "Success")]);

        Assert.Equal("IMAGE_SCAN Success after 90; IMAGE_SCAN ran 50", _told.Since());
    }

    [Fact]
    public void The_scan_all_that_became_the_newest_meanwhile_is_followed()
    {
        Begin([Task(1, "Success", 8, "SCAN_ALL")], executions: [Execution(8, "Success", "SCAN_ALL", Now - 5000)]);
        var reconciling = Know(Horizon(2), 1, [], [Execution(8, "Success", "SCAN_ALL", Now - 5000)]);
        Take(Horizon(3), 2, [Task(101, "Running", 101, "SCAN_ALL")], [Execution(101, "Running", "SCAN_ALL"), Execution(8, "Success", "SCAN_ALL", Now - 5000)]);
        Reconcile(reconciling, Horizon(2), 1, [Task(1, "Success", 8, "SCAN_ALL")], executions: [Execution(8, "Success", "SCAN_ALL", Now - 5000)]);
        var pass = Take(Horizon(4), 3, [Task(101, "Running", 101, "SCAN_ALL")], [Execution(101, "Running", "SCAN_ALL"), Execution(8, "Success", "SCAN_ALL", Now - 5000)]).Tasks;

        Assert.Equal((1, 0, 1), (pass.Count("Success", "SCAN_ALL", false), pass.Count("Success", "SCAN_ALL", true), pass.Count("Running", "SCAN_ALL", true)));
    }

    [Fact]
    public void What_redis_lists_stays_watched_over_a_reconciliation()
    {
        Begin([Task(1, "Error"), Task(2, "Error")]);
        _rows.Listed([Task(1, "Error")]);
        var reconciling = Know(Horizon(2), 1);
        _rows.Listed([Task(2, "Error")]);
        Reconcile(reconciling, Horizon(2), 1, [Task(1, "Error"), Task(2, "Error")]);
        AssertRanges([1L], [2L], _rows.Plan(Horizon(3), Now + 2)!.FinishedTasks);

        var pass = Take(Horizon(3), 2, [Task(1, "Running"), Task(2, "Running")]).Tasks;
        Assert.Equal((2, 0, 0), Counts(pass));
    }

    [Fact]
    public void A_listed_task_that_lives_already_stays_watched_over_a_reconciliation()
    {
        Begin([Task(1, "Error"), Task(2, "Error")]);
        var reconciling = Know(Horizon(2), 1);
        _rows.Listed([Task(1, "Pending"), Task(2, "Running")]);
        Take(Horizon(3), 2, [Task(1, "Pending"), Task(2, "Running")]);
        Reconcile(reconciling, Horizon(2), 1, [Task(1, "Error"), Task(2, "Error")]);

        Assert.Equal(2, _rows.Watched?.OpenTasks);
    }

    [Fact]
    public void A_later_snapshot_than_that_of_the_reconciliation_stays_the_newest()
    {
        Begin([]);
        var reconciling = Know(Horizon(2), 1);
        Take(Horizon(5), 20);
        Reconcile(reconciling, Horizon(2), 1, []);

        Assert.Throws<OutdatedSnapshotException>(() => _rows.Plan(Horizon(4), Now + 30));
        Assert.NotNull(_rows.Plan(Horizon(5), Now + 20));
    }

    [Fact]
    public void The_wait_for_ids_to_settle_goes_on_over_a_reconciliation()
    {
        Begin([], newest: 150);
        var reconciling = Know(Horizon(3, newest: 160), 300);
        Reconcile(reconciling, Horizon(3, newest: 160), 300, []);
        Take(Horizon(4, newest: 170), 600);

        Assert.Equal(150, _rows.Plan(Horizon(4, newest: 170), Now + 600)!.NewTasks);
    }

    [Theory]
    [InlineData(90, 100)]
    [InlineData(100, 90)]
    public void When_the_highest_rows_are_gone_those_that_take_their_ids_are_read_and_the_whole_tables_are_wanted(long task, long execution)
    {
        Begin([]);
        Take(Horizon(2) with { NewestTask = task, NewestExecution = execution }, 1);
        Assert.True(_rows.WantsReconciliation);
        var plan = _rows.Plan(Horizon(3), Now + 2)!;
        Assert.Equal((task, execution), (plan.NewTasks, plan.NewExecutions));

        var reconciling = Know(Horizon(3), 2);
        Assert.True(_rows.WantsReconciliation);
        Reconcile(reconciling, Horizon(3), 2, []);
        Assert.False(_rows.WantsReconciliation);
    }

    [Fact]
    public void What_was_lost_while_the_whole_tables_were_read_is_wanted_again_and_its_ids_are_read()
    {
        Begin([]);
        var reconciling = Know(Horizon(2), 1);
        Take(Horizon(3, newest: 90), 2);
        Reconcile(reconciling, Horizon(2), 1, []);
        Assert.True(_rows.WantsReconciliation);

        // Others have taken the ids meanwhile.
        var plan = _rows.Plan(Horizon(4, newest: 120), Now + 3)!;
        Assert.Equal((90, 90), (plan.NewTasks, plan.NewExecutions));
    }

    [Fact]
    public void When_the_newest_scan_all_is_deleted_the_whole_tables_are_wanted()
    {
        Begin([], executions: [Execution(8, "Success", "SCAN_ALL")]);
        Take(Horizon(2), 1, [], [Execution(8, "Success", "SCAN_ALL")]);
        Assert.False(_rows.WantsReconciliation);
        Take(Horizon(3), 2);

        Assert.True(_rows.WantsReconciliation);
    }

    [Theory]
    [InlineData("Success")]
    [InlineData("Error")]
    public void When_a_sweep_has_ended_the_whole_tables_are_wanted_until_they_were_read_after_it(string status)
    {
        Begin([], executions: [Execution(8, "Running", "EXECUTION_SWEEP")]);
        Take(Horizon(2), 1, [], [Execution(8, "Running", "EXECUTION_SWEEP")]);
        Assert.False(_rows.WantsReconciliation);
        var early = Know(Horizon(3), 2, [], [Execution(8, "Running", "EXECUTION_SWEEP")]);
        Take(Horizon(4), 3, [], [Execution(8, status, "EXECUTION_SWEEP")]);
        Reconcile(early, Horizon(3), 2, [], executions: [Execution(8, "Running", "EXECUTION_SWEEP")]);
        Assert.True(_rows.WantsReconciliation);

        var late = Know(Horizon(5), 4, [], [Execution(8, status, "EXECUTION_SWEEP")]);
        Reconcile(late, Horizon(5), 4, [], executions: [Execution(8, status, "EXECUTION_SWEEP")]);
        Assert.False(_rows.WantsReconciliation);
        Take(Horizon(6), 5, [], [Execution(8, status, "EXECUTION_SWEEP")]);
        Assert.False(_rows.WantsReconciliation);
    }

    private static TableHorizon Horizon(long transaction, long newest = 200) => new()
    {
        NewestTask = newest,
        NewestExecution = newest,
        OldestTransaction = transaction,
        NextTransaction = transaction,
        Database = 1,
        TaskTable = 1,
        ExecutionTable = 1,
    };

    private static PlannedRead Read(IReadOnlyList<ScanTask> tasks) => new(tasks, 0, [], new HashSet<long>());

    /// <summary>The whole tables were read.</summary>
    private void Begin(IReadOnlyList<ScanTask> tasks, long[]? recent = null, IReadOnlyList<ScanExecution>? executions = null, long[]? recentExecutions = null, long newest = 200)
    {
        var reconciling = new ReconcilingRows();
        _rows.Begin(reconciling);
        Assert.True(_rows.Reconcile(
            reconciling, Whole(tasks, Newest(executions), recent?.ToHashSet()), WholeExecutions(executions ?? [], recentExecutions?.ToHashSet()),
            (new HighWater(Settled), new HighWater(Settled)), Horizon(1, newest), Now));
    }

    /// <summary>One read of what the plan asks for.</summary>
    private Passes Take(TableHorizon horizon, double later, IReadOnlyList<ScanTask>? tasks = null, IReadOnlyList<ScanExecution>? executions = null, ReconcilingRows? reconciling = null)
    {
        var plan = _rows.Plan(horizon, Now + later)!;
        return _rows.Take(plan, new PlannedRead(tasks ?? [], 0, executions ?? [], plan.Executions.ToHashSet()), horizon, Now + later, reconciling)!;
    }

    /// <summary>A reconciliation begins with a read of what is known.</summary>
    private ReconcilingRows Know(TableHorizon horizon, double later, IReadOnlyList<ScanTask>? tasks = null, IReadOnlyList<ScanExecution>? executions = null)
    {
        var reconciling = new ReconcilingRows();
        Take(horizon, later, tasks, executions, reconciling);
        return reconciling;
    }

    /// <summary>It ends with these tables.</summary>
    private bool Reconcile(
        ReconcilingRows reconciling, TableHorizon horizon, double later, IReadOnlyList<ScanTask> tasks, long[]? recent = null, IReadOnlyList<ScanExecution>? executions = null,
        long[]? recentExecutions = null) =>
        _rows.Reconcile(
            reconciling, Whole(tasks, Newest(executions), recent?.ToHashSet()), WholeExecutions(executions ?? [], recentExecutions?.ToHashSet()),
            (reconciling.Known!.HighTasks, reconciling.Known.HighExecutions), horizon, Now + later);

    private static long Newest(IReadOnlyList<ScanExecution>? executions) => WholeExecutions(executions ?? []).NewestScanAll?.Id ?? 0;

    private static void AssertRanges(long[] lows, long[] highs, IdRanges ranges)
    {
        Assert.Equal(lows, ranges.Lows);
        Assert.Equal(highs, ranges.Highs);
    }

    private static (long Running, long Success, long Error) Counts(TaskPass pass) => (pass.Count("Running"), pass.Count("Success"), pass.Count("Error"));
}
