namespace HarborScanExporter.Harbor;

/// <summary>Times of Harbor's rows as seconds since 1970.</summary>
internal static class Epoch
{
    /// <summary>Harbor writes 0001-01-01 for an empty time; that, infinity and everything before 1970 is no time.</summary>
    public static double? Usable(double? seconds) => seconds is >= 0 and < double.PositiveInfinity ? seconds : null;
}
