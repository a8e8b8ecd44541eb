namespace HarborScanExporter.Harbor;

/// <summary>Harbor's rule for the status of an execution (harbor-facts 4.4).</summary>
internal static class ExecutionStatus
{
    /// <summary>Any open task makes it Running; else any Error, then any Stopped, then Success. Null when no task has a word of Harbor's.</summary>
    /// <param name="statuses">The status words of all its tasks.</param>
    public static string? Of(IEnumerable<string> statuses)
    {
        var words = statuses.ToHashSet(StringComparer.Ordinal);
        return words.Any(ScanStatus.IsOpen) ? ScanStatus.Running
            : words.Contains(ScanStatus.Error) ? ScanStatus.Error
            : words.Contains(ScanStatus.Stopped) ? ScanStatus.Stopped
            : words.Contains(ScanStatus.Success) ? ScanStatus.Success
            : null;
    }
}
