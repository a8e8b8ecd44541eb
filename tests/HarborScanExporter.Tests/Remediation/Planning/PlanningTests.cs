using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>What holds a plan back: everything at once, one thing by its past or its job, or a cap (conventions 5).</summary>
public sealed class PlanningTests
{
    private static readonly PlanSituation Lost = new() { Scans = [new OpenScan(Pending(), JobEvidence.Nothing)] };

    public static TheoryData<string> BlockNames => [.. Blocks.Select(block => block.What)];

    private static readonly (string What, PlanSituation Situation, string Reason)[] Blocks =
    [
        ("switched off", Lost with { Settings = Armed with { Mode = RemediationMode.Off } }, "off"),
        ("paused by a file", Lost with { Terms = Lost.Terms with { PausedBy = "the database is being moved" } }, "paused"),
        ("paused by an empty file", Lost with { Terms = Lost.Terms with { PausedBy = "" } }, "paused"),
        ("failures as many as repairs", Lost with { History = Lost.History with { LastHour = 5, FailedLastHour = 5 } }, "breaker_open"),
        ("three that did not hold", Lost with { History = Lost.History with { LastHour = 100, RevertedLately = 3 } }, "breaker_open"),
        ("a standby by its facts", Lost with { Standby = true }, "standby"),
        ("a standby by the repairing role's connection", Lost with { History = Lost.History with { Standby = true } }, "standby"),
        ("a schema newer than known", Lost with { Schema = 999 }, "unknown_schema"),
        ("Redis empty", Lost with { Service = JobServiceEvidence.Without(EvidenceState.Empty) }, "no_evidence"),
        ("Redis refused", Lost with { Service = JobServiceEvidence.Without(EvidenceState.Refused) }, "no_evidence"),
        ("no pool at all", Lost with { Service = Lost.Service with { Pools = [] } }, "no_workers"),
        ("no fresh heartbeat", Lost with { Service = Lost.Service with { Pools = [Live with { Heartbeat = Now - 31 }] } }, "no_workers"),
        ("read-only by the diagnosis", Lost with { ReadOnly = true }, "read_only"),
        ("read-only by the repairing role", Lost with { History = Lost.History with { ReadOnly = true } }, "read_only"),
        ("nobody tells the mode", Lost with { ReadOnly = null, History = Lost.History with { ReadOnly = null } }, "read_only"),
        ("the scans' queue paused in Redis", Lost with { Service = Lost.Service with { Scans = new QueueEvidence(0, null, true) } }, "queue_paused"),
        ("the scans' queue paused by its row", Lost with { PausedQueues = new HashSet<string> { "IMAGE_SCAN" } }, "queue_paused"),
        ("a look older than half a minute", Lost with { History = Lost.History with { Now = Now + 31 } }, "stale_look"),
        ("21 of 30 stuck and nothing moves", Stuck(21, 9), "share"),
    ];

    [Fact]
    public void What_no_repair_is_known_for_is_left_alone()
    {
        var look = (Lost with { HasApi = true }).Look;
        var past = new PastOfThings(RepairHistory.None with { Now = Now }, Armed);
        var known = look.Diagnosed.Tasks.Single();
        Assert.NotNull(TaskPlanning.Decide(known, look, past).Repair);
        foreach (var judgement in Judgement.States)
        {
            var decided = TaskPlanning.Decide(known with { Judgement = judgement }, look, past);
            Assert.Null(decided.Repair);
            Assert.Equal(("no_proof", $"No repair is known for {judgement.Word}. Look for a newer exporter."), (decided.Refusal!.Reason, decided.Refusal.Text));
        }
        foreach (var kind in new[] { "execution_of_a_later_version", Inconsistency.SweepBlocked })
            Assert.Equal("no_proof execution-500", new PlanSituation { Executions = [InconsistentRow(kind)] }.Told());
    }

    [Theory]
    [MemberData(nameof(BlockNames))]
    public void Nothing_is_written_while(string what)
    {
        var (_, situation, reason) = Blocks.Single(block => block.What == what);
        var plan = situation.Plan();
        Assert.Equal([reason], plan.Blocks.Select(block => block.Reason));
        Assert.True(plan.IsBlocked);
    }

    [Fact]
    public void What_almost_forbids_everything_forbids_nothing()
    {
        Assert.Empty((Lost with { History = Lost.History with { LastHour = 5, FailedLastHour = 4 } }).Plan().Blocks);
        Assert.Empty((Lost with { History = Lost.History with { LastHour = 6, FailedLastHour = 5 } }).Plan().Blocks);
        Assert.Empty((Lost with { History = Lost.History with { RevertedLately = 2 } }).Plan().Blocks);
        Assert.Empty((Lost with { Schema = HarborSchema.NewestKnown }).Plan().Blocks);
        Assert.Empty((Lost with { Service = Lost.Service with { Pools = [Live with { Heartbeat = Now - 30 }] } }).Plan().Blocks);
        Assert.Empty((Lost with { ReadOnly = null }).Plan().Blocks);
        Assert.Empty((Lost with { PausedQueues = new HashSet<string> { "REPLICATION" } }).Plan().Blocks);
        Assert.Empty((Lost with { History = Lost.History with { Now = Now + 30 } }).Plan().Blocks);
        Assert.Empty(Stuck(20, 0).Plan().Blocks);
        Assert.Empty(Stuck(21, 21).Plan().Blocks);
    }

    [Fact]
    public void Many_stuck_scans_are_no_outage_once_a_scan_has_begun_or_succeeded_after_the_newest_of_them()
    {
        var outage = Stuck(30, 0) with { SeenFor = 600 };
        Assert.Equal("share", Assert.Single(outage.Plan().Blocks).Reason);
        Assert.Equal("share", Assert.Single((outage with { NewestSuccess = Now - 601 }).Plan().Blocks).Reason);
        Assert.Empty((outage with { NewestSuccess = Now - 599 }).Plan().Blocks);
        OpenScan Begun(double age) => new(Running(id: 900, age: age, jobId: "a"), Held(age));
        Assert.Equal("share", Assert.Single((outage with { Scans = [.. outage.Scans, Begun(601)] }).Plan().Blocks).Reason);
        Assert.Empty((outage with { Scans = [.. outage.Scans, Begun(599)] }).Plan().Blocks);
        Assert.Empty((outage with { Terms = outage.Terms with { OverrideShare = true } }).Plan().Blocks);
    }

    [Fact]
    public void A_block_names_its_mend()
    {
        var paused = Assert.Single((Lost with { Terms = Lost.Terms with { PausedBy = "the database is being moved" } }).Plan().Blocks);
        Assert.Equal("Repairs are paused by the file /run/pause: the database is being moved. Remove it to go on.", paused.Text);
        Assert.Contains("HARBOR_SCAN_REMEDIATION", (Lost with { Settings = Armed with { Mode = RemediationMode.Off } }).Plan().Blocks[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_verdict_that_was_not_seen_for_a_minute_waits_for_its_second_look()
    {
        var first = (Lost with { SeenFor = 12 }).Plan();
        var refusal = Assert.Single(first.Refusals);
        Assert.Equal(("second_look", 48.0), (refusal.Reason, refusal.HoldsFor));
        Assert.Empty(first.Repairs);
        Assert.Equal("second_look task-1", (Lost with { SeenFor = 59.9 }).Told());
        Assert.Equal("finish_task Error task-1", (Lost with { SeenFor = 60 }).Told());
        Assert.Equal("second_look execution-500", new PlanSituation { Executions = [InconsistentRow(Inconsistency.ExecutionNotRefreshed)], SeenFor = 0 }.Told());
        Assert.Equal("second_look codes-600", new PlanSituation { WrongCodes = [WrongCode(JobEvidence.Nothing)], SeenFor = 0 }.Told());
    }

    [Fact]
    public void A_scan_that_may_be_called_stuck_at_the_next_look_says_when()
    {
        var live = Assert.Single(new PlanSituation { Scans = [new OpenScan(Pending(), JobEvidence.Nothing, AbsentFor: 12)] }.Plan().Refusals);
        Assert.Equal(("live", "settling", 48.0), (live.Reason, live.Verdict, live.HoldsFor));
        Assert.Null(Assert.Single(new PlanSituation { Scans = [new OpenScan(Pending(), new JobEvidence { IsQueued = true, Record = Record("Pending") })] }.Plan().Refusals).HoldsFor);
    }

    [Theory]
    [InlineData("", "finish_task Error task-1")]
    [InlineData("all", "finish_task Error task-1")]
    [InlineData("d318c1b17dff242a33f02544", "stop_job Stopped task-1")]
    [InlineData("d318c1b17dff242a33f0254", "finish_task Error task-1")]
    [InlineData("d318c1b17dff242a33f025441", "finish_task Error task-1")]
    [InlineData("D318C1B17DFF242A33F02544", "finish_task Error task-1")]
    [InlineData("d318c1b17dff242a33f0254g", "finish_task Error task-1")]
    [InlineData("../../projects/1/immutab", "finish_task Error task-1")]
    public void The_API_is_asked_to_stop_only_what_can_be_nothing_but_a_job(string jobId, string told) =>
        Assert.Equal(told, new PlanSituation { HasApi = true, Scans = [new OpenScan(Pending(jobId: jobId), JobEvidence.Nothing)] }.Told());

    [Fact]
    public void A_job_that_two_tasks_name_is_left_to_a_person_unless_Redis_knows_nothing_of_it()
    {
        var shared = Lost with { HasApi = true, JobOwners = new Dictionary<string, long> { [JobId] = 2 } };
        Assert.Equal("finish_task Error task-1", shared.Told());
        Assert.Equal("shared_job task-1", (shared with { Scans = [new OpenScan(Pending(), new JobEvidence { Record = Record("Pending") })] }).Told());
        Assert.Equal("shared_job task-1", (shared with { Scans = [new OpenScan(Running(), Held(3 * Hour))] }).Told());
    }

    [Fact]
    public void What_was_repaired_an_hour_ago_is_left_alone_for_the_cool_down()
    {
        var refusal = Assert.Single((Lost with { Past = [Repair("finish_task", "done", 30 * Minute)] }).Plan().Refusals);
        Assert.Equal(("cooling_down", 1800.0), (refusal.Reason, refusal.HoldsFor));
        Assert.Equal("finish_task Error task-1", (Lost with { Past = [Repair("finish_task", "done", 61 * Minute)] }).Told());
        Assert.Equal("cooling_down task-1", (Lost with { Past = [Repair("finish_task", "failed", Minute, "timeout")] }).Told());
        Assert.Equal("finish_task Error task-1", (Lost with { Past = [Repair("finish_task", "failed", Minute, "lost_race")] }).Told());
        Assert.Equal("finish_task Error task-1", (Lost with { Past = [Repair("finish_task", "failed", 11, "locked")] }).Told());
        Assert.Equal("cooling_down task-1", (Lost with { Past = [Repair("finish_task", "failed", 9, "locked")] }).Told());
    }

    [Fact]
    public void After_as_many_repairs_as_are_allowed_a_person_has_to_look()
    {
        PastRepair[] twice = [Repair("finish_task", "done", 5 * Hour), Repair("finish_task", "done", 3 * Hour, id: 2)];
        Assert.Equal("attempts task-1", (Lost with { Past = twice }).Told());
        Assert.Equal("finish_task Error task-1", (Lost with { Past = twice, Settings = Armed with { MaxAttempts = 3 } }).Told());
        Assert.Equal("finish_task Error task-1", (Lost with { Past = [Repair("finish_task", "failed", 5 * Hour, "timeout"), Repair("finish_task", "failed", 3 * Hour, "timeout", id: 2)] }).Told());
    }

    [Fact]
    public void That_a_person_took_repairs_back_is_no_attempt_and_cools_nothing_down()
    {
        Assert.Equal("finish_task Error task-1",
            (Lost with { Past = [Repair("finish_task", "undone", 5 * Hour, revision: 77), Repair("undo", "done", 4 * Hour, id: 2), Repair("undo", "done", 3 * Hour, id: 3)] }).Told());
    }

    [Fact]
    public void What_a_person_took_back_is_not_repeated_at_the_same_revision()
    {
        Assert.Equal("undone task-1", (Lost with { Past = [Repair("finish_task", "undone", 5 * Day)] }).Told());
        Assert.Equal("finish_task Error task-1", (Lost with { Scans = [new OpenScan(Pending(revision: 12), JobEvidence.Nothing)], Past = [Repair("finish_task", "undone", 5 * Day)] }).Told());
    }

    [Fact]
    public void An_intent_that_is_open_is_under_way() =>
        Assert.Equal("in_progress task-1", (Lost with { HasApi = true, Past = [Repair("stop_job", "intended", 10)] }).Told());

    [Fact]
    public void A_stop_without_effect_is_followed_by_the_write_once_its_hook_had_two_minutes()
    {
        var stopped = Lost with { HasApi = true };
        var refusal = Assert.Single((stopped with { Past = [Repair("stop_job", "done", 30)] }).Plan().Refusals);
        Assert.Equal(("in_progress", 90.0), (refusal.Reason, refusal.HoldsFor));
        Assert.Equal("finish_task Error task-1", (stopped with { Past = [Repair("stop_job", "done", 121)] }).Told());
        Assert.Equal("finish_task Error task-1", (stopped with { Past = [Repair("stop_job", "no_effect", 121)] }).Told());
        Assert.Equal("finish_task Error task-1", (stopped with { Settings = Armed with { MaxAttempts = 1 }, Past = [Repair("stop_job", "no_effect", 121)] }).Told());
        // Of another run of the job it says nothing.
        Assert.Equal("stop_job Stopped task-1", (stopped with { Past = [Repair("stop_job", "done", 2 * Hour, revision: 5)] }).Told());
        // And what was written after the stop cools down like anything else.
        Assert.Equal("cooling_down task-1", (stopped with { Past = [Repair("stop_job", "done", 20 * Minute), Repair("finish_task", "done", 10 * Minute, id: 2)] }).Told());
    }

    [Fact]
    public void Caps_hold_per_batch_per_hour_and_per_day()
    {
        var many = Stuck(10, 0);
        Assert.Equal((4, 6), Counted(many with { Settings = Armed with { MaxPerRun = 4 } }, "next_batch"));
        Assert.Equal((3, 7), Counted(many with { Settings = Armed with { MaxPerHour = 8 }, History = many.History with { LastHour = 5 } }, "cap_hour"));
        Assert.Equal((2, 8), Counted(many with { Settings = Armed with { MaxPerDay = 102 }, History = many.History with { LastDay = 100 } }, "cap_day"));
        Assert.Equal((0, 10), Counted(many with { Settings = Armed with { MaxPerHour = 5 }, History = many.History with { LastHour = 9 } }, "cap_hour"));

        static (int Repairs, int Refused) Counted(PlanSituation situation, string reason)
        {
            var plan = situation.Plan();
            Assert.All(plan.Refusals, refusal => Assert.Equal(reason, refusal.Reason));
            return (plan.Repairs.Count, plan.Refusals.Count);
        }
    }

    [Fact]
    public void The_oldest_are_repaired_first()
    {
        PlanSituation situation = new()
        {
            Scans = [new OpenScan(Pending(3, 2 * Hour), JobEvidence.Nothing), new OpenScan(Pending(1, 3 * Hour), JobEvidence.Nothing), new OpenScan(Pending(2, 3 * Hour), JobEvidence.Nothing)],
            Settings = Armed with { MaxPerRun = 2 },
        };
        Assert.Equal("finish_task Error task-1\nfinish_task Error task-2\nnext_batch task-3", situation.Told());
    }

    [Fact]
    public void Only_what_was_asked_for_is_planned()
    {
        var all = Stuck(3, 0) with
        {
            Executions = [InconsistentRow(Inconsistency.ExecutionNotRefreshed)],
            WrongCodes = [WrongCode(JobEvidence.Nothing)],
            Robots = [new LeakedRobot(3, Now - 2 * Day)],
            HasApi = true,
        };
        PlanSituation Wanting(params string[] ids) => all with { Terms = all.Terms with { Wanted = ids.ToHashSet() } };
        Assert.Equal("stop_job Stopped task-2", Wanting("task-2").Told());
        Assert.Equal("refresh_execution execution-500", Wanting("execution-500").Told());
        Assert.Equal("fix_status_code Stopped codes-600", Wanting("codes-600").Told());
        Assert.Equal("", Wanting().Told());
    }

    /// <summary>So many lost scans, and so many that wait their turn.</summary>
    private static PlanSituation Stuck(int lost, int waiting) => new()
    {
        Scans =
        [
            .. Enumerable.Range(1, lost).Select(id => new OpenScan(Pending(id, jobId: FormattableString.Invariant($"{id:x24}")), JobEvidence.Nothing)),
            .. Enumerable.Range(5000, waiting).Select(id => new OpenScan(
                Pending(id, jobId: FormattableString.Invariant($"{id:x24}")), new JobEvidence { IsQueued = true, Record = Record("Pending") })),
        ],
    };
}
