using System.Globalization;
using System.Text.RegularExpressions;

namespace HarborSimulator.Cli;

/// <summary>Durations as Prometheus writes them.</summary>
internal static partial class Period
{
    /// <summary>90s, 10m, 2h10m, 7d.</summary>
    /// <exception cref="FormatException">The text is no such duration.</exception>
    public static TimeSpan Parse(string text)
    {
        var match = Shape().Match(text);
        if (!match.Success || text.Length == 0) throw new FormatException($"{text} is no duration: write 90s, 10m, 2h10m or 7d.");
        int Part(string name) => match.Groups[name].Success ? int.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture) : 0;
        return new TimeSpan(Part("d"), Part("h"), Part("m"), Part("s"));
    }

    [GeneratedRegex(@"^((?<d>\d+)d)?((?<h>\d+)h)?((?<m>\d+)m)?((?<s>\d+)s)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
