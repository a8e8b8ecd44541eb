using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>Measured figures beside the limits they have to hold.</summary>
internal sealed class Figures
{
    private readonly List<(string What, string Measured, string Limit, bool Holds)> _rows = [];

    /// <summary>What is beyond its limit.</summary>
    public IReadOnlyList<string> Missed => [.. _rows.Where(row => !row.Holds).Select(row => $"{row.What}: {row.Measured} ({row.Limit})")];

    public void Add(string what, object measured, string limit, bool holds) => _rows.Add((what, $"{measured}", limit, holds));

    public string ToMarkdown()
    {
        var text = new StringBuilder("""
            | Figure | Measured | Limit |
            |---|---|---|

            """);
        foreach (var (what, measured, limit, holds) in _rows)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {what} | {measured} | {limit}{(holds ? "" : " **missed**")} |");
        return text.ToString();
    }
}
