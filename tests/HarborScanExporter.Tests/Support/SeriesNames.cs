using HarborScanExporter.Metrics;

namespace HarborScanExporter.Tests.Support;

/// <summary>Under which names Prometheus stores the series of a family.</summary>
internal static class SeriesNames
{
    /// <summary>Of every family of the program.</summary>
    public static IEnumerable<string> All => ScrapeFamilies.All.SelectMany(Of);

    /// <summary>The name of the family that has such a series; a name of no family of the program stays as it is.</summary>
    public static string Family(string series) => ScrapeFamilies.All.FirstOrDefault(family => Of(family).Contains(series))?.Name ?? series;

    /// <summary>Whether it only rises: a counter, or a part of a histogram.</summary>
    public static bool Rises(string series) =>
        series.EndsWith("_total", StringComparison.Ordinal) || ScrapeFamilies.All.Any(family => family.Type == FamilyType.Histogram && Of(family).Contains(series));

    public static IEnumerable<string> Of(Family family) =>
        family.Type == FamilyType.Histogram ? [$"{family.Name}_bucket", $"{family.Name}_count", $"{family.Name}_sum"] : [family.Name];
}
