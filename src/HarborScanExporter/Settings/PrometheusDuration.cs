using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace HarborScanExporter.Settings;

/// <summary>Durations as Prometheus writes them: <c>90s</c>, <c>2h10m</c>, <c>7d</c>, <c>500ms</c>.</summary>
internal static partial class PrometheusDuration
{
    private static readonly (string Unit, long Milliseconds)[] Units =
    [
        ("y", 365L * 24 * 3600 * 1000),
        ("w", 7L * 24 * 3600 * 1000),
        ("d", 24L * 3600 * 1000),
        ("h", 3600L * 1000),
        ("m", 60L * 1000),
        ("s", 1000L),
        ("ms", 1L),
    ];

    /// <summary>Reads a duration; units stand in falling order, each at most once, as in Prometheus.</summary>
    /// <returns>False when the text is no such duration, or longer than a hundred years.</returns>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var match = Shape().Match(text);
        if (!match.Success || text.Length == 0) return false;
        if (text == "0") return true;
        decimal milliseconds = 0;
        foreach (var (unit, factor) in Units)
        {
            var digits = match.Groups[unit];
            if (digits.Success) milliseconds += decimal.Parse(digits.Value, CultureInfo.InvariantCulture) * factor;
        }
        if (milliseconds > 100L * 365 * 24 * 3600 * 1000) return false;
        duration = TimeSpan.FromMilliseconds((long)milliseconds);
        return true;
    }

    /// <summary>Writes a duration in the same form.</summary>
    public static string Format(TimeSpan duration)
    {
        var rest = (long)duration.TotalMilliseconds;
        if (rest == 0) return "0s";
        var text = new StringBuilder();
        foreach (var (unit, factor) in Units)
        {
            // Weeks and years read worse than days to somebody who compares them with hours.
            if (unit is "y" or "w" || rest < factor) continue;
            text.Append(CultureInfo.InvariantCulture, $"{rest / factor}{unit}");
            rest %= factor;
        }
        return text.ToString();
    }

    [GeneratedRegex(@"\A(0|((?<y>[0-9]{1,12})y)?((?<w>[0-9]{1,12})w)?((?<d>[0-9]{1,12})d)?((?<h>[0-9]{1,12})h)?((?<m>[0-9]{1,12})m)?((?<s>[0-9]{1,12})s)?((?<ms>[0-9]{1,12})ms)?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Shape();
}
