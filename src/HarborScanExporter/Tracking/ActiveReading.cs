using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Failures;

namespace HarborScanExporter.Tracking;

/// <summary>Reads in one snapshot what the active rows ask for.</summary>
internal static class ActiveReading
{
    /// <summary>A reconciliation or a collection that was given up may have been faster; it is not again and again.</summary>
    private const int MostAttempts = 5;

    /// <summary>Reads and remembers.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="rows">What is remembered.</param>
    /// <param name="facts">The first query of the snapshot.</param>
    /// <param name="reconciling">The reconciliation that goes on in this snapshot; null for a scrape.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    /// <param name="times">Measures the reads of a scrape.</param>
    /// <exception cref="NotReconciledException">Nothing is remembered of these tables.</exception>
    /// <exception cref="OutdatedSnapshotException">A later snapshot was read before.</exception>
    public static async Task<Passes> ReadAsync(Snapshot snapshot, ActiveRows rows, DatabaseFacts facts, ReconcilingRows? reconciling, CancellationToken cancellationToken, ReadTimes? times = null)
    {
        times ??= new ReadTimes(TimeProvider.System);
        var horizon = await TableHorizonProbe.ReadAsync(snapshot, cancellationToken, times);
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var plan = rows.Plan(horizon, facts.Now) ?? throw new NotReconciledException();
            if (rows.Take(plan, await ReadAsync(snapshot, rows, plan, facts.Now, times, cancellationToken), horizon, facts.Now, reconciling) is { } passes) return passes;
        }
        throw new TimeoutException("Other reads of the same rows were faster again and again.");
    }

    private static async Task<PlannedRead> ReadAsync(Snapshot snapshot, ActiveRows rows, ReadPlan plan, double now, ReadTimes times, CancellationToken cancellationToken)
    {
        var (tasks, hooks) = await times.MeasureAsync(ReadTimes.Tasks, async () => (
            await ActiveTaskLookup.ReadAsync(snapshot, plan.Tasks, plan.FinishedTasks, rows.TaskAddresses, cancellationToken),
            await ActiveTaskLookup.HooksOfOthersAsync(snapshot, plan.NewTasks, now, cancellationToken)));
        // An execution is Running again only because a task of it is open.
        var asked = plan.Executions.Concat(tasks.Where(task => task.IsOpen).Select(task => task.ExecutionId)).ToHashSet();
        var ranges = IdRanges.Of(asked.Where(id => id <= plan.NewExecutions), ActiveExecutionLookup.Gap).WithAbove(plan.NewExecutions);
        var executions = await times.MeasureAsync(
            ReadTimes.Executions, () => ActiveExecutionLookup.ReadAsync(snapshot, ranges, plan.FinishedExecutions, rows.ExecutionAddresses, cancellationToken));
        return new PlannedRead(tasks, hooks, executions, asked);
    }
}

/// <summary>No reconciliation has ended yet of the tables that are there now.</summary>
/// <param name="cause">Why the newest attempt failed; null while none has.</param>
internal sealed class NotReconciledException(Exception? cause = null)
    : Exception(cause?.Message ?? "The whole tables have not been read yet, which every later scrape builds on.", cause), IKnownFailure
{
    public string Reason => FailureReason.Reconciling;

    public Exception? Cause => InnerException;
}
