using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Observation;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>
/// A run: batch after batch until nothing is left or something holds it. A batch looks at Harbor anew, plans under the lock of a run, writes
/// rows and audit in one transaction, and only then asks Harbor's API for what it wrote ahead.
/// </summary>
internal sealed partial class RepairRun(
    LookReader looking, RepairDatabase database, PauseFile pause, ExporterSettings settings, RemediationCounters counters, RemediationState state, TimeProvider time,
    ILogger<RepairRun> logger, Act? act = null, SweepReader? sweeping = null, Reconciliation? reconciliation = null) : IDisposable
{
    /// <summary>The looks a minute apart that a run waits for: what is missing is proven by the first, the verdict on it by the second.</summary>
    private const int MostWaits = 2;

    /// <summary>An execution that is held costs half a second, in which the batch keeps its other rows from their hooks; after so many it is committed.</summary>
    private const int MostHeld = 3;

    /// <summary>Batches in a row that met nothing but what others hold, after which a run gives way.</summary>
    private const int MostInVain = 3;

    /// <summary>One run at a time in this process; other processes are kept out by the lock in the database.</summary>
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>What held the newest run back, by reason; what is looked for every few seconds is told once.</summary>
    private string _heldBy = "";

    /// <summary>A run has ended that wrote lines into the audit.</summary>
    public event Action? Wrote;

    /// <summary>Whether a run is under way here.</summary>
    public bool IsBusy => _one.CurrentCount == 0;

    /// <summary>What a run would do now, without the lock and without a trace.</summary>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="AuditException">The audit cannot be read.</exception>
    public async Task<(RepairPlan? Plan, FindingsReport Report)> PlanAsync(RunRequest request, CancellationToken cancellationToken) =>
        await PlanAsync(request, await looking.LookAsync(cancellationToken), cancellationToken);

    /// <summary>What a run would do now, going by a report that was made just now; null when that report knows nothing.</summary>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="AuditException">The audit cannot be read.</exception>
    public async Task<RepairPlan?> PlanAsync(RunRequest request, FindingsReport report, CancellationToken cancellationToken) =>
        (await PlanAsync(request, await looking.LookAsync(report, cancellationToken), cancellationToken)).Plan;

    private async Task<(RepairPlan? Plan, FindingsReport Report)> PlanAsync(
        RunRequest request, (Look? Look, FindingsReport Report) looked, CancellationToken cancellationToken)
    {
        var (look, report) = looked;
        if (look is null) return (null, report);
        if (request.Filter.CannotTell(report) is { } problem) return (null, report with { Problem = problem });
        look = await WithOldAsync(look, request, cancellationToken);
        if (settings.Remediation.Mode == RemediationMode.Off)
            return ((await PlanOfAsync(look, NoHistoryAsync, request, report, cancellationToken)).Plan, report);
        await using var transaction = await database.BeginAsync(cancellationToken);
        return ((await PlanOfAsync(look, at => HistoryAsync(transaction, at, cancellationToken), request, report, cancellationToken)).Plan, report);
    }

    /// <summary>The look with old executions where they are asked for; else with the word that nobody has searched.</summary>
    private async Task<Look> WithOldAsync(Look look, RunRequest request, CancellationToken cancellationToken)
    {
        if (sweeping is null || !request.IsForAll) return look;
        if (!request.WithOldExecutions)
        {
            return !settings.Remediation.Sweep || !SweepNeed.MayBe(look.Facts.SchemaVersion) ? look
                : look with { Refusals = [.. look.Refusals, SweepPlanning.NotSearched] };
        }
        return await sweeping.FindAsync(request.Asker.Source, cancellationToken) is not { } found ? look
            : settings.Remediation.Sweep ? look with { Sweepable = found.Candidates, Refusals = [.. look.Refusals, .. found.Refusals] }
            : look with { Refusals = [.. look.Refusals, .. SweepPlanning.SwitchedOff(found.Candidates.Count), .. found.Refusals] };
    }

    private static Task<RepairHistory> NoHistoryAsync(Look look) => Task.FromResult(RepairHistory.None with { Now = look.Diagnosed.Now });

    /// <summary>Plans; while nothing of what a look takes of wrong codes is due, it takes the next of them, so that those before hide none.</summary>
    private async Task<(RepairPlan Plan, RepairHistory History)> PlanOfAsync(
        Look look, Func<Look, Task<RepairHistory>> history, RunRequest request, FindingsReport report, CancellationToken cancellationToken)
    {
        while (true)
        {
            var past = await history(look);
            var plan = Planner.Of(looking.WithLife(look, past), past, Terms(request, report));
            var isCapped = plan.Refusals.Any(refusal => refusal.Reason is SkipReason.CapHour or SkipReason.CapDay or SkipReason.Share);
            if (plan.IsBlocked || plan.Repairs.Count > 0 || isCapped || await looking.FurtherAsync(look, cancellationToken) is not { } further) return (plan, past);
            look = further;
        }
    }

    /// <summary>Runs to its end, and says so to the log, the counters and whoever waits for it. What was committed stays and is told, whatever happens after it.</summary>
    /// <param name="request">What is asked for; beyond the ceiling of the settings nothing is written.</param>
    /// <param name="cancellationToken">Ends the run before its next step; it is an end like others.</param>
    public async Task<RunResult> RunAsync(RunRequest request, CancellationToken cancellationToken)
    {
        var progress = new RunProgress(Guid.NewGuid().ToString("n")[..12], IsDry(request));
        if (!_one.Wait(0, CancellationToken.None)) return progress.Result(RunEnd.Busy, "Another run is under way in this process.");
        RunResult result;
        try
        {
            var (end, problem) = await BatchesAsync(request, progress, cancellationToken);
            result = progress.Result(end, problem);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            result = progress.Result(RunEnd.Interrupted, "It was broken off. What was written until then stays, and is in the audit.");
        }
        catch (AuditException error)
        {
            counters.AuditFailed();
            result = progress.Result(RunEnd.Failed, error.Message);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException or OperationCanceledException)
        {
            result = progress.Result(RunEnd.Failed, $"The repairing role cannot work ({FailureReason.Of(error)}): {FailureReason.Words(error)}. {FailureReason.Mend(error, DatabaseMend.SignIn.Repairing)} What was written is in the audit.");
        }
        catch (Exception error)
        {
            LogBroken(error, progress.Run);
            result = progress.Result(RunEnd.Failed, $"The run broke off for a reason that is not known: {FailureReason.Words(error)}. What was written is in the audit.");
        }
        finally
        {
            _one.Release();
        }
        End(request, result);
        return result;
    }

    private void End(RunRequest request, RunResult result)
    {
        Tell(request, result);
        state.Tell(result);
        if (result.Unconfirmed.Count > 0 || result.Outcomes.Any(outcome => outcome.Audit is not null)) Wrote?.Invoke();
        // What was removed, the scrapes would count until the whole tables are read again.
        if (result.Outcomes.Where(outcome => outcome.State == RepairState.Done).Concat(result.Unconfirmed).Any(outcome => outcome.Repair.Action is RepairAction.Sweep or RepairAction.DeleteRobot))
            reconciliation?.Want();
    }

    /// <summary>Ends old intents by what the rows say (conventions 5.10), without a look at Harbor.</summary>
    /// <returns>After how long there is something to end again; null when no intent is open.</returns>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="AuditException">The audit cannot be read or written.</exception>
    public async Task<TimeSpan?> ResolveIntentsAsync(CancellationToken cancellationToken)
    {
        await using var transaction = await database.BeginAsync(cancellationToken);
        // Whoever holds the lock resolves them himself; what he leaves open comes of age later.
        if (!await AuditException.GuardAsync(() => transaction.TryLockRunAsync(cancellationToken)) || await transaction.IsStandbyAsync(cancellationToken)) return Intents.LeastAge;
        var resolved = await AuditException.GuardAsync(() => Intents.ResolveAsync(transaction, cancellationToken));
        var youngest = await AuditException.GuardAsync(() => AuditTable.YoungestIntentAsync(transaction, cancellationToken));
        if (resolved > 0)
        {
            await transaction.CommitAsync(cancellationToken);
            LogResolved(resolved);
        }
        return youngest is { } age ? Intents.LeastAge - TimeSpan.FromSeconds(Math.Min(age, Intents.LeastAge.TotalSeconds)) + TimeSpan.FromSeconds(1) : null;
    }

    public void Dispose() => _one.Dispose();

    private bool IsDry(RunRequest request) => request.DryRun || settings.Remediation.Mode != RemediationMode.Execute;

    private async Task<(RunEnd End, string? Problem)> BatchesAsync(RunRequest request, RunProgress progress, CancellationToken cancellationToken)
    {
        var (waits, inVain) = (0, 0);
        while (true)
        {
            var batch = await BatchAsync(request, progress, null, cancellationToken);
            if (batch.Plan is null || batch.Plan.IsBlocked || batch.End is RunEnd.Busy or RunEnd.Failed) return (batch.End, batch.Problem);
            // What one batch rolled back or could not do, the next would meet again; what it did not come to, the next may do.
            inVain = batch.Outcomes.Any(outcome => outcome.State is RepairState.Done or RepairState.NoEffect) ? 0 : inVain + 1;
            if ((inVain == 0 || (IsCutShort(batch) && inVain < MostInVain)) && !progress.DryRun) continue;
            if (batch.Outcomes.Count > 0) return (batch.End, batch.Problem);
            var due = batch.Plan.Refusals.Where(refusal => refusal.Reason is SkipReason.SecondLook or SkipReason.Live).Select(refusal => refusal.HoldsFor).Max();
            if (due is not { } seconds || waits == MostWaits || !request.WaitsForSecondLook) return await SweptAsync(request, progress, batch, cancellationToken);
            waits++;
            await Task.Delay(TimeSpan.FromSeconds(seconds + 1), time, cancellationToken);
        }
    }

    /// <summary>Goes on with old executions, when nothing else is to be done and all findings were asked for.</summary>
    private async Task<(RunEnd End, string? Problem)> SweptAsync(RunRequest request, RunProgress progress, Batch batch, CancellationToken cancellationToken)
    {
        if (sweeping is null || !settings.Remediation.Sweep || !request.IsForAll) return (batch.End, batch.Problem);
        if (await sweeping.FindAsync(request.Asker.Source, cancellationToken) is not { } found) return (batch.End, batch.Problem);
        foreach (var part in found.Parts(settings.Remediation.MaxPerRun, SweepReader.MostTasks))
        {
            batch = await BatchAsync(request, progress, found with { Candidates = part }, cancellationToken);
            if (!batch.Outcomes.Any(outcome => outcome.State == RepairState.Done) || progress.DryRun || pause.Reason() is not null) break;
        }
        return (batch.End, batch.Problem);
    }

    private static bool IsCutShort(Batch batch) => batch.Plan!.Repairs.Count > batch.Outcomes.Count;

    private async Task<Batch> BatchAsync(RunRequest request, RunProgress progress, SweepFound? old, CancellationToken cancellationToken)
    {
        var (look, report) = await looking.LookAsync(cancellationToken);
        if (look is null) return new Batch(RunEnd.Failed, report.Problem);
        if (request.Filter.CannotTell(report) is { } problem) return new Batch(RunEnd.Failed, problem);
        if (old is not null) look = look with { Sweepable = old.Candidates, Refusals = [.. look.Refusals, .. old.Refusals] };
        List<RepairOutcome> outcomes = [];
        RepairPlan plan;
        if (settings.Remediation.Mode == RemediationMode.Off)
        {
            (plan, _) = await PlanOfAsync(look, NoHistoryAsync, request, report, cancellationToken);
            Count(plan);
            progress.Planned(plan, report);
            return new Batch(RunEnd.Blocked, plan.Blocks[0].Text) { Plan = plan };
        }
        await using (var transaction = await database.BeginAsync(cancellationToken))
        {
            if (!await AuditException.GuardAsync(() => transaction.TryLockRunAsync(cancellationToken))) return new Batch(RunEnd.Busy, "Another exporter holds the lock of a run.");
            var resolved = await AuditException.GuardAsync(() => Intents.ResolveAsync(transaction, cancellationToken));
            (plan, var history) = await PlanOfAsync(look, at => HistoryAsync(transaction, at, cancellationToken), request, report, cancellationToken);
            Count(plan);
            progress.Planned(plan, report);
            var (planned, age) = (time.GetTimestamp(), history.Now - look.Diagnosed.Now);
            if (!plan.IsBlocked)
                await WriteAsync(transaction, plan, progress.Run, request.Asker, () => age + time.GetElapsedTime(planned).TotalSeconds <= Planner.FreshLook, outcomes, cancellationToken);
            if (!progress.DryRun && (outcomes.Count > 0 || resolved > 0))
            {
                progress.Committing(outcomes);
                await transaction.CommitAsync(cancellationToken);
            }
            progress.Ended(outcomes);
        }
        if (!progress.DryRun) await ActAsync(outcomes, cancellationToken);
        var left = plan.Refusals.Any(refusal => !refusal.IsSettled) || plan.Repairs.Count > outcomes.Count
            || outcomes.Any(outcome => outcome.State is RepairState.Failed or RepairState.NoEffect || (outcome.State == RepairState.Intended && !progress.DryRun));
        return new Batch(plan.IsBlocked ? RunEnd.Blocked : left ? RunEnd.Left : RunEnd.Clean, plan.IsBlocked ? string.Join(' ', plan.Blocks.Select(block => block.Text)) : null)
        {
            Plan = plan,
            Outcomes = outcomes,
        };
    }

    /// <summary>Row changes first, execution by execution, removals after all others; then the intents of what Harbor's API is asked for.</summary>
    private async Task WriteAsync(
        RepairTransaction transaction, RepairPlan plan, string run, Asker asker, Func<bool> isFresh, List<RepairOutcome> outcomes, CancellationToken cancellationToken)
    {
        var held = 0;
        foreach (var group in plan.Repairs.Where(repair => !repair.Action.IsOfApi()).GroupBy(repair => (IsRemoved: repair.Old is not null, repair.ExecutionId))
            .OrderBy(group => group.Key.IsRemoved).ThenBy(group => group.Key.ExecutionId))
        {
            // On a slow database the evidence grows old in mid-batch; the next batch looks anew.
            if (pause.Reason() is not null || held == MostHeld || !isFresh()) return;
            var written = await RepairWriting.WriteAsync(transaction, [.. group], run, asker, cancellationToken);
            outcomes.AddRange(written);
            if (written.All(outcome => outcome.Failure == RepairFailure.Locked)) held++;
        }
        foreach (var repair in plan.Repairs.Where(repair => repair.Action.IsOfApi()))
        {
            if (pause.Reason() is not null || !isFresh()) return;
            var outcome = await RepairWriting.IntendAsync(transaction, repair, run, asker, cancellationToken);
            // Null: another run has written the same intent and asks itself.
            if (outcome.State == RepairState.Failed || outcome.Audit is not null) outcomes.Add(outcome);
        }
    }

    /// <summary>Asks Harbor's API, outside any transaction, and writes each outcome at once.</summary>
    private async Task ActAsync(List<RepairOutcome> outcomes, CancellationToken cancellationToken)
    {
        for (var i = 0; i < outcomes.Count; i++)
        {
            if (outcomes[i] is not { State: RepairState.Intended, Audit: { } id, Repair: var repair }) continue;
            var answer = pause.Reason() is not null ? new ActOutcome(RepairState.Failed, RepairFailure.Paused)
                : act is null ? new ActOutcome(RepairState.Failed, RepairFailure.Interrupted)
                // Core's stop of a job that the job service does not know asks for no status: it would write Stopped over a scan that has just ended.
                : !await IsStillThatAsync(repair, cancellationToken) ? new ActOutcome(RepairState.Failed, RepairFailure.LostRace)
                : await act(repair, cancellationToken);
            if (answer.State == RepairState.Intended) continue;
            await using var transaction = await database.BeginAsync(cancellationToken);
            var after = repair.TaskId is { } task ? await TaskWrite.ImageAsync(transaction, task, cancellationToken) : null;
            var images = after is null ? null : AuditLine.Images(after, null);
            await AuditException.GuardAsync(() => AuditTable.EndAsync(transaction, id, answer.State, answer.Failure, images, cancellationToken));
            await transaction.CommitAsync(cancellationToken);
            outcomes[i] = outcomes[i] with { State = answer.State, Failure = answer.Failure, After = images };
        }
    }

    private async Task<bool> IsStillThatAsync(PlannedRepair repair, CancellationToken cancellationToken)
    {
        if (repair is not { TaskId: { } task, Fence: { } fence }) return true;
        await using var transaction = await database.BeginAsync(cancellationToken);
        return await TaskWrite.ReadAsync(transaction, task, fence, cancellationToken) is not null;
    }

    private PlanTerms Terms(RunRequest request, FindingsReport report) => new()
    {
        Settings = settings.Remediation,
        PausedBy = pause.Reason(),
        OverrideShare = request.OverrideShare,
        Wanted = request.IsForAll ? null
            : request.Filter.Of(report).Select(finding => finding.Id).Where(id => request.Ids?.Contains(id) ?? true).ToHashSet(StringComparer.Ordinal),
    };

    private static Task<RepairHistory> HistoryAsync(RepairTransaction transaction, Look look, CancellationToken cancellationToken)
    {
        long[] tasks = [.. look.Diagnosed.Tasks.Where(task => task.Judgement.IsStuck).Select(task => task.Task.Id)
            .Concat(look.WrongCodes.Select(task => task.Id)).Concat(look.Rescannables.Select(one => one.TaskId))];
        long[] executions = [.. look.Diagnosed.Executions.Select(found => found.Execution.Id), .. look.Sweepable.Select(candidate => candidate.Id)];
        long[] robots = [.. look.LeakedRobots.Select(robot => robot.Id)];
        return AuditException.GuardAsync(() => AuditTable.HistoryAsync(transaction, tasks, executions, robots, cancellationToken));
    }

    private void Count(RepairPlan plan)
    {
        foreach (var block in plan.Blocks) counters.Skip(block.Reason);
        foreach (var refusal in plan.Refusals.Where(refusal => refusal.Reason != SkipReason.Live)) counters.Skip(refusal.Reason, refusal.Count);
    }

    private void Tell(RunRequest request, RunResult result)
    {
        foreach (var outcome in result.Outcomes.Where(outcome => !result.DryRun))
            LogRepair(outcome.Repair.Action.Word(), outcome.Repair.FindingId, outcome.Repair.Verdict, outcome.State, outcome.Failure ?? "", outcome.Audit ?? 0, result.Run);
        var heldBy = result is { End: RunEnd.Blocked, Outcomes.Count: 0 } ? string.Join(' ', result.Plan!.Blocks.Select(block => block.Reason)) : "";
        var isTold = Interlocked.Exchange(ref _heldBy, heldBy) == heldBy && heldBy.Length > 0 && request.Asker.Source == RunSource.Alert;
        LogRun(isTold ? LogLevel.Debug : LogLevel.Information, result.Run, request.Asker.Source, request.Asker.Actor, result.DryRun, result.End, result.Outcomes.Count, result.Problem ?? "");
    }

    [LoggerMessage(45, LogLevel.Error, "Run {Run} broke off for a reason that is not known.")]
    private partial void LogBroken(Exception error, string run);

    [LoggerMessage(40, LogLevel.Information, "Repair {Audit}: {Action} of {Finding} ({Verdict}) is {State} {Failure}. Run {Run}.")]
    private partial void LogRepair(string action, string finding, string verdict, string state, string failure, long audit, string run);

    [LoggerMessage(42, LogLevel.Information, "{Count} acts of Harbor's API whose outcome nobody had written were judged by the rows.")]
    private partial void LogResolved(int count);

    [LoggerMessage(EventId = 41, Message = "Run {Run} for {Source} ({Actor}), dry {Dry}, ended {End} with {Count} repairs. {Problem}")]
    private partial void LogRun(LogLevel level, string run, string source, string actor, bool dry, RunEnd end, int count, string problem);

    /// <summary>What one batch came to.</summary>
    private sealed record Batch(RunEnd End, string? Problem)
    {
        /// <summary>Null when none could be made.</summary>
        public RepairPlan? Plan { get; init; }

        public List<RepairOutcome> Outcomes { get; init; } = [];
    }
}
