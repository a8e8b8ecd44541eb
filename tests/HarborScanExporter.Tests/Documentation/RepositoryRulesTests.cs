using System.Text.RegularExpressions;
using System.Xml.Linq;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Documentation;

/// <summary>What holds for the repository as a whole.</summary>
public sealed class RepositoryRulesTests
{
    /// <summary>What builds and tools leave behind.</summary>
    private static readonly string[] Generated = [".git", "bin", "obj", "artifacts", "TestResults", "node_modules", ".vs", ".idea"];

    [Fact]
    public void Only_advisories_and_two_warnings_of_an_unused_path_are_exempt_from_being_errors()
    {
        var found = Projects().SelectMany(file => XDocument.Load(file).Descendants("WarningsNotAsErrors")
            .SelectMany(element => element.Value.Split(';').Where(word => word != "$(WarningsNotAsErrors)").Select(word => $"{Path.GetFileName(file)} {word}")));
        Assert.Equal(
            [
                "Directory.Build.props NU1901", "Directory.Build.props NU1902", "Directory.Build.props NU1903", "Directory.Build.props NU1904",
                "HarborScanExporter.csproj IL2104", "HarborScanExporter.csproj IL3053",
            ],
            found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_project_treats_warnings_as_errors()
    {
        Assert.Equal("true", XDocument.Load(Repository.PathOf("Directory.Build.props")).Descendants("TreatWarningsAsErrors").Single().Value);
        Assert.DoesNotContain(Projects(), file => !file.EndsWith("Directory.Build.props", StringComparison.Ordinal)
            && XDocument.Load(file).Descendants("TreatWarningsAsErrors").Any());
    }

    [Fact]
    public void No_file_names_a_machines_folders_or_how_it_was_made()
    {
        // Put together here, so that this file does not name them either.
        var forbidden = new Regex(string.Join('|', @"(?<![\w.])/wo" + @"rk/", "/tmp/" + @"wt\b", "helper" + " agent", "sub-?" + "agent", "coding" + " agent", "language" + " model"),
            RegexOptions.IgnoreCase);
        var files = Files(Repository.Root).ToArray();
        Assert.True(files.Length > 100);
        Assert.Empty(files.SelectMany(file => forbidden.Matches(File.ReadAllText(file)).Select(match => $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}")));
        Assert.Matches(forbidden, "see /wo" + "rk/notes.md");
    }

    private static IEnumerable<string> Projects() => Files(Repository.Root)
        .Where(file => Path.GetExtension(file) is ".csproj" or ".props" or ".targets");

    private static IEnumerable<string> Files(string folder) => Directory.GetFiles(folder).Where(file => Path.GetFileName(file) != ".git")
        .Concat(Directory.GetDirectories(folder).Where(inner => !Generated.Contains(Path.GetFileName(inner))).SelectMany(Files));
}
