using System.Globalization;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>
/// A row that a grouped query hands over as one text, its columns apart by the ASCII unit separator, which neither Harbor's words nor JSON
/// can hold. Rows of interest travel so beside the counts of the rest, in the same read of the table: as groups of their own they would
/// make the planner expect as many groups as rows, and sort the whole table on disk.
/// </summary>
internal readonly struct PackedRow(string text)
{
    /// <summary>The separator, as SQL.</summary>
    public const string Separator = "chr(31)";

    private const char Boundary = '\u001f';

    /// <summary>A column of whole numbers; 0 when empty.</summary>
    public long Number(int column) => Column(column) is { Length: > 0 } digits ? long.Parse(digits, CultureInfo.InvariantCulture) : 0;

    /// <summary>A column of seconds since 1970; null when the row holds no usable time.</summary>
    public double? Time(int column) => Column(column) is { Length: > 0 } digits ? Epoch.Usable(double.Parse(digits, CultureInfo.InvariantCulture)) : null;

    /// <summary>A column of text; null when empty.</summary>
    public string? Text(int column) => Column(column) is { Length: > 0 } its ? its.ToString() : null;

    /// <summary>Found anew each time: after an outage there are tens of thousands of rows, and strings of their numbers would be garbage at once.</summary>
    private ReadOnlySpan<char> Column(int column)
    {
        var rest = text.AsSpan();
        for (; column > 0; column--) rest = rest[rest.IndexOf(Boundary)..][1..];
        var end = rest.IndexOf(Boundary);
        return end < 0 ? rest : rest[..end];
    }
}
