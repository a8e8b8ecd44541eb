using System.Globalization;
using System.Text.RegularExpressions;

namespace HarborScanExporter.Tests.Support;

/// <summary>A text exposition, read back.</summary>
internal sealed partial class MetricsDocument
{
    private readonly Dictionary<string, double> _values = new(StringComparer.Ordinal);

    public MetricsDocument(string text)
    {
        Text = text;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal)) Families.Add(line.Split(' ')[2]);
            if (line.Length == 0 || line[0] == '#') continue;
            var match = SampleLine().Match(line);
            Assert.True(match.Success, $"No sample: {line}");
            _values.Add(
                Key(match.Groups["name"].Value, Label().Matches(match.Groups["labels"].Value).Select(label => (label.Groups["name"].Value, label.Groups["value"].Value))),
                double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture));
        }
    }

    public string Text { get; }

    public HashSet<string> Families { get; } = new(StringComparer.Ordinal);

    /// <summary>All series, as name and sorted labels.</summary>
    public IReadOnlyDictionary<string, double> Series => _values;

    /// <summary>The value of one series; a failure when it is not there.</summary>
    public double Value(string name, params (string Name, string Value)[] labels)
    {
        Assert.True(_values.TryGetValue(Key(name, labels), out var value), $"No series {Key(name, labels)} in{Environment.NewLine}{Text}");
        return value;
    }

    /// <summary>The sum of all series of a family that carry these labels.</summary>
    public double Sum(string name, params (string Name, string Value)[] labels)
    {
        Assert.Contains(name, Families);
        return _values.Where(series => series.Key.StartsWith(name + "{", StringComparison.Ordinal)
                && labels.All(label => series.Key.Contains($"{label.Name}=\"{label.Value}\"", StringComparison.Ordinal)))
            .Sum(series => series.Value);
    }

    /// <summary>The series of a family that are not 0, without the family's name.</summary>
    public string[] NonZero(string name) =>
    [
        .. _values.Where(series => series.Value != 0 && series.Key.Split('{')[0] == name)
            .Select(series => $"{series.Key[name.Length..]} {series.Value.ToString(CultureInfo.InvariantCulture)}")
            .Order(StringComparer.Ordinal),
    ];

    private static string Key(string name, IEnumerable<(string Name, string Value)> labels)
    {
        var sorted = labels.OrderBy(label => label.Name, StringComparer.Ordinal).Select(label => $"{label.Name}=\"{label.Value}\"").ToArray();
        return sorted.Length == 0 ? name : $"{name}{{{string.Join(',', sorted)}}}";
    }

    [GeneratedRegex("""\A(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>.*)\})? (?<value>\S+)\z""", RegexOptions.ExplicitCapture)]
    private static partial Regex SampleLine();

    [GeneratedRegex("""(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>(\\.|[^"\\])*)" """, RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Label();
}
