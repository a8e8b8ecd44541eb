using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>Each state of harbor-facts 6.2, from its evidence to what is done about it or why it is left alone.</summary>
public sealed class PlanningStatesTests
{
    private static readonly WorkerPool Dead = new("9f1c000000000000000000b2", Now - 20 * Minute, Now - Day, 10, "jobservice-2");
    private static readonly WorkerPool Forgotten = new("9f1c000000000000000000c3", null, null, 0, null);

    private static readonly (string State, PlanSituation Situation, string Told)[] States =
    [
        ("S01 lost pending", Of(Pending(), JobEvidence.Nothing), "finish_task Error task-1"),
        ("S01 lost pending, with the API", Of(Pending(), JobEvidence.Nothing) with { HasApi = true }, "stop_job Stopped task-1"),
        ("S01 lost pending, with the API of 2.6", Of(Pending(), JobEvidence.Nothing) with { HasApi = true, Schema = 91 }, "finish_task Error task-1"),
        ("S01 lost pending, with the API of 2.7", Of(Pending(), JobEvidence.Nothing) with { HasApi = true, Schema = 100 }, "stop_job Stopped task-1"),
        ("S01 lost pending, its record alone gone", Of(Pending(), new JobEvidence { IsQueued = true }), "live queued 1"),
        ("S01 lost pending, missing for the first time", Of(Pending(), JobEvidence.Nothing, absentFor: 0), "live settling 1"),
        ("S01 lost SBOM", Of(Pending(type: "SBOM"), JobEvidence.Nothing), "finish_task Error task-1"),
        ("S01 lost of a scan-all", Of(Pending(type: "SCAN_ALL"), JobEvidence.Nothing), "finish_task Error task-1"),
        ("S02 lost running", Of(Running(), JobEvidence.Nothing), "finish_task Error task-1"),
        ("S02 lost running, with the API", Of(Running(), JobEvidence.Nothing) with { HasApi = true }, "stop_job Stopped task-1"),
        ("S02 lost running, Redis emptied under its worker",
            Of(Running(age: Hour), JobEvidence.Nothing, service: new() { State = EvidenceState.Usable, Now = Now, Pools = [Live], ListsReadWhole = true, EmptiedUnderPools = true }, absentFor: 299),
            "live settling 1"),
        ("S02 lost running, Redis emptied under its worker five minutes ago",
            Of(Running(age: Hour), JobEvidence.Nothing, service: new() { State = EvidenceState.Usable, Now = Now, Pools = [Live], ListsReadWhole = true, EmptiedUnderPools = true }, absentFor: 300),
            "finish_task Error task-1"),
        ("S03 tracked and not queued", Of(Pending(), new JobEvidence { Record = Record("Pending") }), "record_open task-1"),
        ("S03 tracked and not queued, with the API", Of(Pending(), new JobEvidence { Record = Record("Pending") }) with { HasApi = true }, "stop_job Stopped task-1"),
        ("S03 tracked and not queued, acknowledged", Of(Running(), new JobEvidence { Record = Record("Running", acknowledged: "Running") }), "finish_task Error task-1"),
        ("S03 tracked and not queued, reports stored", Of(Running(), new JobEvidence { Record = Record("Running", acknowledged: "Running") }, stored: true), "finish_task Success task-1"),
        ("S03 tracked and not queued, reports stored, with the API",
            Of(Running(), new JobEvidence { Record = Record("Running", acknowledged: "Running") }, stored: true) with { HasApi = true }, "finish_task Success task-1"),
        ("S03 tracked and not queued, queue read in part",
            Of(Pending(), new JobEvidence { Record = Record("Pending") }, service: new() { State = EvidenceState.Usable, Now = Now, Pools = [Live] }), "live queued 1"),
        ("S04 on a dead pool that is being emptied", Of(Running(), new JobEvidence { Holder = Dead with { Heartbeat = Now - Minute }, Record = Record("Running") }), "live requeued 1"),
        ("S04 on a dead pool that nobody empties", Of(Running(), new JobEvidence { Holder = Dead, Record = Record("Running", acknowledged: "Running") }), "stranded task-1"),
        ("S04 on a dead pool that nobody empties, with the API",
            Of(Running(), new JobEvidence { Holder = Dead, Record = Record("Running", acknowledged: "Running") }) with { HasApi = true }, "stop_job Stopped task-1"),
        ("S04 put back into the queue", Of(Running(), new JobEvidence { IsQueued = true, Record = Record("Running") }), "live requeued 1"),
        ("S05 in a list without a pool", Of(Running(), new JobEvidence { Holder = Forgotten, Record = Record("Running", acknowledged: "Running") }), "stranded task-1"),
        ("S05 in a list without a pool, with the API",
            Of(Running(), new JobEvidence { Holder = Forgotten, Record = Record("Running", acknowledged: "Running") }) with { HasApi = true }, "stop_job Stopped task-1"),
        ("S05 in a list without a pool, record gone too", Of(Running(), new JobEvidence { Holder = Forgotten }), "stranded task-1"),
        ("S06 hung", Of(Running(), Held(3 * Hour)), "needs_api task-1"),
        ("S06 hung, with the API", Of(Running(), Held(3 * Hour)) with { HasApi = true }, "stop_job Stopped task-1"),
        ("S06 hung, with the API of 2.6", Of(Running(), Held(3 * Hour)) with { HasApi = true, Schema = 91 }, "needs_api task-1"),
        ("S06 hung, reports stored by another scan", Of(Running(), Held(3 * Hour), stored: true), "needs_api task-1"),
        ("S06 hung, stopped before without effect",
            Of(Running(), Held(3 * Hour)) with { HasApi = true, Past = [Repair("stop_job", "done", 2 * Hour, revision: Running().StatusRevision)] }, "worker_holds task-1"),
        ("S06 running as long as it may", Of(Running(age: Hour), Held(Hour)), "live running 1"),
        ("S07 finished an hour ago, hook under way", Of(Running(), new JobEvidence { Record = Record("Success", Hour, "Running") }), "live settling 1"),
        ("S07 finished, never told, reports stored", Of(Running(), new JobEvidence { Record = Record("Success", 3 * Hour, "Running") }, stored: true), "finish_task Success task-1"),
        ("S07 finished, never told, reports missing", Of(Running(), new JobEvidence { Record = Record("Success", 3 * Hour, "Running") }), "finish_task Error task-1"),
        ("S07 failed, never told", Of(Running(), new JobEvidence { Record = Record("Error", 3 * Hour, "Running") }), "finish_task Error task-1"),
        ("S07 failed, never told, reports stored", Of(Running(), new JobEvidence { Record = Record("Error", 3 * Hour, "Running") }, stored: true), "finish_task Success task-1"),
        ("S07 stopped, never told", Of(Running(), new JobEvidence { Record = Record("Stopped", 3 * Hour, "Running") }), "finish_task Stopped task-1"),
        ("S07 stopped, never told, with the API", Of(Running(), new JobEvidence { Record = Record("Stopped", 3 * Hour, "Running") }) with { HasApi = true }, "finish_task Stopped task-1"),
        ("S07 told, and the row changed since", Of(Running(), new JobEvidence { Record = Record("Stopped", Hour, "Stopped") }), "finish_task Stopped task-1"),
        ("S08 only the status is missing", Of(Running(), JobEvidence.Nothing, stored: true), "finish_task Success task-1"),
        ("S08 only the status is missing, with the API", Of(Running(), JobEvidence.Nothing, stored: true) with { HasApi = true }, "finish_task Success task-1"),
        ("S08 only the status is missing, the row still waiting", Of(Pending(), JobEvidence.Nothing, stored: true) with { HasApi = true }, "finish_task Success task-1"),
        ("S09 read-only", Of(Running(), JobEvidence.Nothing) with { ReadOnly = true }, "block read_only\nfinish_task Error task-1"),
        ("S10 execution not refreshed", Of(InconsistentRow(Inconsistency.ExecutionNotRefreshed)), "refresh_execution execution-500"),
        ("S11 scan-all without tasks", Of(InconsistentRow(Inconsistency.ExecutionWithoutTasks, "SCAN_ALL", tasks: 0)), "close_empty_execution Error execution-500"),
        ("S12 half-enumerated scan-all", Of(Pending(type: "SCAN_ALL"), new JobEvidence { IsQueued = true, Record = Record("Pending") }), "live queued 1"),
        ("S13 final execution with an open task",
            Of(Pending(), JobEvidence.Nothing) with { Executions = [InconsistentRow(Inconsistency.ExecutionFinalWithOpenTask, status: "Success", open: 1)] },
            "finish_task Error task-1\ntask_first execution-500"),
        ("S14 final text, wrong code", Of(WrongCode(JobEvidence.Nothing)), "fix_status_code Stopped codes-600"),
        ("a final row with the code of one", Of(WrongCode(JobEvidence.Nothing, code: 3)), "live final_status_wrong_code 1"),
        ("an open row with its own code", Of(WrongCode(JobEvidence.Nothing, code: 2, status: "Running")), "live final_status_wrong_code 1"),
        ("S14 acknowledged end", Of(WrongCode(new JobEvidence { Record = Record("Stopped", acknowledged: "Stopped") })), "fix_status_code Stopped codes-600"),
        ("S14 its end not acknowledged", Of(WrongCode(new JobEvidence { Record = Record("Success", acknowledged: "Running") }, code: 2, status: "Error")), "record_open codes-600"),
        ("S14 its job lives", Of(WrongCode(Held(Minute), code: 2, status: "Error")), "worker_holds codes-600"),
        ("S14 its job in the list of a dead pool", Of(WrongCode(new JobEvidence { Holder = Dead, Record = Record("Running") }, code: 2, status: "Error")), "worker_holds codes-600"),
        ("S14 its job waits", Of(WrongCode(new JobEvidence { IsQueued = true, Record = Record("Pending") }, status: "Error")), "job_queued codes-600"),
        ("S14 its record open", Of(WrongCode(new JobEvidence { Record = Record("Running") }, code: 2, status: "Error")), "record_open codes-600"),
        ("S14 Redis not asked", Of(WrongCode(null)), "no_proof codes-600"),
        ("S14 queue read in part", Of(WrongCode(JobEvidence.Nothing)) with { Service = new() { State = EvidenceState.Usable, Now = Now, Pools = [Live] } }, "no_proof codes-600"),
        ("S14 Redis emptied under its worker",
            Of(WrongCode(JobEvidence.Nothing, code: 2, age: Hour, status: "Error"))
                with { Service = new() { State = EvidenceState.Usable, Now = Now, Pools = [Live], ListsReadWhole = true, EmptiedUnderPools = true, EmptiedFor = 299 } }, "no_proof codes-600"),
        ("S14 Redis emptied under its worker five minutes ago",
            Of(WrongCode(JobEvidence.Nothing, code: 2, age: Hour, status: "Error"))
                with { Service = new() { State = EvidenceState.Usable, Now = Now, Pools = [Live], ListsReadWhole = true, EmptiedUnderPools = true, EmptiedFor = 300 } },
            "fix_status_code Error codes-600"),
        ("S14 Redis emptied under its worker, and another pool came since",
            Of(WrongCode(JobEvidence.Nothing, code: 2, age: Hour, status: "Error"))
                with { Service = new() { State = EvidenceState.Usable, Now = Now, Pools = [Live, Live with { Id = "9f1c000000000000000000d4", Started = Now - Minute }], ListsReadWhole = true } },
            "no_proof codes-600"),
        ("S15 siblings of a stopped queue", Of(InconsistentRow(Inconsistency.ExecutionNotRefreshed, "SCAN_ALL", tasks: 40)), "refresh_execution execution-500"),
        ("S16 a stop that comes back", Of(Pending(revision: (long)Now - 3000), new JobEvidence { Record = Record("Pending", acknowledged: "Pending") }), "finish_task Error task-1"),
        ("S16 a stop that comes back, with the API",
            Of(Pending(revision: (long)Now - 3000), new JobEvidence { Record = Record("Pending") }) with { HasApi = true }, "stop_job Stopped task-1"),
        ("S17 failed in the queue: the row is final", new PlanSituation(), ""),
        ("S18 a report that no task names", new PlanSituation(), ""),
        ("S19 leaked robot", Of(new LeakedRobot(3, Now - 2 * Day)) with { HasApi = true }, "delete_robot leaked_robots"),
        ("S19 leaked robot, without the API", Of(new LeakedRobot(3, Now - 2 * Day)), "needs_api leaked_robots"),
        ("S19 leaked robot, a job as old waits",
            Of(new LeakedRobot(3, Now - 2 * Day)) with { HasApi = true, Service = Busy(new QueueEvidence(1, Now - 2 * Day, false)) }, "job_queued leaked_robots"),
        ("S19 leaked robot, an open scan made with it names none",
            Of(new LeakedRobot(3, Now - 2 * Day)) with { HasApi = true, OpenWithoutRobot = [Now - 3 * Day, Now - 2 * Day + 60] }, "task_first leaked_robots"),
        ("S19 leaked robot, an open scan of no known time names none",
            Of(new LeakedRobot(3, Now - 2 * Day)) with { HasApi = true, OpenWithoutRobot = [null] }, "task_first leaked_robots"),
        ("S19 leaked robot, a scan as old is open and names its own",
            Of(Pending(age: 3 * Day), new JobEvidence { IsQueued = true, Record = Record("Pending") }) with { HasApi = true, Robots = [new LeakedRobot(3, Now - 2 * Day)] },
            "delete_robot leaked_robots\nlive queued 1"),
        ("S19 leaked robot, switched off", Of(new LeakedRobot(3, Now - 2 * Day)) with { HasApi = true, Settings = Armed with { Robots = false } }, "switched_off leaked_robots"),
        ("S20 a job without a task", new PlanSituation { Service = Busy(new QueueEvidence(1, Now - Hour, false)) }, ""),
        ("S21 paused queue",
            Of(Pending(), new JobEvidence { IsQueued = true, Record = Record("Pending") }, service: Busy(new QueueEvidence(1, Now - Hour, true))), "block queue_paused\nlive paused 1"),
        ("S22 no consumer",
            Of(Pending(), new JobEvidence { IsQueued = true, Record = Record("Pending") }, service: Busy(new QueueEvidence(1, Now - Hour, false)) with { Pools = [Dead] }),
            "block no_workers\nlive queued 1"),
        ("S23 a sweep that fails on a wrong code", Of(WrongCode(JobEvidence.Nothing, age: 10 * Day)), "fix_status_code Stopped codes-600"),
        ("S24 a final execution without tasks", new PlanSituation(), ""),
        ("S25 stuck, and its artifact gone", Of(Pending(age: 10 * Day), JobEvidence.Nothing), "finish_task Error task-1"),
        ("S26 no job id, with the API", Of(Pending(jobId: ""), JobEvidence.Nothing) with { HasApi = true }, "finish_task Error task-1"),
        ("Overdue, Redis not configured", Of(Running(), null, service: JobServiceEvidence.Without(EvidenceState.NotConfigured)), "block no_evidence\nno_proof task-1"),
        ("Lost by age, Redis unreachable", Of(Pending(age: 30 * Hour), null, service: JobServiceEvidence.Without(EvidenceState.Unreachable)), "block no_evidence\nno_proof task-1"),
        ("Lost by age, the Redis of another Harbor", Of(Pending(age: 30 * Hour), null, service: JobServiceEvidence.Without(EvidenceState.Foreign)), "block no_evidence\nno_proof task-1"),
        ("In doubt beyond what one look takes", Of(Running(), null), "live unjudged 1"),
    ];

    public static TheoryData<string> Names => [.. States.Select(row => row.State)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_state_gets_its_action_or_its_refusal(string state)
    {
        var row = States.Single(row => row.State == state);
        Assert.Equal(row.Told, row.Situation.Told());
    }

    [Fact]
    public void Every_state_of_the_facts_has_a_row() => Assert.Equal(
        Enumerable.Range(1, 26).Select(number => FormattableString.Invariant($"S{number:00}")),
        States.Select(row => row.State.Split(' ')[0]).Where(word => word.Length == 3 && word[0] == 'S').Distinct().Order(StringComparer.Ordinal));

    /// <summary>Whatever else is true of it: what a worker of a live pool holds or a queue holds is never written.</summary>
    [Fact]
    public void No_row_of_a_living_job_is_ever_written() => Assert.All(
        from task in new[] { Pending(), Running(), Running(age: 30 * Day), Pending(age: 30 * Day) }
        from job in new[] { Held(Minute), Held(3 * Hour), Held(30 * Day), Held(Hour) with { Record = null }, new JobEvidence { IsQueued = true }, new JobEvidence { IsQueued = true, Record = Record("Running") } }
        from stored in new[] { false, true }
        from api in new[] { false, true }
        select Of(task, job, stored) with { HasApi = api },
        situation => Assert.DoesNotContain("finish_task", situation.Told(), StringComparison.Ordinal));

    private static PlanSituation Of(ScanTask task, JobEvidence? job, bool stored = false, double absentFor = Hour, JobServiceEvidence? service = null)
    {
        var situation = new PlanSituation { Scans = [new OpenScan(task, job, stored, absentFor)] };
        return service is null ? situation : situation with { Service = service };
    }

    private static PlanSituation Of(InconsistentExecution found) => new() { Executions = [found] };

    private static PlanSituation Of(WrongCodeTask task) => new() { WrongCodes = [task] };

    private static PlanSituation Of(LeakedRobot robot) => new() { Robots = [robot] };

    private static JobServiceEvidence Busy(QueueEvidence scans) => new() { State = EvidenceState.Usable, Now = Now, Pools = [Live], ListsReadWhole = true, Scans = scans };
}
