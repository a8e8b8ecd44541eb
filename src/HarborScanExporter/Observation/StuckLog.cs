using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Observation;

/// <summary>
/// Says once when a task becomes stuck and once when it no longer is. What cannot be judged at the moment is said to be neither.
/// </summary>
internal sealed partial class StuckLog(ILogger<StuckLog> logger)
{
    /// <summary>Events of one kind in one collection; the rest are counted in one event, so that a lost Redis does not fill a disk.</summary>
    private const int MostAtOnce = 50;

    private readonly Lock _lock = new();
    private Dictionary<long, JudgedTask> _stuck = [];

    /// <summary>Compares with what was told before.</summary>
    public void Tell(Diagnosed diagnosed)
    {
        lock (_lock)
        {
            var stuck = diagnosed.Tasks.Where(task => task.Judgement.IsStuck).ToDictionary(task => task.Task.Id);
            var open = diagnosed.Tasks.Where(task => _stuck.ContainsKey(task.Task.Id)).ToDictionary(task => task.Task.Id);
            JudgedTask[] begun = [.. stuck.Where(task => _stuck.GetValueOrDefault(task.Key)?.Judgement != task.Value.Judgement).Select(task => task.Value)];
            // After Redis was away, or after a step of the job service, a first look says settling.
            var blind = _stuck.Where(task => open.GetValueOrDefault(task.Key)?.Judgement is { } now && (now == Judgement.Unjudged || now == Judgement.Settling)).ToList();
            JudgedTask[] ended = [.. _stuck.Where(task => !stuck.ContainsKey(task.Key)).Except(blind).Select(task => task.Value)];
            foreach (var task in begun.Take(MostAtOnce))
                LogStuck(task.Task.Id, task.Task.Type, task.Task.Status, task.Judgement.Word, task.Task.AgeAt(diagnosed.Now), task.Task.ExecutionId, task.Task.JobId);
            if (begun.Length > MostAtOnce) LogMoreStuck(begun.Length - MostAtOnce);
            foreach (var task in ended.Take(MostAtOnce))
                LogNoLonger(task.Task.Id, task.Task.Type, task.Judgement.Word, open.GetValueOrDefault(task.Task.Id)?.Judgement.Word ?? "over", task.Task.ExecutionId, task.Task.JobId);
            if (ended.Length > MostAtOnce) LogMoreNoLonger(ended.Length - MostAtOnce);
            foreach (var (id, task) in blind) stuck[id] = task;
            _stuck = stuck;
        }
    }

    [LoggerMessage(20, LogLevel.Information, "Task {TaskId} ({Type}, {Status}) is stuck: {Verdict}, {AgeSeconds:0} s old. Execution {ExecutionId}, job {JobId}.")]
    private partial void LogStuck(long taskId, string type, string status, string verdict, double ageSeconds, long executionId, string jobId);

    [LoggerMessage(21, LogLevel.Information, "{Count} more tasks are stuck.")]
    private partial void LogMoreStuck(int count);

    [LoggerMessage(22, LogLevel.Information, "Task {TaskId} ({Type}) is no longer stuck: it was {Verdict} and is {State}. Execution {ExecutionId}, job {JobId}.")]
    private partial void LogNoLonger(long taskId, string type, string verdict, string state, long executionId, string jobId);

    [LoggerMessage(23, LogLevel.Information, "{Count} more tasks are no longer stuck.")]
    private partial void LogMoreNoLonger(int count);
}
