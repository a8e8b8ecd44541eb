using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Diagnosis;

/// <summary>Every line of the decision table on rows alone, at its edges.</summary>
public sealed class TaskJudgeTests
{
    private const double Now = 1_789_992_000;
    private const double Hour = 3600;
    private const double RunningLimit = 2 * Hour;
    private const double LostAfter = 2 * Hour + 600;
    private const double Never = 26 * Hour;

    private static readonly Limits Defaults = new() { MaxJobDuration = 24 * Hour, LostAfter = LostAfter, RunningLimit = RunningLimit, Settle = 300 };

    /// <summary>A Harbor that works: hooks have been accepted for ten hours.</summary>
    private static readonly RowEvidence Healthy = new() { Now = Now, OpenTasks = 3, AcknowledgedBacklog = false, Hooks = new HookActivity(Now - 10 * Hour, Now) };

    [Fact]
    public void Running_for_less_than_the_limit_is_running()
    {
        Assert.Equal(Judgement.Running, Judge(Running(RunningLimit)));
        Assert.Equal(Judgement.Running, Judge(Running(RunningLimit), stored: true));
    }

    [Fact]
    public void Running_beyond_the_limit_with_all_reports_stored_is_unreported() =>
        Assert.Equal(Judgement.Unreported, Judge(Running(RunningLimit + 1), stored: true));

    [Fact]
    public void Running_beyond_never_with_all_reports_stored_is_unreported() =>
        Assert.Equal(Judgement.Unreported, Judge(Running(Never + 1), stored: true));

    [Fact]
    public void Running_beyond_the_limit_is_overdue() => Assert.Equal(Judgement.Overdue, Judge(Running(RunningLimit + 1)));

    [Fact]
    public void Running_beyond_the_limit_is_unjudged_while_confirmed_tasks_wait()
    {
        Assert.Equal(Judgement.Unjudged, Judge(Running(RunningLimit + 1), evidence: Healthy with { AcknowledgedBacklog = true }));
        Assert.Equal(Judgement.Unjudged, Judge(Running(Never), evidence: Healthy with { AcknowledgedBacklog = true }));
    }

    [Fact]
    public void Running_beyond_never_is_overdue_whatever_waits() =>
        Assert.Equal(Judgement.Overdue, Judge(Running(Never + 1), evidence: Healthy with { AcknowledgedBacklog = true }));

    [Fact]
    public void Stored_reports_outweigh_a_backlog() =>
        Assert.Equal(Judgement.Unreported, Judge(Running(RunningLimit + 1), stored: true, evidence: Healthy with { AcknowledgedBacklog = true }));

    [Theory]
    [InlineData(ScanStatus.Pending)]
    [InlineData(ScanStatus.Scheduled)]
    public void Waiting_beyond_never_is_lost_even_in_a_paused_queue(string status)
    {
        Assert.Equal(Judgement.Lost, Judge(Waiting(Never + 1) with { Status = status }, evidence: Healthy with { QueuePaused = true, Hooks = null }));
        Assert.Equal(Judgement.Lost, Judge(Waiting(Never + 1, revision: (long)(Now - Never - 1)) with { Status = status }));
    }

    [Fact]
    public void Waiting_in_a_paused_queue_is_paused() =>
        Assert.Equal(Judgement.Paused, Judge(Waiting(Never), evidence: Healthy with { QueuePaused = true }));

    [Fact]
    public void A_confirmed_waiting_task_is_queued() => Assert.Equal(Judgement.Queued, Judge(Waiting(20 * Hour, revision: (long)(Now - 20 * Hour))));

    [Fact]
    public void Waiting_unconfirmed_beyond_lost_after_while_hooks_arrive_is_lost() => Assert.Equal(Judgement.Lost, Judge(Waiting(LostAfter + 1)));

    [Fact]
    public void Waiting_unconfirmed_for_less_than_lost_after_is_unjudged() => Assert.Equal(Judgement.Unjudged, Judge(Waiting(LostAfter)));

    [Fact]
    public void Unless_hooks_came_for_two_reaper_rounds_since_the_row_the_reaper_may_not_have_come_through()
    {
        var created = Now - 5 * Hour;
        Judgement Heard(double from, double until) => Judge(Waiting(5 * Hour), evidence: Healthy with { Hooks = new HookActivity(from, until) });
        Assert.Equal(Judgement.Lost, Heard(created - Hour, created + 125 * 60));
        Assert.Equal(Judgement.Unjudged, Heard(created - Hour, created + 125 * 60 - 1));
        Assert.Equal(Judgement.Lost, Heard(created + Hour, created + Hour + 125 * 60));
        Assert.Equal(Judgement.Unjudged, Heard(created + Hour, created + Hour + 125 * 60 - 1));
        Assert.Equal(Judgement.Unjudged, Judge(Waiting(5 * Hour), evidence: Healthy with { Hooks = null }));
    }

    [Fact]
    public void With_20000_open_rows_silence_proves_nothing()
    {
        Assert.Equal(Judgement.Lost, Judge(Waiting(LostAfter + 1), evidence: Healthy with { OpenTasks = 19_999 }));
        Assert.Equal(Judgement.Unjudged, Judge(Waiting(LostAfter + 1), evidence: Healthy with { OpenTasks = 20_000 }));
    }

    [Fact]
    public void In_read_only_mode_silence_proves_nothing() =>
        Assert.Equal(Judgement.Unjudged, Judge(Waiting(LostAfter + 1), evidence: Healthy with { ReadOnly = true }));

    [Fact]
    public void A_row_that_ran_before_is_not_lost_on_rows_alone() =>
        Assert.Equal(Judgement.Unjudged, Judge(Waiting(LostAfter + 1) with { RunCount = 1 }));

    [Fact]
    public void A_young_row_of_which_nothing_is_known_is_settling()
    {
        Assert.Equal(Judgement.Settling, Judge(Waiting(119)));
        Assert.Equal(Judgement.Unjudged, Judge(Waiting(120)));
    }

    [Fact]
    public void A_young_row_of_which_something_is_known_is_that()
    {
        Assert.Equal(Judgement.Queued, Judge(Waiting(10, revision: (long)Now - 10)));
        Assert.Equal(Judgement.Paused, Judge(Waiting(10), evidence: Healthy with { QueuePaused = true }));
        Assert.Equal(Judgement.Running, Judge(Running(10)));
    }

    [Fact]
    public void A_starved_backlog_behind_a_big_scan_all_is_queued_not_stuck()
    {
        var starved = Waiting(9 * Hour, revision: (long)(Now - 9 * Hour));
        Assert.Equal(Judgement.Queued, Judge(starved, evidence: Healthy with { OpenTasks = 36_010, AcknowledgedBacklog = true }));
    }

    [Fact]
    public void Reports_are_asked_for_only_where_they_decide()
    {
        Assert.True(TaskJudge.NeedsReports(Running(RunningLimit + 1), Now, Defaults));
        Assert.False(TaskJudge.NeedsReports(Running(RunningLimit), Now, Defaults));
        Assert.False(TaskJudge.NeedsReports(Waiting(Never + 1), Now, Defaults));
    }

    [Fact]
    public void Never_is_two_hours_beyond_Harbors_own_limit() => Assert.Equal(Never, Defaults.Never);

    [Fact]
    public void Words_are_the_contracts()
    {
        Assert.Equal(["lost", "unreported", "hung", "not_queued", "overdue"], Judgement.Verdicts.Select(verdict => verdict.Word));
        Assert.Equal(["queued", "running", "paused", "requeued", "settling", "unjudged"], Judgement.States.Select(state => state.Word));
        Assert.All(Judgement.Verdicts, verdict => Assert.True(verdict.IsStuck));
        Assert.All(Judgement.States, state => Assert.False(state.IsStuck));
    }

    private static Judgement Judge(ScanTask task, bool stored = false, RowEvidence? evidence = null) => TaskJudge.Judge(task, stored, evidence ?? Healthy, Defaults);

    private static ScanTask Running(double age) => Waiting(age + 60, revision: (long)(Now - age - 60)) with
    {
        Status = ScanStatus.Running,
        StatusCode = 2,
        Updated = Now - age,
    };

    private static ScanTask Waiting(double age, long revision = 0) => new()
    {
        Id = 1,
        ExecutionId = 1,
        Type = ScanType.ImageScan,
        Status = ScanStatus.Pending,
        StatusCode = 0,
        StatusRevision = revision,
        RunCount = revision > 0 ? 1 : 0,
        Created = Now - age,
    };
}
