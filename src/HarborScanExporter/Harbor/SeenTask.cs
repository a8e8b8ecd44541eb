namespace HarborScanExporter.Harbor;

/// <summary>A scan task as one read saw it, over or not. Times are seconds since 1970 as in <see cref="OpenTask"/>.</summary>
internal sealed record SeenTask
{
    public required long Id { get; init; }

    public required long ExecutionId { get; init; }

    /// <summary>One of <see cref="ScanType.All"/>.</summary>
    public required string Type { get; init; }

    /// <summary>Harbor's word, or <see cref="ScanStatus.Other"/>.</summary>
    public required string Status { get; init; }

    public required long Code { get; init; }

    public required long Revision { get; init; }

    public required long Runs { get; init; }

    public string JobId { get; init; } = "";

    public double? Created { get; init; }

    public double? Started { get; init; }

    public double? Updated { get; init; }

    public double? Ended { get; init; }

    public bool IsOpen => ScanStatus.IsOpen(Status);

    /// <summary>The row as the judges take it.</summary>
    /// <param name="executionStarted">Start of its execution.</param>
    public OpenTask ToOpen(double? executionStarted) => new()
    {
        Id = Id,
        ExecutionId = ExecutionId,
        Type = Type,
        Status = Status,
        StatusCode = Code,
        StatusRevision = Revision,
        RunCount = Runs,
        Created = Created,
        Started = Started,
        Updated = Updated,
        JobId = JobId,
        ExecutionStarted = executionStarted,
    };
}
