namespace HarborScanExporter.Harbor;

/// <summary>A report that a task names.</summary>
/// <param name="Uuid">Its uuid.</param>
/// <param name="Digest">The artifact's digest; null when an SBOM report's artifact is gone.</param>
/// <param name="Stored">Whether the scanner's result is in it.</param>
internal sealed record ScanReport(string Uuid, string? Digest, bool Stored);
