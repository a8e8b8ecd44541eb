using Spectre.Console;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>The checks as a page of text, a line each, with the mend below.</summary>
internal static class DoctorTable
{
    /// <summary>Writes the page.</summary>
    public static void Write(IAnsiConsole page, IReadOnlyList<CheckupLine> lines)
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        foreach (var line in lines)
        {
            grid.AddRow(PageText.Of(WordOf(line.Result), StyleOf(line.Result)), PageText.Of(line.Name), PageText.Of(line.Reason));
            if (line.Mend is { } mend) grid.AddRow(PageText.Of(""), PageText.Of(""), PageText.Of($"-> {mend}"));
        }
        page.Write(grid);
        page.WriteLine();
        var counts = lines.GroupBy(line => line.Result).OrderBy(group => group.Key).Select(group => $"{group.Count()} {WordOf(group.Key)}");
        page.Write(PageText.Line(string.Join(", ", counts), StyleOf(DoctorDocument.WorstOf(lines))));
    }

    private static string WordOf(CheckupResult result) => result switch
    {
        CheckupResult.Ok => "ok",
        CheckupResult.Warning => "warning",
        CheckupResult.Failed => "failed",
        _ => "skipped",
    };

    private static Style StyleOf(CheckupResult result) => result switch
    {
        CheckupResult.Ok => new Style(Color.Green),
        CheckupResult.Warning => new Style(Color.Yellow, decoration: Decoration.Bold),
        CheckupResult.Failed => new Style(Color.Red, decoration: Decoration.Bold),
        _ => new Style(Color.Grey),
    };
}
