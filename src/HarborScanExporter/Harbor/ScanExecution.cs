namespace HarborScanExporter.Harbor;

/// <summary>
/// An execution of interest: Running, a scan-all, a sweep, or final over an open task. Times are seconds since 1970 as in <see cref="ScanTask"/>.
/// </summary>
internal sealed record ScanExecution
{
    public required long Id { get; init; }

    public required string Type { get; init; }

    /// <summary>Harbor's word, or null.</summary>
    public string? Status { get; init; }

    /// <summary>MANUAL, SCHEDULE or EVENT.</summary>
    public string? Trigger { get; init; }

    public double? Started { get; init; }

    public double? Ended { get; init; }

    public double? Updated { get; init; }

    /// <summary>The counts that a scan-all leaves when its enumeration is over; null before, and for other types.</summary>
    public ScanAllSummary? Summary { get; init; }

    public bool IsRunning => Status == ScanStatus.Running;

    public bool IsFinal => ScanStatus.IsFinal(Status);

    /// <summary>A scan-all without its summary may still be making tasks, or its core died meanwhile.</summary>
    public bool MayBeEnumerating => Type == ScanType.ScanAll && Summary is null;
}

/// <summary>What one execution's tasks say together.</summary>
/// <param name="Tasks">All of them, open or not.</param>
/// <param name="NewestChange">The newest of their creation, update and end times and confirmed revisions; seconds since 1970.</param>
internal sealed record ExecutionTasks(long Tasks, double? NewestChange);
