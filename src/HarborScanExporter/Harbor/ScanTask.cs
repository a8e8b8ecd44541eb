namespace HarborScanExporter.Harbor;

/// <summary>
/// A scan task as a read saw it. Times are seconds since 1970 on Harbor's UTC columns; null where the row holds nothing usable
/// (NULL, 0001-01-01, infinity).
/// </summary>
internal sealed record ScanTask
{
    public required long Id { get; init; }

    public required long ExecutionId { get; init; }

    /// <summary>One of <see cref="ScanType.All"/>.</summary>
    public required string Type { get; init; }

    /// <summary>One of <see cref="ScanStatus.Labels"/>.</summary>
    public required string Status { get; init; }

    public required long StatusCode { get; init; }

    /// <summary>Unix seconds of the job service's run that core last heard of; 0 when it never heard of one. 64 bits since 2.15.3.</summary>
    public required long StatusRevision { get; init; }

    public required long RunCount { get; init; }

    /// <summary>The job service's id of the job; empty when core never wrote one.</summary>
    public string JobId { get; init; } = "";

    public double? Created { get; init; }

    /// <summary>Enqueue time, not the start of work.</summary>
    public double? Started { get; init; }

    /// <summary>Of a Running row: when core heard that work began.</summary>
    public double? Updated { get; init; }

    /// <summary>Null while it is open, and of one that an operator stopped with its queue.</summary>
    public double? Ended { get; init; }

    /// <summary>Start of the task's execution; asked for only where the task has no creation time.</summary>
    public double? ExecutionStarted { get; init; }

    public bool IsOpen => ScanStatus.IsOpen(Status);

    /// <summary>Whether its code is below that of a task that is over.</summary>
    public bool IsLowCode => StatusCode < ScanStatus.CodeOf(ScanStatus.Success);

    public bool IsRunning => Status == ScanStatus.Running;

    /// <summary>Whether the job service has confirmed that it knows the job.</summary>
    public bool IsAcknowledged => StatusRevision > 0;

    /// <summary>Seconds since the row was made or the job last confirmed, whichever is later; never below 0.</summary>
    public double WaitingAge(double now) => Age(now, Math.Max(Created ?? ExecutionStarted ?? now, StatusRevision > 0 ? StatusRevision : double.MinValue));

    /// <summary>Seconds since core heard that the work began; never below 0.</summary>
    public double RunningAge(double now) => Age(now, Updated ?? Started ?? Created ?? now);

    /// <summary>Seconds since the row was made; never below 0.</summary>
    public double RowAge(double now) => Age(now, Created ?? ExecutionStarted ?? now);

    /// <summary>The age that counts for the row's status.</summary>
    public double AgeAt(double now) => IsRunning ? RunningAge(now) : WaitingAge(now);

    private static double Age(double now, double since) => Math.Max(0, now - since);
}
