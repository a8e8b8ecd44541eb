namespace HarborScanExporter.Tests.JobService;

/// <summary>What one place tells of a situation, in words that all places share: those of design 3.2, each with its type and its number.</summary>
internal sealed record Told
{
    /// <summary>Such as <c>IMAGE_SCAN lost 1</c>.</summary>
    public IReadOnlyList<string> Stuck { get; init; } = [];

    /// <summary>Such as <c>IMAGE_SCAN queued 12</c>.</summary>
    public IReadOnlyList<string> Live { get; init; } = [];

    /// <summary>Such as <c>SCAN_ALL execution_not_refreshed 1</c>.</summary>
    public IReadOnlyList<string> Inconsistencies { get; init; } = [];

    /// <summary>The words of findings on the whole system, without scan_all_blocked and those that have no metric.</summary>
    public IReadOnlyList<string> System { get; init; } = [];

    public bool ScanAllBlocked { get; init; }

    /// <summary>Digests that Harbor refuses to scan again.</summary>
    public int BlockedArtifacts { get; init; }

    /// <summary>One line for each part, to be compared whole.</summary>
    public override string ToString() => string.Join('\n',
        $"stuck: {Line(Stuck)}", $"live: {Line(Live)}", $"inconsistencies: {Line(Inconsistencies)}", $"system: {Line(System)}",
        $"scan-all blocked: {ScanAllBlocked}", $"blocked artifacts: {BlockedArtifacts}");

    private static string Line(IEnumerable<string> words) => string.Join(", ", words.Order(StringComparer.Ordinal));
}
