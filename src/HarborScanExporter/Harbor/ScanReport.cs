namespace HarborScanExporter.Harbor;

/// <summary>A report that a task names.</summary>
/// <param name="Uuid">Its uuid.</param>
/// <param name="Digest">The artifact's digest; null when an SBOM report's artifact is gone.</param>
/// <param name="Stored">Whether the scanner's result is in it.</param>
internal sealed record ScanReport(string Uuid, string? Digest, bool Stored)
{
    /// <summary>When the scanner made it, by the clock of its adapter, in seconds since 1970; null when the report does not say.</summary>
    public double? Generated { get; init; }
}
