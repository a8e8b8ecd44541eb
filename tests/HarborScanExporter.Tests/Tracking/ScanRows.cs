using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>Rows and reads of whole tables, without a database.</summary>
internal static class ScanRows
{
    /// <summary>The database's clock when the tables were read whole.</summary>
    public const double Now = 1_789_992_000;

    /// <summary>A task as a read sees it; an open one was confirmed, and its times lie before <see cref="Now"/>.</summary>
    public static ScanTask Task(long id, string status, long execution = 1, string type = ScanType.ImageScan, long? code = null, long revision = 7) => new()
    {
        Id = id,
        ExecutionId = execution,
        Type = type,
        Status = status,
        StatusCode = code ?? ScanStatus.CodeOf(status),
        StatusRevision = revision,
        RunCount = 1,
        Created = Now - 100,
        Updated = Now - 60,
        Ended = ScanStatus.IsFinal(status) ? Now - 10 : null,
    };

    /// <summary>A read of a whole table of these tasks.</summary>
    /// <param name="tasks">All rows; those over are counted.</param>
    /// <param name="newestScanAll">The newest scan-all.</param>
    /// <param name="recent">The ids of those over that it names one by one.</param>
    /// <param name="hooks">The mask of hooks.</param>
    public static TaskPass Whole(IReadOnlyList<ScanTask> tasks, long newestScanAll = 0, IReadOnlySet<long>? recent = null, long hooks = 0) => new()
    {
        Scans =
        [
            .. tasks.GroupBy(task => (task.Type, task.Status, OfNewest: task.ExecutionId == newestScanAll)).Select(group => new TaskGroup
            {
                Type = group.Key.Type,
                Status = group.Key.Status,
                OfNewestScanAll = group.Key.OfNewest,
                Tasks = group.LongCount(),
                Ended = group.Max(task => task.Ended),
                LowCodeExecutions = [.. group.Where(task => !task.IsOpen && task.StatusCode < 3).Select(task => task.ExecutionId)],
            }),
        ],
        Hooks = hooks,
        OpenRows = [.. tasks.Where(task => task.IsOpen)],
        Finished = [.. tasks.Where(task => recent?.Contains(task.Id) == true).Select(task => new FinishedRow(task.Id, task.ExecutionId, task.Type, task.Status, task.StatusCode < 3))],
    };

    /// <summary>An execution.</summary>
    public static ScanExecution Execution(long id, string? status, string type = ScanType.ImageScan, double started = Now - 100, string trigger = "MANUAL") =>
        new() { Id = id, Type = type, Status = status, Trigger = trigger, Started = started, Updated = started + 50, Ended = status == ScanStatus.Running ? null : started + 50 };

    /// <summary>A read of a whole table of these executions.</summary>
    /// <param name="executions">All rows.</param>
    /// <param name="recent">The ids of those over that it names one by one.</param>
    public static ExecutionPass WholeExecutions(IReadOnlyList<ScanExecution> executions, IReadOnlySet<long>? recent = null) => new()
    {
        Groups = [.. executions.GroupBy(execution => (execution.Type, execution.Status)).Select(group => new ExecutionGroup(group.Key.Type, group.Key.Status, group.LongCount()))],
        Detailed = executions.Where(execution => execution.IsRunning || execution.Type is ScanType.ScanAll or JobType.Sweep).ToDictionary(execution => execution.Id),
        Finished = [.. executions.Where(execution => recent?.Contains(execution.Id) == true).Select(execution => new FinishedRow(execution.Id, execution.Id, execution.Type, execution.Status, false))],
    };

    /// <summary>How many tasks a pass counts.</summary>
    public static long Count(this TaskPass pass, string status, string type = ScanType.ImageScan, bool? ofNewest = null) =>
        pass.Scans.Where(group => group.Type == type && group.Status == status && (ofNewest is null || group.OfNewestScanAll == ofNewest)).Sum(group => group.Tasks);

    /// <summary>How many executions a pass counts.</summary>
    public static long Count(this ExecutionPass pass, string? status, string type = ScanType.ImageScan) =>
        pass.Groups.Where(group => group.Type == type && group.Status == status).Sum(group => group.Executions);
}

/// <summary>What was told, in order.</summary>
internal sealed class ToldTransitions : IScanTransitions
{
    private readonly List<string> _told = [];

    /// <summary>What was told since it was last asked.</summary>
    public string Since()
    {
        var told = string.Join("; ", _told);
        _told.Clear();
        return told;
    }

    public void Finished(string type, string status, double? duration) => _told.Add($"{type} {status} after {duration}");

    public void Started(string type, double? wait) => _told.Add($"{type} started after {wait}");

    public void Ran(string type, double? run) => _told.Add($"{type} ran {run}");

    public void StartUnseen(string type) => _told.Add($"{type} start unseen");
}
