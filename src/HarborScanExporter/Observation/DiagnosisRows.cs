using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Observation;

/// <summary>What the diagnosis reads of the first snapshot: executions in doubt with their tasks, and blocked sweeps.</summary>
/// <param name="Executions">Running executions without open tasks, and final ones with some.</param>
/// <param name="SweepBlocked">The executions that Harbor's sweep should remove and cannot, by type.</param>
internal sealed record DiagnosisRows(IReadOnlyList<InconsistentExecution> Executions, IReadOnlyDictionary<string, IReadOnlyList<long>> SweepBlocked)
{
    /// <summary>Reads both.</summary>
    public static async Task<DiagnosisRows> ReadAsync(Collection collection, CancellationToken cancellationToken) =>
        new(await ExecutionsAsync(collection, cancellationToken), await SweepBlockedAsync(collection, cancellationToken));

    private static async Task<IReadOnlyList<InconsistentExecution>> ExecutionsAsync(Collection collection, CancellationToken cancellationToken)
    {
        var pass = await collection.ExecutionsAsync(cancellationToken);
        var openTasks = (await collection.OpenTasksAsync(cancellationToken)).CountBy(task => task.ExecutionId).ToDictionary();
        var idle = pass.Detailed.Values.Where(execution => ScanType.All.Contains(execution.Type) && execution.IsRunning && !openTasks.ContainsKey(execution.Id));
        long[] unread = [.. openTasks.Keys.Where(id => !pass.Detailed.ContainsKey(id))];
        var read = await collection.ReadAsync((from, token) => ExecutionLookup.ExecutionsAsync(from, unread, token), cancellationToken);
        var final = pass.Detailed.Values.Concat(read).Where(execution => execution.IsFinal && openTasks.ContainsKey(execution.Id));
        ScanExecution[] suspects = [.. idle, .. final];

        // The newest scan-all may have as many tasks as there are artifacts: the pass has already seen them.
        var newestScanAll = pass.NewestScanAll?.Id;
        long[] others = [.. suspects.Where(execution => execution.Id != newestScanAll).Select(execution => execution.Id)];
        var tasks = await collection.ReadAsync((from, token) => ExecutionLookup.TasksAsync(from, others, token), cancellationToken);
        var ofNewestScanAll = (await collection.TasksAsync(cancellationToken)).OfNewestScanAll;
        return
        [
            .. from execution in suspects
               let its = execution.Id == newestScanAll ? ofNewestScanAll : tasks.GetValueOrDefault(execution.Id, new ExecutionTasks(0, null))
               let open = openTasks.GetValueOrDefault(execution.Id)
               let kind = ExecutionJudge.Judge(execution, open, its, collection.Facts.Now, collection.Limits)
               where kind is not null
               select new InconsistentExecution(execution, kind, open, its.Tasks),
        ];
    }

    private static async Task<IReadOnlyDictionary<string, IReadOnlyList<long>>> SweepBlockedAsync(Collection collection, CancellationToken cancellationToken)
    {
        var newestSweepFailed = (await collection.ExecutionsAsync(cancellationToken)).NewestSweep?.Status == ScanStatus.Error;
        if (!HarborSchema.SweepCanBeBlocked(collection.Facts.SchemaVersion, newestSweepFailed)) return new Dictionary<string, IReadOnlyList<long>>();
        var withLowCode = (await collection.TasksAsync(cancellationToken)).Scans.SelectMany(group => group.LowCodeExecutions);
        var withOpen = (await collection.OpenTasksAsync(cancellationToken)).Where(task => task.StatusCode < 3).Select(task => task.ExecutionId);
        long[] executions = [.. withLowCode.Concat(withOpen).Distinct()];
        return await collection.ReadAsync(
            (from, token) => SweepBlockLookup.IdsAsync(from, executions, collection.Facts.SchemaVersion, token), cancellationToken);
    }
}
