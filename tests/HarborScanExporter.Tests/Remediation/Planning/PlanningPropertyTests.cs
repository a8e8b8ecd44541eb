using CsCheck;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>What is true of every plan, whatever Harbor and the audit look like.</summary>
public sealed class PlanningPropertyTests
{
    private const int Plans = 4000;

    private static readonly WorkerPool Dead = new("9f1c000000000000000000b2", Now - 20 * Minute, Now - Day, 10, "jobservice-2");

    private static readonly Gen<OpenScan> Scans = Gen.Select(Gen.Int[0, 11], Gen.Bool, Gen.Double[Minute, 40 * Hour], Gen.Bool).Select((kind, running, age, stored) =>
    {
        var task = running ? Running(age: age) : Pending(age: age);
        JobEvidence job = kind switch
        {
            0 or 1 or 2 => JobEvidence.Nothing,
            3 => new JobEvidence { IsQueued = true, Record = Record("Pending") },
            4 => Held(age),
            5 => new JobEvidence { Record = Record("Pending", age) },
            6 => new JobEvidence { Record = Record("Running", age, "Running") },
            7 => new JobEvidence { Record = Record("Success", age, "Running") },
            8 => new JobEvidence { Record = Record("Stopped", age, "Stopped") },
            9 => new JobEvidence { Holder = Dead, Record = Record("Running", age) },
            10 => new JobEvidence { IsQueued = true },
            _ => Held(age) with { Record = Record("Error", age, "Error") },
        };
        return new OpenScan(task, job, stored);
    });

    private static readonly Gen<PastRepair> Pasts = Gen.Select(
        Gen.OneOf(Gen.Const("stop_job"), Gen.Const("finish_task"), Gen.Const("undo"), Gen.Const("rescan")), Gen.OneOf(Gen.Const("intended"), Gen.Const("done"), Gen.Const("failed"), Gen.Const("no_effect"), Gen.Const("undone")), Gen.Double[1, 30 * Hour],
        Gen.OneOf(Gen.Const("lost_race"), Gen.Const("timeout"), Gen.Const("api_denied")), Gen.Int[1, 40]).Select((action, state, age, failure, task) =>
            Repair(action, state, age, state == "failed" ? failure : null, id: (long)(age * 1000), task: task));

    private static readonly Gen<PlanSituation> Situations = Gen.Select(
        Scans.Array[0, 40], Pasts.Array[0, 20], Gen.Select(Gen.Int[1, 30], Gen.Int[1, 40], Gen.Int[1, 60]), Gen.Select(Gen.Int[0, 50], Gen.Int[0, 70]), Gen.Bool, Gen.Int[0, 5])
        .Select((scans, past, caps, done, api, executions) => new PlanSituation
        {
            Scans = [.. scans.Select((one, i) => one with { Task = Numbered(one.Task, i + 1) })],
            Executions = [.. Enumerable.Range(0, executions).Select(i => Stale(500 + i))],
            WrongCodes = [.. Enumerable.Range(0, executions).Select(i => WrongCode(JobEvidence.Nothing, 900 + i))],
            HasApi = api,
            Terms = new PlanTerms { Settings = Armed with { MaxPerRun = caps.Item1, MaxPerHour = caps.Item2, MaxPerDay = caps.Item3 }, OverrideShare = true },
            History = new RepairHistory { Now = Now, ReadOnly = false, OfCandidates = past, LastHour = done.Item1, LastDay = done.Item2 },
        });

    [Fact]
    public void No_plan_is_above_a_cap() => Situations.Sample(situation =>
    {
        var (settings, history) = (situation.Terms.Settings, situation.History);
        return situation.Plan().Repairs.Count <= Math.Max(0, Math.Min(settings.MaxPerRun, Math.Min(settings.MaxPerHour - history.LastHour, settings.MaxPerDay - history.LastDay)));
    }, iter: Plans);

    [Fact]
    public void No_plan_touches_what_lives() => Situations.Sample(situation =>
    {
        var judged = situation.Look.Diagnosed.Tasks.ToDictionary(task => task.Task.Id);
        return situation.Plan().Repairs.Where(repair => repair.Verdict is not (Inconsistency.ExecutionNotRefreshed or Inconsistency.FinalStatusWrongCode)).All(repair =>
            judged[repair.TaskId!.Value] is { Judgement.IsStuck: true } task
            && (repair.Action == RepairAction.StopJob || task.Job is { IsQueued: false } and ({ Holder: null } or { Record.IsFinal: true })));
    }, iter: Plans);

    [Fact]
    public void Each_thing_is_planned_once_or_told_once() => Situations.Sample(situation =>
    {
        var plan = situation.Plan();
        var told = plan.Repairs.Select(repair => repair.TaskId ?? -repair.ExecutionId!.Value).Concat(
            plan.Refusals.Where(refusal => refusal.Reason != "live").Select(refusal => refusal.TaskId ?? -refusal.ExecutionId!.Value)).ToArray();
        return told.Distinct().Count() == told.Length
            && told.Length + plan.Refusals.Where(refusal => refusal.Reason == "live").Sum(refusal => refusal.Count)
                == situation.Scans.Count + situation.Executions.Count + situation.WrongCodes.Count;
    }, iter: Plans);

    [Fact]
    public void The_order_in_which_rows_and_lines_are_read_changes_nothing() => Gen.Select(Situations, Gen.Int).Sample((situation, seed) =>
    {
        var random = new Random(seed);
        var shuffled = situation with
        {
            Scans = [.. situation.Scans.OrderBy(_ => random.Next())],
            Executions = [.. situation.Executions.OrderBy(_ => random.Next())],
            WrongCodes = [.. situation.WrongCodes.OrderBy(_ => random.Next())],
            History = situation.History with { OfCandidates = [.. situation.History.OfCandidates.OrderBy(_ => random.Next())] },
        };
        return situation.Told() == shuffled.Told();
    }, iter: Plans);

    /// <summary>A second delivery of the same alert meets the same look, or a newer one, and the audit of the first.</summary>
    [Fact]
    public void What_was_done_is_not_planned_again() => Gen.Select(Situations, Gen.OneOf(Gen.Const("done"), Gen.Const("intended"), Gen.Const("no_effect"))).Sample((situation, state) =>
    {
        var plan = situation.Plan();
        var later = situation with
        {
            History = situation.History with
            {
                OfCandidates =
                [
                    .. situation.History.OfCandidates,
                    .. plan.Repairs.Select((repair, i) => new PastRepair
                    {
                        Id = 1_000_000 + i,
                        Action = repair.Action.Word(),
                        State = state,
                        TaskId = repair.TaskId,
                        ExecutionId = repair.ExecutionId,
                        Revision = repair.Fence?.Revision ?? 0,
                        At = Now,
                        EndedAt = Now,
                    }),
                ],
            },
        };
        return !later.Plan().Repairs.Select(repair => repair.FindingId + repair.TaskId).Intersect(plan.Repairs.Select(repair => repair.FindingId + repair.TaskId)).Any();
    }, iter: Plans);

    private static InconsistentExecution Stale(long id)
    {
        var found = InconsistentRow(Inconsistency.ExecutionNotRefreshed);
        return found with { Execution = found.Execution with { Id = id } };
    }

    /// <summary>The same task under another number, with a job of its own and as old as before.</summary>
    private static ScanTask Numbered(ScanTask task, int number) =>
        task with { Id = number, ExecutionId = 100 + number, JobId = FormattableString.Invariant($"{number:x24}") };
}
