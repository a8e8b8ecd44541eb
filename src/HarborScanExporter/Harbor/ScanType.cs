namespace HarborScanExporter.Harbor;

/// <summary>The vendor types of rows that are scans, as Harbor stores them in every version from 2.2 on.</summary>
internal static class ScanType
{
    public const string ImageScan = "IMAGE_SCAN";
    public const string ScanAll = "SCAN_ALL";

    /// <summary>Since 2.11.</summary>
    public const string Sbom = "SBOM";

    /// <summary>All of them, in the order of the exposition.</summary>
    public static IReadOnlyList<string> All { get; } = [ImageScan, ScanAll, Sbom];
}
