namespace HarborScanExporter.Harbor;

/// <summary>A report that a task names.</summary>
/// <param name="Uuid">Its uuid.</param>
/// <param name="Digest">The artifact's digest; null when an SBOM report's artifact is gone.</param>
/// <param name="Stored">Whether a scanner's result is in it.</param>
internal sealed record ScanReport(string Uuid, string? Digest, bool Stored)
{
    /// <summary>The clock of the scanner's adapter may be this far behind that of core, in seconds.</summary>
    public const double ClockDifference = 5 * 60;

    /// <summary>When its result was made, in seconds since 1970; null when it does not say.</summary>
    public double? Generated { get; init; }

    /// <summary>
    /// Whether its result is that of a scan. Harbor makes an empty report for each scan; some Harbors keep the row and its uuid through a rescan, so that the
    /// result of the scan before stays readable (harbor-facts 0.2): a result that is older than the task is not its own.
    /// </summary>
    /// <param name="created">When the task was made, in seconds since 1970; null when its row holds no usable time.</param>
    /// <param name="sharing">Which other tasks name the same report.</param>
    public bool IsResultOf(double? created, ReportSharing sharing)
    {
        if (!Stored) return false;
        if (!sharing.IsShared) return Generated is null || created is null || Generated >= created - ClockDifference;
        // Of several scans it is that of the last one that was made before it.
        return Generated is { } generated && generated >= created && !(sharing.NextCreated <= generated);
    }

    /// <summary>Whether it depends on the other tasks that name the report whether its result is that of an open task's scan; while one is open, Harbor starts no later one.</summary>
    /// <param name="created">When the task was made, in seconds since 1970.</param>
    public bool MayBeOfAnother(double? created) => Stored && !(Generated >= created);
}

/// <summary>Which other tasks name the report of a task; more than none only on Harbors that keep a report through a rescan (harbor-facts 0.2).</summary>
/// <param name="IsShared">Whether another task names it.</param>
/// <param name="NextCreated">When the next task was made that names it, in seconds since 1970; null when there is none.</param>
/// <param name="NewestExecution">The newest execution of a later task that names it; null when there is none.</param>
internal readonly record struct ReportSharing(bool IsShared, double? NextCreated, long? NewestExecution)
{
    /// <summary>No other task names it.</summary>
    public static ReportSharing None { get; } = new(false, null, null);
}
