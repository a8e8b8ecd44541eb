namespace HarborScanExporter.Database.Queries;

/// <summary>The tasks of one type and status, those of the newest scan-all apart. Times are seconds since 1970, as the rows hold them.</summary>
internal sealed record TaskGroup
{
    public required string Type { get; init; }

    public required string Status { get; init; }

    public required bool OfNewestScanAll { get; init; }

    public long Tasks { get; init; }

    /// <summary>The newest end, none of the future.</summary>
    public double? Ended { get; init; }

    /// <summary>The newest creation, update or end, or confirmed revision; of the newest scan-all only.</summary>
    public double? NewestChange { get; init; }

    /// <summary>One entry for each task whose status is not open and whose code is below 3.</summary>
    public IReadOnlyList<long> LowCodeExecutions { get; init; } = [];
}
