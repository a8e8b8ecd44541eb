using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Observation;

/// <summary>Executions that contradict their tasks, and those that Harbor's sweep cannot remove.</summary>
/// <param name="Inconsistent">Running executions without open tasks, and final ones with some.</param>
/// <param name="SweepBlocked">The executions that Harbor's sweep should remove and cannot, by type.</param>
internal sealed record ExecutionsInDoubt(IReadOnlyList<InconsistentExecution> Inconsistent, IReadOnlyDictionary<string, IReadOnlyList<long>> SweepBlocked)
{
    /// <summary>Reads both.</summary>
    /// <param name="reader">The first snapshot.</param>
    /// <param name="facts">Its first query.</param>
    /// <param name="executions">What <c>execution</c> says.</param>
    /// <param name="tasks">What <c>task</c> says.</param>
    /// <param name="open">The open tasks.</param>
    /// <param name="limits">Those of the settings.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<ExecutionsInDoubt> ReadAsync(
        SnapshotReader reader, DatabaseFacts facts, ExecutionPass executions, TaskPass tasks, IReadOnlyList<ScanTask> open, Limits limits, CancellationToken cancellationToken) =>
        new(await InconsistentAsync(reader, facts, executions, tasks, open, limits, cancellationToken),
            await SweepBlockedAsync(reader, facts, executions, tasks, open, cancellationToken));

    private static async Task<IReadOnlyList<InconsistentExecution>> InconsistentAsync(
        SnapshotReader reader, DatabaseFacts facts, ExecutionPass executions, TaskPass tasks, IReadOnlyList<ScanTask> openTasks, Limits limits, CancellationToken cancellationToken)
    {
        var openOf = openTasks.CountBy(task => task.ExecutionId).ToDictionary();
        var idle = executions.Detailed.Values.Where(execution => ScanType.All.Contains(execution.Type) && execution.IsRunning && !openOf.ContainsKey(execution.Id));
        long[] unread = [.. openOf.Keys.Where(id => !executions.Detailed.ContainsKey(id))];
        var read = await reader.ReadAsync((from, token) => ExecutionLookup.ExecutionsAsync(from, unread, token), cancellationToken);
        var final = executions.Detailed.Values.Concat(read).Where(execution => execution.IsFinal && openOf.ContainsKey(execution.Id));
        ScanExecution[] suspects = [.. idle, .. final];

        // The newest scan-all may have as many tasks as there are artifacts: they have been counted already.
        var newestScanAll = executions.NewestScanAll?.Id;
        long[] others = [.. suspects.Where(execution => execution.Id != newestScanAll).Select(execution => execution.Id)];
        var tasksOf = await reader.ReadAsync((from, token) => ExecutionLookup.TasksAsync(from, others, token), cancellationToken);
        return
        [
            .. from execution in suspects
               let its = execution.Id == newestScanAll ? tasks.OfNewestScanAll : tasksOf.GetValueOrDefault(execution.Id, new ExecutionTasks(0, null))
               let open = openOf.GetValueOrDefault(execution.Id)
               let kind = ExecutionJudge.Judge(execution, open, its, facts.Now, limits)
               where kind is not null
               select new InconsistentExecution(execution, kind, open, its.Tasks),
        ];
    }

    private static async Task<IReadOnlyDictionary<string, IReadOnlyList<long>>> SweepBlockedAsync(
        SnapshotReader reader, DatabaseFacts facts, ExecutionPass executions, TaskPass tasks, IReadOnlyList<ScanTask> open, CancellationToken cancellationToken)
    {
        var newestSweepFailed = executions.NewestSweep?.Status == ScanStatus.Error;
        if (!HarborSchema.SweepCanBeBlocked(facts.SchemaVersion, newestSweepFailed)) return new Dictionary<string, IReadOnlyList<long>>();
        var withLowCode = tasks.Scans.SelectMany(group => group.LowCodeExecutions);
        var withOpen = open.Where(task => task.StatusCode < 3).Select(task => task.ExecutionId);
        long[] asked = [.. withLowCode.Concat(withOpen).Distinct()];
        return await reader.ReadAsync((from, token) => SweepBlockLookup.IdsAsync(from, asked, facts.SchemaVersion, token), cancellationToken);
    }
}
