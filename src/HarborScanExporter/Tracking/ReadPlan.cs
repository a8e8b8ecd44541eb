using HarborScanExporter.Database.Queries;

namespace HarborScanExporter.Tracking;

/// <summary>What a scrape reads by primary key.</summary>
/// <param name="Version">The state that it was made from; what was read counts only while that is still the state.</param>
/// <param name="Tasks">Ranges of tasks to read whole.</param>
/// <param name="FinishedTasks">Ranges of tasks of which those open are read.</param>
/// <param name="NewTasks">Above this id of a task everything is read.</param>
/// <param name="Executions">Ids of executions to read.</param>
/// <param name="FinishedExecutions">Ranges of executions of which those Running are read.</param>
/// <param name="NewExecutions">Above this id of an execution everything is read.</param>
internal sealed record ReadPlan(
    long Version, IdRanges Tasks, IdRanges FinishedTasks, long NewTasks, IReadOnlyCollection<long> Executions, IdRanges FinishedExecutions, long NewExecutions);

/// <summary>What was read by a plan.</summary>
/// <param name="Tasks">The tasks.</param>
/// <param name="HooksOfOthers">The hooks that new tasks of other types show.</param>
/// <param name="Executions">The executions.</param>
/// <param name="AskedExecutions">The ids that were asked for one by one.</param>
internal sealed record PlannedRead(
    IReadOnlyList<Harbor.ScanTask> Tasks, long HooksOfOthers, IReadOnlyList<Harbor.ScanExecution> Executions, IReadOnlySet<long> AskedExecutions);

/// <summary>The two passes that the collectors read.</summary>
internal sealed record Passes(TaskPass Tasks, ExecutionPass Executions);

/// <summary>How many ids are remembered.</summary>
internal readonly record struct WatchedRows(int OpenTasks, int FinishedTasks, int OpenExecutions, int FinishedExecutions);
