namespace HarborScanExporter.Database;

/// <summary>The tasks of one type and status, those of the newest scan-all apart. Times are seconds since 1970, as the row holds them.</summary>
internal sealed record TaskGroup
{
    public string Type { get; init; } = "";

    public string Status { get; init; } = "";

    public bool OfNewestScanAll { get; init; }

    public long Tasks { get; init; }

    /// <summary>The newest end, none of the future.</summary>
    public double? Ended { get; init; }

    /// <summary>When core accepted status hooks for them: the mask of <see cref="Diagnosis.HookActivity"/>; null when it did not lately.</summary>
    public long? Hooks { get; init; }

    /// <summary>Of the newest scan-all only, like the three below.</summary>
    public double? NewestRevision { get; init; }

    public double? NewestCreation { get; init; }

    public double? NewestUpdate { get; init; }

    public double? NewestEnd { get; init; }

    /// <summary>One entry for each task whose status is not open and whose code is below 3.</summary>
    public long[]? LowCodeExecutions { get; init; }

    /// <summary>One <see cref="PackedRow"/> for each open task.</summary>
    public string[]? Open { get; init; }
}
