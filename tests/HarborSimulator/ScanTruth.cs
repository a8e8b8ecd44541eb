namespace HarborSimulator;

/// <summary>What has really become of the job behind an open scan task.</summary>
public enum ScanFate
{
    /// <summary>A live worker scans it and will end.</summary>
    Running,

    /// <summary>A live worker holds it and its scanner never answers.</summary>
    Hung,

    /// <summary>It waits in the queue.</summary>
    Queued,

    /// <summary>It waits in a queue that somebody paused.</summary>
    Paused,

    /// <summary>It ran on a pool that died and is, or will be, in the queue again.</summary>
    Requeued,

    /// <summary>The job service has its record, but no list and no worker holds it.</summary>
    NotQueued,

    /// <summary>The work is over; the row was never told.</summary>
    Unreported,

    /// <summary>Nothing knows the job any more and its work was not done.</summary>
    Lost,
}

/// <summary>
/// What the simulation knows about an open scan task and no observer can see at once. It holds as long as nobody intervenes, and
/// takes for granted that a paused queue is not resumed but that core and job service, when down, come back.
/// </summary>
/// <param name="TaskId">task.id</param>
/// <param name="Type">task.vendor_type</param>
/// <param name="Status">task.status as the row says now.</param>
/// <param name="Fate">What has become of the job.</param>
/// <param name="WillEndByItself">Whether Harbor will ever write a final status into the row.</param>
/// <param name="HealsAt">Simulated UTC at which it will at the latest, where that is known.</param>
/// <param name="Why">The reason, for a failure message.</param>
public sealed record ScanTruth(long TaskId, string Type, string Status, ScanFate Fate, bool WillEndByItself, DateTime? HealsAt, string Why)
{
    /// <summary>Simulated UTC at which the worker that holds it began; null when none does.</summary>
    public DateTime? RunsSince { get; init; }

    /// <summary>It runs or waits, and will end: calling it stuck is wrong.</summary>
    public bool IsAlive => WillEndByItself && Fate is (ScanFate.Running or ScanFate.Queued or ScanFate.Paused or ScanFate.Requeued);

    /// <summary>Whether a scan of its digest has stored a result, since the task was created, in the report that the task names.</summary>
    public bool IsStored { get; init; }
}
