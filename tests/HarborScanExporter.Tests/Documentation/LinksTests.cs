using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Documentation;

/// <summary>Where documents point to.</summary>
public sealed partial class LinksTests
{
    [Fact]
    public void Relative_links_lead_to_files_and_headings_that_exist()
    {
        Assert.True(MarkdownDocument.Readme.Links.Count > 20);
        Assert.All(MarkdownDocument.All, document => Assert.All(document.Links.Where(link => !link.StartsWith("https://", StringComparison.Ordinal)), link =>
        {
            var parts = link.Split('#', 2);
            var path = Path.GetFullPath(Path.Combine(document.Folder, parts[0]));
            Assert.True(parts[0].Length == 0 || File.Exists(path) || Directory.Exists(path), $"{document.Path}: {link}");
            if (parts.Length == 1) return;
            var target = parts[0].Length == 0 ? document : MarkdownDocument.All.Single(known => Repository.PathOf(known.Path.Split('/')) == path);
            Assert.True(target.Anchors.Contains(parts[1]), $"{document.Path}: {link}");
        }));
    }

    [Fact]
    public void Paths_of_the_repository_exist() => Assert.All(MarkdownDocument.All, document => Assert.All(
        InRepository().Matches(document.Text).Select(match => match.Value.TrimEnd('.')),
        path => Assert.True(File.Exists(Repository.PathOf(path.Split('/'))) || Directory.Exists(Repository.PathOf(path.Split('/'))), $"{document.Path}: {path}")));

    [Theory]
    [InlineData("scripts/demo.sh")]
    [InlineData("scripts/test.sh")]
    [UnsupportedOSPlatform("windows")]
    public void The_two_commands_stand_alone_in_the_readme_and_can_be_run(string script)
    {
        Assert.Contains($"{script}\n", MarkdownDocument.Readme.Blocks("sh"));
        Assert.True(File.GetUnixFileMode(Repository.PathOf(script.Split('/'))).HasFlag(UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute));
    }

    [Fact]
    public void Every_document_below_docs_is_reached_from_the_readme() => Assert.Empty(
        Directory.GetFiles(Repository.PathOf("docs"), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Repository.Root, file))
            .Except(MarkdownDocument.Readme.Links));

    // Not what a link's relative path or a container's absolute one begins with.
    [GeneratedRegex(@"(?<![\w./-])(alerts|dashboards|deploy|docs|scripts|src|tests)/[\w./-]*\w", RegexOptions.ExplicitCapture)]
    private static partial Regex InRepository();
}
