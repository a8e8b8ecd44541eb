using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>What the database as a whole says, for judging its open tasks on rows alone.</summary>
internal sealed record RowEvidence
{
    /// <summary>The database's clock at the snapshot, in seconds since 1970.</summary>
    public required double Now { get; init; }

    /// <summary>Open scan tasks of all types.</summary>
    public required int OpenTasks { get; init; }

    /// <summary>Whether some waiting task is confirmed by the job service: a Running row may then have been requeued behind it.</summary>
    public required bool AcknowledgedBacklog { get; init; }

    /// <summary>When core last accepted status hooks without a break, for tasks of any vendor type; null when it did not lately.</summary>
    public HookActivity? Hooks { get; init; }

    /// <summary>Whether the scan queue is paused; false also where this Harbor cannot say.</summary>
    public bool QueuePaused { get; init; }

    /// <summary>Whether Harbor is read-only, which makes core refuse every hook; false also where nothing says so.</summary>
    public bool ReadOnly { get; init; }
}
