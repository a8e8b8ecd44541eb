using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>What a plan is made under, beyond what Harbor and the audit say.</summary>
internal sealed record PlanTerms
{
    public required RemediationSettings Settings { get; init; }

    /// <summary>The text of the pause file; null while there is none.</summary>
    public string? PausedBy { get; init; }

    /// <summary>A person has looked, and it is no outage.</summary>
    public bool OverrideShare { get; init; }

    /// <summary>The findings that are asked for; null for all.</summary>
    public IReadOnlySet<string>? Wanted { get; init; }
}

/// <summary>Makes a plan. Pure: the same look, audit and terms give the same plan (conventions 5).</summary>
internal static class Planner
{
    /// <summary>A look older than this proves nothing any more.</summary>
    public const double FreshLook = 30;

    /// <summary>Plans one batch.</summary>
    public static RepairPlan Of(Look look, RepairHistory history, PlanTerms terms)
    {
        List<PlannedRepair> due = [];
        List<Refusal> refusals = [];
        foreach (var decision in Decisions(look, history, terms))
        {
            if (decision.Repair is { } repair) due.Add(repair);
            else refusals.Add(decision.Refusal!);
        }
        if (terms.Wanted is null) refusals.AddRange(look.Refusals);
        refusals.AddRange(Live(look));
        List<PlanBlock> blocks = [.. Blocks(look, history, terms)];
        if (!terms.OverrideShare && ShareRule.Of(look, terms.Settings) is { } share)
        {
            if (due.All(repair => share.Holds(repair.FindingId))) blocks.Add(new PlanBlock(SkipReason.Share, share.Text));
            else due = Without(due, share, refusals);
        }
        var batch = Capped(due, history, terms.Settings, refusals);
        return new RepairPlan(blocks, batch, refusals);
    }

    /// <summary>Each thing that was found, with what is decided on it: tasks oldest first, then executions, codes, robots, scans anew and old executions.</summary>
    private static IEnumerable<Decision> Decisions(Look look, RepairHistory history, PlanTerms terms)
    {
        bool Wanted(string finding) => terms.Wanted?.Contains(finding) ?? true;
        var past = new PastOfThings(history, terms.Settings);
        foreach (var judged in look.Diagnosed.Tasks.Where(task => task.Judgement.IsStuck && Wanted(FindingId.OfTask(task.Task.Id)))
            .OrderBy(task => task.Task.Created ?? task.Task.ExecutionStarted ?? 0).ThenBy(task => task.Task.Id))
            yield return TaskPlanning.Decide(judged, look, past);
        foreach (var found in look.Diagnosed.Executions.Where(found => Wanted(FindingId.OfExecution(found.Execution.Id))).OrderBy(found => found.Execution.Id))
            yield return ExecutionPlanning.Decide(found, look, past);
        foreach (var task in look.WrongCodes.Where(task => Wanted(FindingId.OfCodes(task.ExecutionId))).OrderBy(task => task.Id))
            yield return CodePlanning.Decide(task, look, past);
        if (terms.Wanted is not null) yield break;
        foreach (var robot in look.LeakedRobots.OrderBy(robot => robot.Id))
            yield return RobotPlanning.Decide(robot, look, past, terms.Settings);
        foreach (var decision in RescanPlanning.Decide(look, past, terms.Settings))
            yield return decision;
        foreach (var candidate in look.Sweepable.OrderBy(candidate => candidate.Id))
            yield return SweepPlanning.Decide(candidate, past);
    }

    private static IEnumerable<Refusal> Live(Look look) =>
        from task in look.Diagnosed.Tasks
        where !task.Judgement.IsStuck
        group task by task.Judgement.Word into state
        orderby state.Key
        select new Refusal(null, state.Key, SkipReason.Live, LiveText(state.Key)) { Count = state.Count(), HoldsFor = SettlesIn(state, look) };

    /// <summary>Until the last of them that is missing something in Redis has been so for two looks; null when none is.</summary>
    private static double? SettlesIn(IEnumerable<JudgedTask> tasks, Look look) => tasks
        .Where(task => task.Judgement == Judgement.Settling && task.SeenFor < EvidenceJudge.TwoSightings
            && task.Job is { } job && EvidenceJudge.AbsenceOf(job, look.Diagnosed.JobService) != Absence.None)
        .Max(task => (double?)(EvidenceJudge.TwoSightings - task.SeenFor));

    private static string LiveText(string state) => state switch
    {
        "queued" => "The job waits its turn in the queue.",
        "running" => "A worker holds the job.",
        "paused" => "An operator paused the queue.",
        "requeued" => "A pool that no longer beats holds the job, or it waits in the queue again; a living job service queues it anew within about eleven minutes.",
        "settling" => "It is too young, or just changing.",
        "unjudged" => "The evidence does not suffice.",
        _ => "Nothing says that it is stuck.",
    };

    /// <summary>What forbids every write (conventions 5.5, 5.6, 5.7, 5.13).</summary>
    private static IEnumerable<PlanBlock> Blocks(Look look, RepairHistory history, PlanTerms terms)
    {
        var (diagnosed, service) = (look.Diagnosed, look.Diagnosed.JobService);
        if (terms.Settings.Mode == RemediationMode.Off)
            yield return new PlanBlock(SkipReason.Off, $"Repairs are off. Set {Setting.Names.Remediation} to dry-run or execute.");
        if (terms.PausedBy is { } why)
            yield return new PlanBlock(SkipReason.Paused, $"Repairs are paused by the file {terms.Settings.PauseFile}{(why.Length == 0 ? "" : $": {why}")}. Remove it to go on.");
        if (Breaker.IsOpen(history.LastHour, history.FailedLastHour, history.RevertedLately))
        {
            yield return new PlanBlock(SkipReason.BreakerOpen,
                $"Too many repairs failed ({Words.Number(history.FailedLastHour)} within an hour) or did not hold ({Words.Number(history.RevertedLately)} within three). Look at the last ones; it closes as they grow older.");
        }
        if (look.Facts.Standby || history.Standby) yield return new PlanBlock(SkipReason.Standby, "The database is a standby, which takes no repair. Point HARBOR_DATABASE_HOST at the primary.");
        if (look.Facts.SchemaVersion > HarborSchema.NewestKnown)
            yield return new PlanBlock(SkipReason.UnknownSchema, $"Harbor's schema version {look.Facts.SchemaVersion} is newer than the newest known to this version. Look for a newer exporter.");
        if (!service.IsUsable)
            yield return new PlanBlock(SkipReason.NoEvidence, $"The job service's Redis proves nothing ({service.State.Word()}).{(service.Problem is { } problem ? $" {problem}" : "")}");
        else if (!service.IsUp)
            yield return new PlanBlock(SkipReason.NoWorkers, "No worker pool has a fresh heartbeat: the job service is down, and what it left may be taken up again. Start it.");
        if (diagnosed.ReadOnly == true || history.ReadOnly == true)
            yield return new PlanBlock(SkipReason.ReadOnly, "Harbor is read-only, so that no scan can report its end. Switch it off and wait an hour.");
        else if (diagnosed.ReadOnly is null && history.ReadOnly is null)
            yield return new PlanBlock(SkipReason.ReadOnly, "Nobody tells whether Harbor is read-only. Run deploy/sql/03-remediation-role.sql, which makes the view that does.");
        if (service.IsUsable && service.Scans.Paused || diagnosed.PausedQueues?.Contains(JobType.Scan) == true)
            yield return new PlanBlock(SkipReason.QueuePaused, "An operator paused the queue of scans. Resume it first.");
        if (history.Now - diagnosed.Now > FreshLook)
            yield return new PlanBlock(SkipReason.StaleLook, $"The look took {Words.Duration(history.Now - diagnosed.Now)} and proves nothing any more. Look at the database's load.");
    }

    private static List<PlannedRepair> Without(List<PlannedRepair> due, ShareRule share, List<Refusal> refusals)
    {
        refusals.AddRange(due.Where(repair => share.Holds(repair.FindingId)).Select(repair => Refuse(repair, SkipReason.Share, share.Text)));
        return [.. due.Where(repair => !share.Holds(repair.FindingId))];
    }

    private static Refusal Refuse(PlannedRepair repair, string reason, string text) =>
        new(repair.FindingId, repair.Verdict, reason, text) { Type = repair.Type, TaskId = repair.TaskId, ExecutionId = repair.ExecutionId };

    private static List<PlannedRepair> Capped(List<PlannedRepair> due, RepairHistory history, RemediationSettings settings, List<Refusal> refusals)
    {
        List<PlannedRepair> batch = [];
        foreach (var repair in due)
        {
            // Cleaning up never takes from scans that block somebody what they may need.
            var isSweep = repair.Action == RepairAction.Sweep;
            var ofHour = Math.Max(0, (isSweep ? SweepPlanning.Share(settings.MaxPerHour) : settings.MaxPerHour) - history.LastHour);
            var ofDay = Math.Max(0, (isSweep ? SweepPlanning.Share(settings.MaxPerDay) : settings.MaxPerDay) - history.LastDay);
            var (reason, text) = batch.Count >= ofDay ? (SkipReason.CapDay, $"{Words.Number(history.LastDay)} repairs were done within a day ({Setting.Names.RemediationMaxPerDay}).")
                : batch.Count >= ofHour ? (SkipReason.CapHour, $"{Words.Number(history.LastHour)} repairs were done within an hour ({Setting.Names.RemediationMaxPerHour}).")
                : batch.Count >= settings.MaxPerRun ? (SkipReason.NextBatch, "It is repaired in the next batch.")
                : (null, "");
            if (reason is null) batch.Add(repair);
            else refusals.Add(Refuse(repair, reason, text));
        }
        return batch;
    }
}

/// <summary>What is decided on one thing: a repair or a refusal.</summary>
internal readonly record struct Decision(PlannedRepair? Repair, Refusal? Refusal)
{
    public static implicit operator Decision(PlannedRepair repair) => new(repair, null);

    public static implicit operator Decision(Refusal refusal) => new(null, refusal);
}
