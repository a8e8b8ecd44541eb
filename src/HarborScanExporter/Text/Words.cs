using System.Globalization;

namespace HarborScanExporter.Text;

/// <summary>Numbers and times as people read them.</summary>
internal static class Words
{
    /// <summary>Two units at most: <c>3 d 4 h</c>, <c>12 min</c>.</summary>
    public static string Duration(double seconds)
    {
        var rest = TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 1e9));
        return rest switch
        {
            { TotalDays: >= 1 } => rest.Hours == 0 ? $"{rest.Days} d" : $"{rest.Days} d {rest.Hours} h",
            { TotalHours: >= 1 } => rest.Minutes == 0 ? $"{rest.Hours} h" : $"{rest.Hours} h {rest.Minutes} min",
            { TotalMinutes: >= 1 } => $"{rest.Minutes} min",
            _ => $"{rest.Seconds} s",
        };
    }

    /// <summary>UTC to the minute: <c>2026-09-21 12:00 UTC</c>.</summary>
    public static string Time(double epoch) =>
        DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(epoch, 0, 253_402_300_799)).ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>UTC to the second: <c>2026-09-21 12:00:05 UTC</c>.</summary>
    public static string TimeToSecond(double epoch) =>
        DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(epoch, 0, 253_402_300_799)).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>With thousands apart: <c>36,000</c>.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 scan</c>, <c>2 scans</c>.</summary>
    public static string Count(long number, string one, string? many = null) => $"{Number(number)} {(number == 1 ? one : many ?? one + "s")}";
}
