using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Findings;

/// <summary>
/// What Harbor would answer now to the request for a manual scan-all: 409 while the newest SCAN_ALL of trigger MANUAL is Running, whether it is
/// alive, blocked, or over and not refreshed yet (harbor-facts 5.3).
/// </summary>
/// <param name="By">The execution for whose sake it would be refused; null when it would not.</param>
/// <param name="IsBlocked">Whether that execution is not alive, so that something is wrong.</param>
/// <param name="Reason">Why it would be refused; null when it would not.</param>
internal sealed record ManualScanAll(ScanExecution? By, bool IsBlocked, string? Reason)
{
    public bool IsRefused => By is not null;

    /// <summary>The answer in words: <c>allowed</c>, or <c>refused: </c> and why.</summary>
    public string Text => Reason is null ? "allowed" : $"refused: {Reason}";

    /// <summary>The answer after a diagnosis.</summary>
    public static ManualScanAll Of(Diagnosed diagnosed)
    {
        if (diagnosed.NewestManualScanAll is not { IsRunning: true } newest) return new ManualScanAll(null, false, null);
        var since = newest.Started is { } started ? $" since {Words.Time(started)}" : "";
        var hasOpenTasks = diagnosed.Tasks.Any(task => task.Task.ExecutionId == newest.Id);
        if (diagnosed.BlockingScanAll?.Id == newest.Id)
        {
            var why = hasOpenTasks ? "has only stuck tasks open"
                : diagnosed.Executions.Any(found => found.Execution.Id == newest.Id && found.Kind == Inconsistency.ExecutionWithoutTasks) ? "has no task"
                : "is over but not refreshed";
            return new ManualScanAll(newest, true, $"blocked{since}; execution {newest.Id} {why}");
        }
        return new ManualScanAll(newest, false, hasOpenTasks ? $"execution {newest.Id} is running{since}"
            : newest.Summary is null ? $"execution {newest.Id}, Running{since}, has no open task: it still looks for artifacts, or is over but not refreshed yet"
            : $"execution {newest.Id}, Running{since}, is over but not refreshed yet");
    }
}
