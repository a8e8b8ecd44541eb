using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Diagnosis;

/// <summary>Every line of the decision table with evidence, at its edges; the row that changed meanwhile is Diagnosing's.</summary>
public sealed class EvidenceJudgeTests
{
    private static readonly JobEvidence Queued = new() { IsQueued = true };
    private static readonly JobEvidence Held = new() { Holder = Alive, Record = Record("Running", Hour, "Running") };

    // 2. A live worker or the list of a live pool holds the job.

    [Fact]
    public void What_a_live_pool_holds_is_running()
    {
        Assert.Equal(Judgement.Running, Judge(Running(Hour), Held));
        Assert.Equal(Judgement.Running, Judge(Waiting(30 * Hour), Held));
    }

    [Fact]
    public void What_a_live_pool_holds_though_the_job_also_waits_is_running() =>
        Assert.Equal(Judgement.Running, Judge(Running(Hour), Held with { IsQueued = true }));

    [Fact]
    public void What_a_live_pool_holds_without_a_record_is_running() =>
        Assert.Equal(Judgement.Running, Judge(Running(Hour), new JobEvidence { Holder = Alive }, seenFor: 10 * Hour));

    [Fact]
    public void A_heartbeat_is_fresh_for_30_seconds()
    {
        Judgement Beat(double age) => Judge(Running(Hour), Held with { Holder = Alive with { Heartbeat = Now - age } },
            service: Service with { Pools = [Alive with { Heartbeat = Now - age }] });
        Assert.Equal(Judgement.Running, Beat(29));
        Assert.Equal(Judgement.Running, Beat(30));
        Assert.Equal(Judgement.Requeued, Beat(31));
        // A clock of the job service that is ahead makes no pool dead.
        Assert.Equal(Judgement.Running, Beat(-600));
    }

    [Theory]
    [InlineData("Success")]
    [InlineData("Error")]
    [InlineData("Stopped")]
    public void What_a_worker_still_holds_though_its_record_is_final_is_settling(string status)
    {
        Assert.Equal(Judgement.Settling, Judge(Running(30 * Hour), Held with { Record = Record(status, 10 * Hour) }));
        Assert.Equal(Judgement.Settling, Judge(Running(Hour), Held with { Record = Record(status, 1, status) }));
    }

    [Fact]
    public void A_worker_that_began_longer_ago_than_the_running_limit_hangs()
    {
        Judgement Began(double age) => Judge(Running(Hour), Held with { WorkerStarted = Now - age });
        Assert.Equal(Judgement.Running, Began(RunningLimit - 1));
        Assert.Equal(Judgement.Running, Began(RunningLimit));
        Assert.Equal(Judgement.Hung, Began(RunningLimit + 1));
    }

    [Fact]
    public void The_workers_start_outweighs_the_rows()
    {
        Assert.Equal(Judgement.Running, Judge(Running(9 * Hour), Held with { WorkerStarted = Now - 5 * Minute }));
        Assert.Equal(Judgement.Hung, Judge(Running(5 * Minute), Held with { WorkerStarted = Now - 9 * Hour }));
    }

    [Fact]
    public void Where_no_worker_tells_its_start_the_row_of_a_running_scan_does()
    {
        Assert.Equal(Judgement.Running, Judge(Running(RunningLimit - 1), Held));
        Assert.Equal(Judgement.Running, Judge(Running(RunningLimit), Held));
        Assert.Equal(Judgement.Hung, Judge(Running(RunningLimit + 1), Held));
        // When a row that still waits was made says nothing of its worker.
        Assert.Equal(Judgement.Running, Judge(Waiting(RunningLimit + 1), Held));
    }

    // 3. The job is in the queue.

    [Theory]
    [InlineData(1)]
    [InlineData(9 * Hour)]
    [InlineData(30 * Hour)]
    public void What_waits_in_the_queue_is_queued_however_old(double age)
    {
        Assert.Equal(Judgement.Queued, Judge(Waiting(age), Queued));
        Assert.Equal(Judgement.Queued, Judge(Waiting(age, revision: (long)(Now - age)), Queued));
        Assert.Equal(Judgement.Queued, Judge(Waiting(age) with { Status = ScanStatus.Scheduled, StatusCode = 1 }, Queued));
    }

    [Fact]
    public void What_waits_again_though_its_row_says_Running_is_requeued() => Assert.Equal(Judgement.Requeued, Judge(Running(30 * Hour), Queued));

    [Fact]
    public void What_waits_in_a_paused_queue_is_paused()
    {
        var paused = Service with { Scans = new QueueEvidence(1, null, Paused: true) };
        Assert.Equal(Judgement.Paused, Judge(Waiting(30 * Hour), Queued, service: paused));
        Assert.Equal(Judgement.Paused, Judge(Running(30 * Hour), Queued, service: paused));
        Assert.Equal(Judgement.Running, Judge(Running(Hour), Held, service: paused));
    }

    [Fact]
    public void Neither_a_final_record_nor_a_dead_pool_outweighs_the_queue()
    {
        Assert.Equal(Judgement.Queued, Judge(Waiting(30 * Hour), Queued with { Record = Record("Error", 6 * Hour, "Error") }));
        Assert.Equal(Judgement.Requeued, Judge(Running(30 * Hour), Queued with { Holder = Dead(Hour) }));
    }

    // 4. It is in the list of a dead or an unknown pool.

    [Fact]
    public void What_the_list_of_a_dead_pool_holds_though_its_record_is_final_is_judged_by_the_record()
    {
        JobEvidence Over(WorkerPool pool, double age) => new() { Holder = pool, Record = Record("Success", age, "Success") };
        Assert.Equal(Judgement.Settling, Judge(Running(9 * Hour), Over(Dead(10 * Hour), 14 * 60)));
        Assert.Equal(Judgement.Unreported, Judge(Running(9 * Hour), Over(Dead(10 * Hour), 16 * 60)));
        Assert.Equal(Judgement.Unreported, Judge(Running(9 * Hour), Over(Unknown, 16 * 60), seenFor: 10 * Hour));
    }

    [Fact]
    public void What_a_dead_pool_holds_is_requeued_for_a_quarter_of_an_hour_beside_a_live_one()
    {
        Judgement DeadFor(double age) => Judge(Running(9 * Hour), new JobEvidence { Holder = Dead(age), Record = Record("Running", 9 * Hour, "Running") });
        Assert.Equal(Judgement.Requeued, DeadFor(31));
        Assert.Equal(Judgement.Requeued, DeadFor(15 * Minute - 1));
        Assert.Equal(Judgement.Requeued, DeadFor(15 * Minute));
        Assert.Equal(Judgement.NotQueued, DeadFor(15 * Minute + 1));
    }

    [Fact]
    public void The_quarter_of_an_hour_begins_with_the_live_pool_when_that_came_later()
    {
        Judgement UpFor(double age) => Judge(Running(9 * Hour), new JobEvidence { Holder = Dead(8 * Hour) }, service: Service with { Pools = [Alive with { Started = Now - age }] });
        Assert.Equal(Judgement.Requeued, UpFor(15 * Minute));
        Assert.Equal(Judgement.NotQueued, UpFor(15 * Minute + 1));
    }

    [Fact]
    public void Without_a_live_pool_what_a_dead_one_holds_waits_for_it() =>
        Assert.Equal(Judgement.Requeued, Judge(Running(30 * Hour), new JobEvidence { Holder = Dead(28 * Hour) }, seenFor: 10 * Hour, service: Down));

    [Fact]
    public void The_list_of_a_pool_without_heartbeat_needs_a_quarter_of_an_hour_of_sightings()
    {
        Judgement SeenFor(double seconds) => Judge(Running(9 * Hour), new JobEvidence { Holder = Unknown, Record = Record("Running", 9 * Hour, "Running") }, seenFor: seconds);
        Assert.Equal(Judgement.Requeued, SeenFor(0));
        Assert.Equal(Judgement.Requeued, SeenFor(15 * Minute - 1));
        Assert.Equal(Judgement.Requeued, SeenFor(15 * Minute));
        Assert.Equal(Judgement.NotQueued, SeenFor(15 * Minute + 1));
        Assert.Equal(Judgement.Requeued, Judge(Running(9 * Hour), new JobEvidence { Holder = Unknown }, seenFor: Hour, service: Service with { Pools = [Alive with { Started = Now - 15 * Minute }] }));
        Assert.Equal(Judgement.Requeued, Judge(Running(9 * Hour), new JobEvidence { Holder = Unknown }, seenFor: Hour, service: Down));
    }

    // 5. Its record is final.

    [Theory]
    [InlineData("Success")]
    [InlineData("Error")]
    [InlineData("Stopped")]
    public void An_acknowledged_end_is_settling_for_a_quarter_of_an_hour_then_unreported(string status)
    {
        Judgement Ended(double age) => Judge(Running(3 * Hour), new JobEvidence { Record = Record(status, age, status) });
        Assert.Equal(Judgement.Settling, Ended(15 * Minute - 1));
        Assert.Equal(Judgement.Settling, Ended(15 * Minute));
        Assert.Equal(Judgement.Unreported, Ended(15 * Minute + 1));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Running")]
    public void An_end_that_core_has_not_acknowledged_is_settling_for_two_rounds_of_the_reaper_then_unreported(string? acknowledged)
    {
        Judgement Ended(double age) => Judge(Running(3 * Hour), new JobEvidence { Record = Record("Success", age, acknowledged) });
        Assert.Equal(Judgement.Settling, Ended(15 * Minute + 1));
        Assert.Equal(Judgement.Settling, Ended(130 * Minute - 1));
        Assert.Equal(Judgement.Settling, Ended(130 * Minute));
        Assert.Equal(Judgement.Unreported, Ended(130 * Minute + 1));
    }

    [Fact]
    public void The_two_rounds_begin_with_the_oldest_live_pool_when_that_came_later()
    {
        var young = Alive with { Id = "young", Started = Now - Minute };
        Judgement UpFor(double age) => Judge(Running(30 * Hour), new JobEvidence { Record = Record("Success", 20 * Hour) },
            service: Service with { Pools = [Dead(Hour), young, Alive with { Started = Now - age }] });
        Assert.Equal(Judgement.Settling, UpFor(130 * Minute));
        Assert.Equal(Judgement.Unreported, UpFor(130 * Minute + 1));
    }

    [Fact]
    public void While_no_round_of_the_reaper_can_come_through_an_unacknowledged_end_is_settling()
    {
        var ended = new JobEvidence { Record = Record("Success", 20 * Hour) };
        Assert.Equal(Judgement.Settling, Judge(Running(30 * Hour), ended, rows: Rows with { ReadOnly = true }));
        Assert.Equal(Judgement.Settling, Judge(Running(30 * Hour), ended, service: Down));
        Assert.Equal(Judgement.Settling, Judge(Running(30 * Hour), ended, service: Service with { Pools = [Dead(31)] }));
    }

    [Fact]
    public void An_acknowledged_end_needs_no_round_of_the_reaper()
    {
        var ended = new JobEvidence { Record = Record("Success", 20 * Hour, "Success") };
        Assert.Equal(Judgement.Unreported, Judge(Running(30 * Hour), ended, rows: Rows with { ReadOnly = true }));
        Assert.Equal(Judgement.Unreported, Judge(Running(30 * Hour), ended, service: Down with { NewestWork = Now - 20 * Hour }));
    }

    [Fact]
    public void An_acknowledgement_of_an_older_run_or_a_lower_status_is_none()
    {
        Assert.True(new JobRecord("Success", 100, 0, (100, 3)).IsAcknowledged);
        Assert.True(new JobRecord("Success", 100, 0, (101, 0)).IsAcknowledged);
        Assert.False(new JobRecord("Success", 100, 0, (100, 2)).IsAcknowledged);
        Assert.False(new JobRecord("Success", 100, 0, (99, 3)).IsAcknowledged);
        Assert.False(new JobRecord("Success", 100, 0, null).IsAcknowledged);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Success")]
    public void An_end_that_does_not_tell_its_time_may_be_of_this_moment(string? acknowledged) =>
        Assert.Equal(Judgement.Settling, Judge(Running(30 * Hour), new JobEvidence { Record = Record("Success", 20 * Hour, acknowledged) with { Updated = null } }));

    // 6. Its record is open and it is in none of these.

    [Theory]
    [InlineData("Pending")]
    [InlineData("Scheduled")]
    [InlineData("Running")]
    [InlineData(null)]
    public void A_known_job_that_is_nowhere_needs_two_sightings_to_be_not_queued(string? record)
    {
        foreach (var task in new[] { Waiting(2 * Hour), Running(2 * Hour) })
        {
            Judgement SeenFor(double seconds) => Judge(task, new JobEvidence { Record = Record("Pending", 2 * Hour, "Pending") with { Status = record } }, seenFor: seconds);
            Assert.Equal(Judgement.Settling, SeenFor(0));
            Assert.Equal(Judgement.Settling, SeenFor(59));
            Assert.Equal(Judgement.NotQueued, SeenFor(60));
            Assert.Equal(Judgement.NotQueued, SeenFor(61));
        }
    }

    [Fact]
    public void Absence_from_a_queue_read_in_part_proves_nothing()
    {
        var known = new JobEvidence { Record = Record("Pending", 9 * Hour, "Pending") };
        var part = Service with { ListsReadWhole = false };
        Assert.Equal(Judgement.Queued, Judge(Waiting(9 * Hour), known, seenFor: Hour, service: part));
        Assert.Equal(Judgement.Unjudged, Judge(Running(9 * Hour), known, seenFor: Hour, service: part));
        Assert.Equal(Judgement.Paused, Judge(Waiting(9 * Hour), known, seenFor: Hour, service: part with { Scans = new QueueEvidence(5_000, null, Paused: true) }));
    }

    // 7. No record.

    [Fact]
    public void Without_a_record_two_sightings_make_it_lost()
    {
        foreach (var task in new[] { Waiting(5 * Minute), Waiting(120 * Hour), Running(9 * Hour), Waiting(9 * Hour) with { JobId = "" } })
        {
            Judgement SeenFor(double seconds) => Judge(task, JobEvidence.Nothing, seenFor: seconds);
            Assert.Equal(Judgement.Settling, SeenFor(0));
            Assert.Equal(Judgement.Settling, SeenFor(59));
            Assert.Equal(Judgement.Lost, SeenFor(60));
            Assert.Equal(Judgement.Lost, SeenFor(61));
        }
    }

    [Fact]
    public void Without_a_record_and_with_every_report_stored_it_is_unreported_at_once()
    {
        Assert.Equal(Judgement.Unreported, Judge(Running(5 * Minute), JobEvidence.Nothing, stored: true));
        Assert.Equal(Judgement.Unreported, Judge(Waiting(9 * Hour) with { JobId = "" }, JobEvidence.Nothing, stored: true, seenFor: Hour));
    }

    [Fact]
    public void A_queue_read_in_part_saves_no_job_without_a_record() =>
        Assert.Equal(Judgement.Lost, Judge(Waiting(9 * Hour), JobEvidence.Nothing, seenFor: 60, service: Service with { ListsReadWhole = false }));

    [Fact]
    public void Stored_reports_decide_only_where_there_is_no_record()
    {
        Assert.Equal(Judgement.Running, Judge(Running(Hour), Held, stored: true));
        Assert.Equal(Judgement.Queued, Judge(Waiting(Hour), Queued, stored: true));
        Assert.Equal(Judgement.Settling, Judge(Running(Hour), new JobEvidence { Record = Record("Running", Hour) }, stored: true));
    }

    [Fact]
    public void After_Redis_was_emptied_under_a_live_pool_a_scan_that_began_since_its_start_may_still_be_stored_for_five_minutes()
    {
        var emptied = Service with { EmptiedUnderPools = true, Pools = [Alive with { Started = Now - 3 * Hour }] };
        Judgement Seen(double seenFor, double age = Hour, JobServiceEvidence? service = null) => Judge(Running(age), JobEvidence.Nothing, seenFor: seenFor, service: service ?? emptied);
        Assert.Equal(Judgement.Settling, Seen(60));
        Assert.Equal(Judgement.Settling, Seen(299));
        Assert.Equal(Judgement.Lost, Seen(300));
        Assert.Equal(Judgement.Lost, Seen(300, age: Minute));
        // Before the pool's start, to the whole second that rows are cut to, no worker of it had the scan.
        var young = emptied with { Pools = [Alive with { Started = Now - Hour }] };
        Assert.Equal(Judgement.Settling, Seen(60, Hour + 1, young));
        Assert.Equal(Judgement.Lost, Seen(60, Hour + 2, young));
        Assert.Equal(Judgement.Lost, Seen(60, service: emptied with { EmptiedUnderPools = false }));
        Assert.Equal(Judgement.Lost, Judge(Waiting(Hour), JobEvidence.Nothing, seenFor: 60, service: emptied));
        Assert.Equal(Judgement.Unreported, Judge(Running(Minute), JobEvidence.Nothing, stored: true, service: emptied));
    }

    [Fact]
    public void A_pool_that_started_since_tells_that_Redis_was_emptied_before_its_start()
    {
        Judgement NewerStarted(double ago, double olderStarted = 3 * Hour, double seenFor = 60) => Judge(Running(Hour), JobEvidence.Nothing, seenFor: seenFor, service: Service with
        {
            Pools = [Alive with { Started = Now - olderStarted }, Alive with { Id = "newer", Started = Now - ago }],
        });
        Assert.Equal(Judgement.Settling, NewerStarted(Minute));
        Assert.Equal(Judgement.Settling, NewerStarted(299));
        Assert.Equal(Judgement.Lost, NewerStarted(300));
        Assert.Equal(Judgement.Lost, NewerStarted(Minute, seenFor: 300));
        // Nobody was there to run it, or nobody came after it.
        Assert.Equal(Judgement.Lost, NewerStarted(Minute, olderStarted: Minute));
        Assert.Equal(Judgement.Lost, Judge(Running(Hour), JobEvidence.Nothing, seenFor: 60, service: Service with { Pools = [Alive with { Started = Now - Hour }] }));
    }

    // What stood still before a row was written proves nothing of it.

    [Fact]
    public void Without_a_live_pool_nothing_is_stuck_by_evidence_that_is_not_a_minute_newer_than_its_row()
    {
        Judgement Sign(ScanTask task, JobEvidence job, double ago, bool stored = false) =>
            Judge(task, job, stored, seenFor: 10 * Hour, service: Down with { NewestWork = Now - ago });
        Assert.Equal(Judgement.Lost, Sign(Waiting(Hour), JobEvidence.Nothing, Hour - 60));
        Assert.Equal(Judgement.Unjudged, Sign(Waiting(Hour), JobEvidence.Nothing, Hour - 59));
        Assert.Equal(Judgement.Settling, Sign(Waiting(119), JobEvidence.Nothing, Hour));
        // When core last heard of it counts, not only when the row was made.
        Assert.Equal(Judgement.Lost, Sign(Running(Hour), JobEvidence.Nothing, Hour - 60));
        Assert.Equal(Judgement.Unjudged, Sign(Running(Hour) with { Created = Now - 9 * Hour }, JobEvidence.Nothing, Hour - 59));
        Assert.Equal(Judgement.Unjudged, Sign(Waiting(9 * Hour, revision: (long)(Now - Hour)), JobEvidence.Nothing, Hour - 59));
        Assert.Equal(Judgement.NotQueued, Sign(Waiting(9 * Hour), new JobEvidence { Record = Record("Pending", 9 * Hour) }, Hour));
        Assert.Equal(Judgement.Unjudged, Sign(Waiting(Hour), new JobEvidence { Record = Record("Pending", 9 * Hour) }, 2 * Hour));
        Assert.Equal(Judgement.Unreported, Sign(Running(9 * Hour), new JobEvidence { Record = Record("Success", 8 * Hour, "Success") }, Hour));
        Assert.Equal(Judgement.Unjudged, Sign(Running(Hour), new JobEvidence { Record = Record("Success", 8 * Hour, "Success") }, 2 * Hour));
        Assert.Equal(Judgement.Unreported, Sign(Running(9 * Hour), JobEvidence.Nothing, Hour, stored: true));
        Assert.Equal(Judgement.Unjudged, Sign(Running(Hour), JobEvidence.Nothing, 2 * Hour, stored: true));
        Assert.Equal(Judgement.Unjudged, Judge(Waiting(9 * Hour), JobEvidence.Nothing, seenFor: 10 * Hour, service: Down));
        // A row without any time may be of this moment.
        Assert.Equal(Judgement.Settling, Sign(Waiting(0) with { Created = null }, JobEvidence.Nothing, Hour));
    }

    [Fact]
    public void A_fresh_heartbeat_proves_nothing_of_a_row_that_was_made_after_it()
    {
        Judgement Beat(ScanTask task, double ago, JobEvidence? job = null) =>
            Judge(task, job ?? JobEvidence.Nothing, seenFor: 10 * Hour, service: Service with { Pools = [Alive with { Heartbeat = Now - ago }] });
        Assert.Equal(Judgement.Lost, Beat(Waiting(25), 20));
        Assert.Equal(Judgement.Settling, Beat(Waiting(24), 20));
        Assert.Equal(Judgement.Lost, Beat(Waiting(Minute), 30));
        // The record should be there since the row was made, whatever core heard later.
        Assert.Equal(Judgement.Lost, Beat(Running(1) with { Created = Now - Hour }, 20));
        // What a record says may be older than what core heard.
        var ended = new JobEvidence { Record = Record("Success", Hour, "Success") };
        Assert.Equal(Judgement.Unreported, Beat(Running(25), 20, ended));
        Assert.Equal(Judgement.Settling, Beat(Running(24), 20, ended));
        // A job service whose clock is ahead was not alive in the future.
        Assert.Equal(Judgement.Settling, Beat(Waiting(4), -600));
        Assert.Equal(Judgement.Lost, Beat(Waiting(5), -600));
    }

    // What is remembered between two looks.

    [Fact]
    public void Only_an_absence_is_remembered()
    {
        Assert.Equal(Absence.None, AbsenceOf(Held));
        Assert.Equal(Absence.None, AbsenceOf(Queued));
        Assert.Equal(Absence.None, AbsenceOf(Queued with { Holder = Unknown }));
        Assert.Equal(Absence.None, AbsenceOf(new JobEvidence { Holder = Dead(Hour) }));
        Assert.Equal(Absence.Pool, AbsenceOf(new JobEvidence { Holder = Unknown }));
        Assert.Equal(Absence.Record, AbsenceOf(JobEvidence.Nothing));
        Assert.Equal(Absence.Record, AbsenceOf(JobEvidence.Nothing, Service with { ListsReadWhole = false }));
        Assert.Equal(Absence.None, AbsenceOf(new JobEvidence { Record = Record("Success", Hour) }));
        Assert.Equal(Absence.Place, AbsenceOf(new JobEvidence { Record = Record("Pending", Hour) }));
        Assert.Equal(Absence.None, AbsenceOf(new JobEvidence { Record = Record("Pending", Hour) }, Service with { ListsReadWhole = false }));
    }

    // Beyond the bound, and blind.

    [Fact]
    public void Beyond_the_bound_a_task_keeps_what_its_row_says_for_certain()
    {
        Assert.Equal(Judgement.Running, Beyond(Running(RunningLimit - 1)));
        Assert.Equal(Judgement.Running, Beyond(Running(RunningLimit)));
        Assert.Equal(Judgement.Unjudged, Beyond(Running(RunningLimit + 1)));
        Assert.Equal(Judgement.Queued, Beyond(Waiting(30 * Hour, revision: 1)));
        Assert.Equal(Judgement.Paused, Beyond(Waiting(30 * Hour, revision: 1), Service with { Scans = new QueueEvidence(5_000, null, Paused: true) }));
        Assert.Equal(Judgement.Settling, Beyond(Waiting(119)));
        Assert.Equal(Judgement.Unjudged, Beyond(Waiting(120)));
        Assert.Equal(Judgement.Unjudged, Beyond(Waiting(120 * Hour)));
    }

    [Fact]
    public void Blind_only_what_Harbor_will_never_heal_is_stuck()
    {
        Assert.Equal(Judgement.Unjudged, Blind(Waiting(Never - 1)));
        Assert.Equal(Judgement.Unjudged, Blind(Waiting(Never)));
        Assert.Equal(Judgement.Lost, Blind(Waiting(Never + 1)));
        Assert.Equal(Judgement.Unjudged, Blind(Running(Never - 1)));
        Assert.Equal(Judgement.Unjudged, Blind(Running(Never)));
        Assert.Equal(Judgement.Overdue, Blind(Running(Never + 1)));
        Assert.Equal(Judgement.Unreported, Blind(Running(Never + 1), stored: true));
        Assert.Equal(Judgement.Unreported, Blind(Waiting(Never + 1), stored: true));
        Assert.Equal(Judgement.Unjudged, Blind(Running(Never), stored: true));
    }

    [Fact]
    public void Blind_neither_pause_nor_acknowledgement_nor_running_time_is_a_judgement()
    {
        Assert.Equal(Judgement.Unjudged, EvidenceJudge.Blind(Waiting(3 * Hour, revision: (long)(Now - 3 * Hour)), false, Rows with { QueuePaused = true }, Defaults));
        Assert.Equal(Judgement.Unjudged, Blind(Running(3 * Hour)));
        Assert.Equal(Judgement.Settling, Blind(Waiting(119)));
        Assert.Equal(Judgement.Unjudged, Blind(Waiting(120)));
    }

    private static Judgement Judge(ScanTask task, JobEvidence job, bool stored = false, double seenFor = 0, RowEvidence? rows = null, JobServiceEvidence? service = null) =>
        EvidenceJudge.Judge(task, job, stored, seenFor, rows ?? Rows, service ?? Service, Defaults);

    private static Judgement Beyond(ScanTask task, JobServiceEvidence? service = null) => EvidenceJudge.BeyondBound(task, Rows, service ?? Service, Defaults);

    private static Judgement Blind(ScanTask task, bool stored = false) => EvidenceJudge.Blind(task, stored, Rows, Defaults);

    private static Absence AbsenceOf(JobEvidence job, JobServiceEvidence? service = null) => EvidenceJudge.AbsenceOf(job, service ?? Service);
}
