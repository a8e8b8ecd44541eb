using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

/// <summary>One fenced block of a runbook and the heading it stands under.</summary>
internal sealed record RunbookBlock(string Runbook, string Heading, string Language, string Text);

/// <summary>The runbooks of alerts/runbooks.</summary>
internal static partial class Runbooks
{
    public static string Folder { get; } = Repository.PathOf("alerts", "runbooks");

    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.GetFiles(Folder, "*.md").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    public static string Read(string name) => File.ReadAllText(Path.Combine(Folder, name + ".md"));

    /// <summary>The text under each second-level heading, in order.</summary>
    public static IReadOnlyList<(string Heading, string Text)> Sections(string name) =>
        [.. Heading().Split(Read(name)).Skip(1).Chunk(2).Select(pair => (pair[0], pair[1]))];

    public static IReadOnlyList<RunbookBlock> Blocks(string language) => [.. Names.SelectMany(name =>
        Sections(name).SelectMany(section => Fence().Matches(section.Text)
            .Where(match => match.Groups[1].Value == language)
            .Select(match => new RunbookBlock(name, section.Heading, language, match.Groups[2].Value))))];

    [GeneratedRegex("^## (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^```([a-z]+)\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
