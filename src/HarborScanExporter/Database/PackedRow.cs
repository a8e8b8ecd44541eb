using System.Globalization;

namespace HarborScanExporter.Database;

/// <summary>
/// A row that a grouped query hands over as one text, its columns apart by the ASCII unit separator, which neither Harbor's words nor JSON
/// can hold. Rows of interest travel so beside the counts of the rest, in the same read of the table: as groups of their own they would
/// make the planner expect as many groups as rows, and sort the whole table on disk.
/// </summary>
internal readonly struct PackedRow(string text)
{
    /// <summary>The separator, as SQL.</summary>
    public const string Separator = "chr(31)";

    private readonly string[] _columns = text.Split('\u001f');

    /// <summary>A column of whole numbers; 0 when empty.</summary>
    public long Number(int column) => _columns[column].Length == 0 ? 0 : long.Parse(_columns[column], CultureInfo.InvariantCulture);

    /// <summary>A column of seconds since 1970; null when the row holds no usable time.</summary>
    public double? Time(int column) => _columns[column].Length == 0 ? null : Epoch.Usable(double.Parse(_columns[column], CultureInfo.InvariantCulture));

    /// <summary>A column of text; null when empty.</summary>
    public string? Text(int column) => _columns[column].Length == 0 ? null : _columns[column];
}
