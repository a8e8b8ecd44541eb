using System.Globalization;
using HarborScanExporter.Text;
using Spectre.Console;

namespace HarborScanExporter.Cli;

/// <summary>What a command writes to: its result to one stream, all that is said beside it to the other.</summary>
internal sealed record Terminal
{
    /// <summary>Columns of an output that is no terminal and says nothing of its width.</summary>
    private const int DefaultWidth = 100;

    private const int LeastWidth = 40;

    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Columns of the output.</summary>
    public required int Width { get; init; }

    /// <summary>Whether the output may be coloured.</summary>
    public bool HasColour { get; init; }

    /// <summary>Whether a person sees the error stream, so that progress may be drawn over.</summary>
    public bool IsErrorSeen { get; init; }

    /// <summary>The streams of this process; NO_COLOR and COLUMNS are obeyed.</summary>
    public static Terminal OfProcess(TextWriter output, TextWriter error)
    {
        var dumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        return new Terminal
        {
            Output = output,
            Error = error,
            Width = Math.Max(LeastWidth, Columns()),
            HasColour = !Console.IsOutputRedirected && !dumb && Environment.GetEnvironmentVariable("NO_COLOR") is null or "",
            IsErrorSeen = !Console.IsErrorRedirected && !dumb,
        };
    }

    /// <summary>Says a sentence on the error stream.</summary>
    public Task TellAsync(string sentence) => Error.WriteLineAsync(VisibleText.Of(sentence));

    /// <summary>Writes a page of text to the output.</summary>
    /// <param name="write">Writes it, of <see cref="PageText"/>; the page has the output's width and colours.</param>
    public void WritePage(Action<IAnsiConsole> write)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var page = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = HasColour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = HasColour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        page.Profile.Width = Width;
        write(page);
        // The library fills each column with blanks; in a file or a mail they are noise.
        foreach (var line in text.ToString().TrimEnd('\n').Split('\n')) Output.WriteLine(HasColour ? line : line.TrimEnd());
    }

    private static int Columns()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out var told) && told > 0) return told;
        if (Console.IsOutputRedirected) return DefaultWidth;
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : DefaultWidth;
        }
        catch (IOException)
        {
            return DefaultWidth;
        }
    }
}
