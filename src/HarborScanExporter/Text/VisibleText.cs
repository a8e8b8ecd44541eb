using System.Globalization;
using System.Text;

namespace HarborScanExporter.Text;

/// <summary>
/// Text as it may be shown, wherever it came from: what would move a terminal's cursor, begin a line, hide itself, or turn the direction of what
/// follows stands there as an escape that can be read, for example <c>\u001B</c>.
/// </summary>
internal static class VisibleText
{
    /// <summary>Text on one line.</summary>
    public static string Of(string text) => Shown(text, keepsLines: false);

    /// <summary>Text that may have several lines; only for places where a line proves nothing.</summary>
    public static string Lines(string text) => Shown(text, keepsLines: true);

    private static string Shown(string text, bool keepsLines)
    {
        StringBuilder? shown = null;
        var at = 0;
        while (at < text.Length)
        {
            var isWhole = Rune.TryGetRuneAt(text, at, out var rune);
            var length = isWhole ? rune.Utf16SequenceLength : 1;
            if ((isWhole && IsPlain(rune)) || (keepsLines && text[at] == '\n'))
            {
                shown?.Append(text, at, length);
            }
            else
            {
                shown ??= new StringBuilder(text.Length + 16).Append(text, 0, at);
                shown.Append(length == 1 ? $"\\u{(int)text[at]:X4}" : $"\\U{rune.Value:X8}");
            }
            at += length;
        }
        return shown?.ToString() ?? text;
    }

    private static bool IsPlain(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
