using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>A way in which rows contradict each other; the label value of <c>kind</c>.</summary>
internal static class Inconsistency
{
    /// <summary>The execution is Running though all its tasks are over.</summary>
    public const string ExecutionNotRefreshed = "execution_not_refreshed";

    /// <summary>The execution is Running and has no task.</summary>
    public const string ExecutionWithoutTasks = "execution_without_tasks";

    /// <summary>The execution is over though a task of it is not.</summary>
    public const string ExecutionFinalWithOpenTask = "execution_final_with_open_task";

    /// <summary>The task's status is final and its code is not 3: Harbor's sweep never removes it.</summary>
    public const string FinalStatusWrongCode = "final_status_wrong_code";

    /// <summary>The execution should be swept, and a task of code below 3 makes the sweep fail.</summary>
    public const string SweepBlocked = "sweep_blocked";

    /// <summary>A report that no task names; counted by a collector of its own.</summary>
    public const string OrphanReport = "orphan_report";

    /// <summary>The kinds of the default set.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
        [ExecutionNotRefreshed, ExecutionWithoutTasks, ExecutionFinalWithOpenTask, FinalStatusWrongCode, SweepBlocked];
}

/// <summary>Judges an execution against its tasks.</summary>
internal static class ExecutionJudge
{
    /// <summary>The inconsistency, or null when there is none or when Harbor may still be at it.</summary>
    /// <param name="execution">A Running execution, or a final one.</param>
    /// <param name="openTasks">How many of its tasks are open.</param>
    /// <param name="tasks">All its tasks; needed only when <paramref name="openTasks"/> is 0 or the execution is final.</param>
    /// <param name="now">The database's clock, seconds since 1970.</param>
    /// <param name="limits">The limits of the settings.</param>
    public static string? Judge(ScanExecution execution, int openTasks, ExecutionTasks tasks, double now, Limits limits)
    {
        var kind = (execution.IsRunning, execution.IsFinal, openTasks, tasks.Tasks) switch
        {
            (true, _, 0, 0) => Inconsistency.ExecutionWithoutTasks,
            (true, _, 0, > 0) => Inconsistency.ExecutionNotRefreshed,
            (_, true, > 0, _) => Inconsistency.ExecutionFinalWithOpenTask,
            _ => null,
        };
        if (kind is null) return null;
        var patience = execution is { IsRunning: true, MayBeEnumerating: true } ? Math.Max(limits.Settle, Limits.EnumerationSettle) : limits.Settle;
        return IsSettled(execution, tasks, now, patience) ? kind : null;
    }

    private static bool IsSettled(ScanExecution execution, ExecutionTasks tasks, double now, double patience)
    {
        double?[] changes = [execution.Started, execution.Updated, tasks.NewestChange];
        return changes.Max() is { } newest && now - newest > patience;
    }
}
