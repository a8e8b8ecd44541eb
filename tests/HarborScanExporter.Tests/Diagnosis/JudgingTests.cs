using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Diagnosis;

/// <summary>Which table judges a task: with proof, on rows alone, or blind.</summary>
public sealed class JudgingTests
{
    [Fact]
    public void Without_Redis_rows_alone_judge()
    {
        var judging = With(JobServiceEvidence.Without(EvidenceState.NotConfigured));
        Assert.Equal(Judgement.Queued, judging.Judge(Waiting(9 * Hour, revision: (long)(Now - 9 * Hour)), stored: false));
        Assert.Equal(Judgement.Lost, judging.Judge(Waiting(9 * Hour), stored: false));
        Assert.Equal(Judgement.Running, judging.Judge(Running(Hour), stored: false));
    }

    [Theory]
    [InlineData(nameof(EvidenceState.Unreachable))]
    [InlineData(nameof(EvidenceState.Refused))]
    [InlineData(nameof(EvidenceState.Empty))]
    public void A_Redis_that_is_configured_and_cannot_be_used_judges_nothing_below_never(string state)
    {
        var judging = With(JobServiceEvidence.Without(Enum.Parse<EvidenceState>(state), "It does not answer."));
        Assert.Equal(Judgement.Unjudged, judging.Judge(Waiting(9 * Hour, revision: (long)(Now - 9 * Hour)), stored: false));
        Assert.Equal(Judgement.Unjudged, judging.Judge(Waiting(9 * Hour), stored: false));
        Assert.Equal(Judgement.Unjudged, judging.Judge(Running(Hour), stored: false));
        Assert.Equal(Judgement.Lost, judging.Judge(Waiting(Never + 1), stored: false));
    }

    [Fact]
    public void A_task_that_Redis_was_asked_about_is_judged_by_it()
    {
        var judging = With(Service with { Jobs = new Dictionary<string, JobEvidence> { [Job] = JobEvidence.Nothing } }, seen: 60);
        Assert.Equal(Judgement.Lost, judging.Judge(Waiting(Hour), stored: false));
    }

    [Fact]
    public void A_task_that_Redis_was_not_asked_about_keeps_what_its_row_says()
    {
        Assert.Equal(Judgement.Running, With(Service, seen: 600).Judge(Running(Hour), stored: false));
        Assert.Equal(Judgement.Unjudged, With(Service, seen: 600).Judge(Waiting(Hour), stored: false));
    }

    [Fact]
    public void A_task_without_a_job_id_has_no_job_and_needs_no_question()
    {
        var orphan = Waiting(Hour) with { JobId = "" };
        Assert.Same(JobEvidence.Nothing, Judging.JobOf(orphan, Service));
        Assert.Null(Judging.JobOf(orphan, JobServiceEvidence.Without(EvidenceState.Unreachable)));
        Assert.Equal(Judgement.Settling, With(Service).Judge(orphan, stored: false));
        Assert.Equal(Judgement.Lost, With(Service, seen: 60).Judge(orphan, stored: false));
    }

    [Fact]
    public void Only_tasks_in_doubt_are_read_again()
    {
        Judging Holding(JobEvidence job) => With(Service with { Jobs = new Dictionary<string, JobEvidence> { [Job] = job } });
        Assert.True(Holding(JobEvidence.Nothing).IsInDoubt(Waiting(Hour)));
        Assert.True(Holding(new JobEvidence { Record = Record("Pending", Hour) }).IsInDoubt(Waiting(Hour)));
        Assert.True(Holding(new JobEvidence { Holder = Unknown }).IsInDoubt(Running(Hour)));
        Assert.True(Holding(new JobEvidence { Holder = Alive, WorkerStarted = Now - 3 * Hour }).IsInDoubt(Running(3 * Hour)));
        Assert.True(Holding(new JobEvidence { Record = Record("Success", 3 * Hour) }).IsInDoubt(Running(4 * Hour)));
        Assert.False(Holding(new JobEvidence { IsQueued = true }).IsInDoubt(Waiting(30 * Hour)));
        Assert.False(Holding(new JobEvidence { Holder = Alive }).IsInDoubt(Running(Hour)));
        Assert.False(Holding(new JobEvidence { Record = Record("Success", Minute) }).IsInDoubt(Running(Hour)));
    }

    [Fact]
    public void A_pool_lives_since_the_start_of_the_oldest_that_beats()
    {
        Assert.Equal(Now - 48 * Hour, Service.UpSince);
        Assert.Equal(Now - Hour, (Service with { Pools = [Alive with { Started = Now - Minute }, Alive with { Started = Now - Hour }, Dead(31)] }).UpSince);
        Assert.Null((Service with { Pools = [Dead(31), Unknown] }).UpSince);
        // A pool that does not tell its start may have begun this moment.
        Assert.Equal(Now, (Service with { Pools = [Alive with { Started = null }] }).UpSince);
        Assert.False(Down.IsUp);
        Assert.True(Service.IsUp);
    }

    private static Judging With(JobServiceEvidence service, double seen = 0) =>
        new(Rows, service, Defaults, new Dictionary<long, double> { [Waiting(0).Id] = seen });
}
