namespace HarborScanExporter.Harbor;

/// <summary>
/// What the job service's record of a job (the hash <c>job_stats</c>) says of its state (harbor-facts 8.2). Its parameters hold a robot's
/// secret and are never read.
/// </summary>
/// <param name="Status">Harbor's word; null in debris that came back after its expiry.</param>
/// <param name="Revision">Unix seconds of the run.</param>
/// <param name="Updated">Unix seconds of the newest change of status; null when the field is missing.</param>
/// <param name="Acknowledged">The revision and code of the last hook that core took at its first sending; null when there is none.</param>
internal sealed record JobRecord(string? Status, long Revision, double? Updated, (long Revision, int Code)? Acknowledged)
{
    /// <summary>Whether the work is over for the job service.</summary>
    public bool IsFinal => ScanStatus.IsFinal(Status);

    /// <summary>Whether core has taken a hook of this status; the reaper sends again what it has not (harbor-facts 8.5).</summary>
    public bool IsAcknowledged => Acknowledged is { } taken && taken.CompareTo((Revision, ScanStatus.CodeOf(Status))) >= 0;
}
