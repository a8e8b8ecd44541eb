using HarborScanExporter.Scraping;

namespace HarborScanExporter.Tests.Support;

/// <summary>Under which names Prometheus stores the series of a family.</summary>
internal static class SeriesNames
{
    /// <summary>Of every family of the program.</summary>
    public static IEnumerable<string> All => ScrapeFamilies.All.SelectMany(Of);

    public static IEnumerable<string> Of(Family family) =>
        family.Type == FamilyType.Histogram ? [$"{family.Name}_bucket", $"{family.Name}_count", $"{family.Name}_sum"] : [family.Name];
}
