using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Documentation;

/// <summary>A table of a document; cells are without surrounding blanks.</summary>
internal sealed record MarkdownTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>A document of the repository: its tables, links, headings and fenced blocks.</summary>
internal sealed partial class MarkdownDocument
{
    private MarkdownDocument(string path)
    {
        Path = path;
        Text = Repository.Read(path.Split('/'));
    }

    public static MarkdownDocument Readme { get; } = new("README.md");

    public static MarkdownDocument Settings { get; } = new("docs/settings.md");

    public static MarkdownDocument Metrics { get; } = new("docs/metrics.md");

    /// <summary>Everything an operator or a contributor reads, without the runbooks.</summary>
    public static IReadOnlyList<MarkdownDocument> All { get; } = [Readme, Settings, Metrics, new("CHANGELOG.md"), new("CONTRIBUTING.md")];

    /// <summary>The path below the root.</summary>
    public string Path { get; }

    public string Text { get; }

    /// <summary>The text with every run of blanks and line breaks as one blank: where a line breaks says nothing.</summary>
    public string Prose => Blanks().Replace(Text, " ");

    /// <summary>The folder that relative links start from.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Repository.PathOf(Path.Split('/')))!;

    public IReadOnlyList<MarkdownTable> Tables =>
    [
        .. Table().Matches(WithoutFences).Select(match => match.Value.TrimEnd('\n').Split('\n').Select(Cells).ToArray())
            .Select(lines => new MarkdownTable(lines[0], [.. lines[2..]])),
    ];

    /// <summary>The targets of all links.</summary>
    public IReadOnlyList<string> Links => [.. Link().Matches(WithoutFences).Select(match => match.Groups["target"].Value)];

    /// <summary>What a link to a heading of this document may name.</summary>
    public IReadOnlySet<string> Anchors => Heading().Matches(WithoutFences)
        .Select(match => NoWord().Replace(match.Groups["text"].Value.ToLowerInvariant(), "").Replace(' ', '-')).ToHashSet(StringComparer.Ordinal);

    private string WithoutFences => Fence().Replace(Text, "");

    /// <summary>The contents of the fenced blocks of one language.</summary>
    public IReadOnlyList<string> Blocks(string language) =>
        [.. Fence().Matches(Text).Where(match => match.Groups["language"].Value == language).Select(match => match.Groups["text"].Value)];

    /// <summary>The one table with these headings.</summary>
    public MarkdownTable TableOf(params string[] header) => Assert.Single(Tables, table => table.Header.SequenceEqual(header));

    /// <summary>The text of a cell that is written as code; null for the sign of nothing.</summary>
    public static string? Code(string cell) => cell == "-" ? null : cell.Trim('`');

    private static string[] Cells(string line) => [.. line.Trim().Trim('|').Split(" | ").Select(cell => cell.Trim())];

    [GeneratedRegex(@"(?:^\|.*\|\n)+", RegexOptions.Multiline)]
    private static partial Regex Table();

    [GeneratedRegex(@"\]\((?<target>[^)]+)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    [GeneratedRegex(@"[^\w -]")]
    private static partial Regex NoWord();

    [GeneratedRegex(@"^```(?<language>[a-z]*)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Fence();
}
