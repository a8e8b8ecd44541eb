using HarborScanExporter.Text;
using Spectre.Console;

namespace HarborScanExporter.Cli;

/// <summary>Makes every text of a page for a terminal, so that no row of Harbor can be more than text there.</summary>
internal static class PageText
{
    /// <summary>A text within a line.</summary>
    public static Spectre.Console.Text Of(string text, Style? style = null) => new(VisibleText.Of(text), style);

    /// <summary>A text that ends its line.</summary>
    public static Spectre.Console.Text Line(string text, Style? style = null) => new(VisibleText.Of(text) + "\n", style);

    /// <summary>Texts below each other.</summary>
    public static Spectre.Console.Text Below(IEnumerable<string> texts) => new(string.Join('\n', texts.Select(VisibleText.Of)));
}
