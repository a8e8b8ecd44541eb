using HarborScanExporter.Database;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Operations;
using HarborScanExporter.Remediation.Sweeping;
using HarborScanExporter.Scraping;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Remediation;

/// <summary>
/// A run: batch after batch until nothing is left or something holds it. A batch looks at Harbor anew, plans under the lock of a run, writes
/// rows and audit in one transaction, and only then asks Harbor's API for what it wrote ahead.
/// </summary>
internal sealed partial class RepairRun(
    LookReader looking, RepairDatabase database, PauseFile pause, ExporterSettings settings, RemediationCounters counters, TimeProvider time, ILogger<RepairRun> logger,
    Act? act = null, SweepReader? sweeping = null, Reconciliation? reconciliation = null) : IDisposable
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
        look = await WithOldAsync(look, request, cancellationToken);
        if (settings.Remediation.Mode == RemediationMode.Off)
            return (PlanOf(look, NoHistory(look), request, report), report);
        await using var transaction = await database.BeginAsync(cancellationToken);
        return (PlanOf(look, await HistoryAsync(transaction, look, cancellationToken), request, report), report);
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

    private static RepairHistory NoHistory(Look look) => RepairHistory.None with { Now = look.Diagnosed.Now };

    private RepairPlan PlanOf(Look look, RepairHistory history, RunRequest request, FindingsReport report) =>
        Planning.Of(looking.WithLife(look, history), history, Terms(request, report));

    /// <summary>Runs to its end. What was committed stays, whatever happens after it.</summary>
    /// <param name="request">What is asked for; beyond the ceiling of the settings nothing is written.</param>
    /// <param name="cancellationToken">Ends the run before its next step.</param>
    public async Task<RunResult> RunAsync(RunRequest request, CancellationToken cancellationToken)
    {
        var run = Guid.NewGuid().ToString("n")[..12];
        var result = new RunResult { Run = run, DryRun = IsDry(request), End = RunEnd.Busy, Problem = "Another run is under way in this process." };
        if (!await _one.WaitAsync(0, cancellationToken)) return result;
        try
        {
            result = await BatchesAsync(request, result with { End = RunEnd.Clean, Problem = null }, cancellationToken);
        }
        catch (AuditException error)
        {
            counters.AuditFailed();
            result = result with { End = RunEnd.Failed, Problem = error.Message };
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            result = result with { End = RunEnd.Failed, Problem = $"The repairing role cannot work ({FailureReason.Of(error)}): {FailureReason.Words(error)}. {FailureReason.Mend(error, DatabaseMend.SignIn.Repairing)} What was written is in the audit." };
        }
        finally
        {
            _one.Release();
        }
        Tell(request, result);
        if (result.Outcomes.Any(outcome => outcome.Audit is not null)) Wrote?.Invoke();
        // What was removed, the scrapes would count until the whole tables are read again.
        if (result.Outcomes.Any(outcome => outcome is { State: RepairState.Done, Repair.Action: RepairAction.Sweep or RepairAction.DeleteRobot })) reconciliation?.Want();
        return result;
    }

    /// <summary>Ends old intents by what the rows say (conventions 5.10), without a look at Harbor.</summary>
    /// <returns>After how long there is something to end again; null when no intent is open.</returns>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="AuditException">The audit cannot be read or written.</exception>
    public async Task<TimeSpan?> ResolveIntentsAsync(CancellationToken cancellationToken)
    {
        await using var transaction = await database.BeginAsync(cancellationToken);
        // Whoever holds the lock resolves them himself; what he leaves open comes of age later.
        if (!await InAuditAsync(() => transaction.TryLockRunAsync(cancellationToken)) || await transaction.IsStandbyAsync(cancellationToken)) return Intents.LeastAge;
        var resolved = await InAuditAsync(() => Intents.ResolveAsync(transaction, cancellationToken));
        var youngest = await InAuditAsync(() => AuditTable.YoungestIntentAsync(transaction, cancellationToken));
        if (resolved > 0)
        {
            await transaction.CommitAsync(cancellationToken);
            LogResolved(resolved);
        }
        return youngest is { } age ? Intents.LeastAge - TimeSpan.FromSeconds(Math.Min(age, Intents.LeastAge.TotalSeconds)) + TimeSpan.FromSeconds(1) : null;
    }

    public void Dispose() => _one.Dispose();

    private bool IsDry(RunRequest request) => request.DryRun || settings.Remediation.Mode != RemediationMode.Execute;

    private async Task<RunResult> BatchesAsync(RunRequest request, RunResult result, CancellationToken cancellationToken)
    {
        var (waits, inVain) = (0, 0);
        while (true)
        {
            var batch = await BatchAsync(request, result.Run, null, cancellationToken);
            result = With(result, batch);
            if (batch.Plan is null || batch.Plan.IsBlocked || batch.End is RunEnd.Busy or RunEnd.Failed) return result;
            // What one batch rolled back or could not do, the next would meet again; what it did not come to, the next may do.
            inVain = batch.Outcomes.Any(outcome => outcome.State is RepairState.Done or RepairState.NoEffect) ? 0 : inVain + 1;
            if ((inVain == 0 || (IsCutShort(batch) && inVain < MostInVain)) && !result.DryRun) continue;
            if (batch.Outcomes.Count > 0) return result;
            var due = batch.Plan.Refusals.Where(refusal => refusal.Reason is SkipReason.SecondLook or SkipReason.Live).Select(refusal => refusal.HoldsFor).Max();
            if (due is not { } seconds || waits == MostWaits || !request.WaitsForSecondLook) return await SweptAsync(request, result, cancellationToken);
            waits++;
            await Task.Delay(TimeSpan.FromSeconds(seconds + 1), time, cancellationToken);
        }
    }

    /// <summary>Goes on with old executions, when nothing else is to be done and all findings were asked for.</summary>
    private async Task<RunResult> SweptAsync(RunRequest request, RunResult result, CancellationToken cancellationToken)
    {
        if (sweeping is null || !settings.Remediation.Sweep || !request.IsForAll) return result;
        if (await sweeping.FindAsync(request.Asker.Source, cancellationToken) is not { } found) return result;
        foreach (var part in found.Parts(settings.Remediation.MaxPerRun, SweepReader.MostTasks))
        {
            var batch = await BatchAsync(request, result.Run, found with { Candidates = part }, cancellationToken);
            result = With(result, batch);
            if (!batch.Outcomes.Any(outcome => outcome.State == RepairState.Done) || result.DryRun || pause.Reason() is not null) return result;
        }
        return result;
    }

    private static RunResult With(RunResult result, RunResult batch) => result with
    {
        End = batch.End,
        Problem = batch.Problem,
        Plan = batch.Plan ?? result.Plan,
        Outcomes = [.. result.Outcomes, .. batch.Outcomes],
        Batches = result.Batches + (batch.Outcomes.Count > 0 ? 1 : 0),
    };

    private static bool IsCutShort(RunResult batch) => batch.Plan!.Repairs.Count > batch.Outcomes.Count;

    private async Task<RunResult> BatchAsync(RunRequest request, string run, SweepFound? old, CancellationToken cancellationToken)
    {
        var dry = IsDry(request);
        var result = new RunResult { Run = run, DryRun = dry, End = RunEnd.Clean };
        var (look, report) = await looking.LookAsync(cancellationToken);
        if (look is null) return result with { End = RunEnd.Failed, Problem = report.Problem };
        if (old is not null) look = look with { Sweepable = old.Candidates, Refusals = [.. look.Refusals, .. old.Refusals] };
        List<RepairOutcome> outcomes = [];
        RepairPlan plan;
        if (settings.Remediation.Mode == RemediationMode.Off)
        {
            plan = PlanOf(look, NoHistory(look), request, report);
            Count(plan);
            return result with { Plan = plan, End = RunEnd.Blocked, Problem = plan.Blocks[0].Text };
        }
        await using (var transaction = await database.BeginAsync(cancellationToken))
        {
            if (!await InAuditAsync(() => transaction.TryLockRunAsync(cancellationToken)))
                return result with { End = RunEnd.Busy, Problem = "Another exporter holds the lock of a run." };
            var resolved = await InAuditAsync(() => Intents.ResolveAsync(transaction, cancellationToken));
            var history = await HistoryAsync(transaction, look, cancellationToken);
            plan = PlanOf(look, history, request, report);
            Count(plan);
            var (planned, age) = (time.GetTimestamp(), history.Now - look.Diagnosed.Now);
            if (!plan.IsBlocked)
                await WriteAsync(transaction, plan, run, request.Asker, () => age + time.GetElapsedTime(planned).TotalSeconds <= Planning.FreshLook, outcomes, cancellationToken);
            if (!dry && (outcomes.Count > 0 || resolved > 0)) await transaction.CommitAsync(cancellationToken);
        }
        if (!dry) await ActAsync(outcomes, cancellationToken);
        var left = plan.Refusals.Any(refusal => !refusal.IsSettled) || plan.Repairs.Count > outcomes.Count
            || outcomes.Any(outcome => outcome.State is RepairState.Failed or RepairState.NoEffect || (outcome.State == RepairState.Intended && !dry));
        return result with
        {
            Plan = plan,
            Outcomes = dry ? [.. outcomes.Select(outcome => outcome with { Audit = null })] : outcomes,
            End = plan.IsBlocked ? RunEnd.Blocked : left ? RunEnd.Left : RunEnd.Clean,
            Problem = plan.IsBlocked ? string.Join(' ', plan.Blocks.Select(block => block.Text)) : null,
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
            var answer = act is null || pause.Reason() is not null ? new ActOutcome(RepairState.Failed, RepairFailure.Interrupted)
                // Core's stop of a job that the job service does not know asks for no status: it would write Stopped over a scan that has just ended.
                : !await IsStillThatAsync(repair, cancellationToken) ? new ActOutcome(RepairState.Failed, RepairFailure.LostRace)
                : await act(repair, cancellationToken);
            if (answer.State == RepairState.Intended) continue;
            await using var transaction = await database.BeginAsync(cancellationToken);
            var after = repair.TaskId is { } task ? await TaskWrite.ImageAsync(transaction, task, cancellationToken) : null;
            var images = after is null ? null : AuditLine.Images(after, null);
            await InAuditAsync(() => AuditTable.EndAsync(transaction, id, answer.State, answer.Failure, images, cancellationToken));
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
        return InAuditAsync(() => AuditTable.HistoryAsync(transaction, tasks, executions, robots, cancellationToken));
    }

    private static async Task<T> InAuditAsync<T>(Func<Task<T>> use)
    {
        try
        {
            return await use();
        }
        catch (PostgresException error) when (UnreadableAuditException.Explains(error))
        {
            throw new AuditException(error);
        }
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

    [LoggerMessage(40, LogLevel.Information, "Repair {Audit}: {Action} of {Finding} ({Verdict}) is {State} {Failure}. Run {Run}.")]
    private partial void LogRepair(string action, string finding, string verdict, string state, string failure, long audit, string run);

    [LoggerMessage(42, LogLevel.Information, "{Count} acts of Harbor's API whose outcome nobody had written were judged by the rows.")]
    private partial void LogResolved(int count);

    [LoggerMessage(EventId = 41, Message = "Run {Run} for {Source} ({Actor}), dry {Dry}, ended {End} with {Count} repairs. {Problem}")]
    private partial void LogRun(LogLevel level, string run, string source, string actor, bool dry, RunEnd end, int count, string problem);
}
