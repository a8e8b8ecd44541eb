using HarborScanExporter.Tests.Support;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HarborScanExporter.Tests.Architecture;

/// <summary>One use of what another room declares.</summary>
/// <param name="From">The room that uses it.</param>
/// <param name="To">The room that declares it.</param>
/// <param name="Type">What is used.</param>
/// <param name="File">Where, below the project's folder.</param>
internal sealed record RoomUse(string From, string To, string Type, string File)
{
    public override string ToString() => $"{From} -> {To}: {File} uses {Type}";
}

/// <summary>Reads from the source which room uses which: every name is resolved as the compiler does, comments and imports alone are no use.</summary>
internal static class SourceRooms
{
    private const string Root = "HarborScanExporter";

    /// <summary>What the Web SDK imports into every file.</summary>
    private const string Imports = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http;
        global using System.Net.Http.Json; global using System.Threading; global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder; global using Microsoft.AspNetCore.Hosting; global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing; global using Microsoft.Extensions.Configuration; global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting; global using Microsoft.Extensions.Logging;
        """;

    /// <summary>Every use across rooms.</summary>
    public static IReadOnlyList<RoomUse> Uses()
    {
        var folder = Repository.PathOf("src", Root);
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        SyntaxTree[] sources =
        [
            .. Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
                .Select(path => (Path: path, Name: Path.GetRelativePath(folder, path).Replace('\\', '/')))
                .Where(file => !file.Name.StartsWith("obj/", StringComparison.Ordinal) && !file.Name.StartsWith("bin/", StringComparison.Ordinal))
                .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file.Path), options, file.Name)),
        ];
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileNameWithoutExtension(path) != "harbor-scan-exporter")
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create("rooms", [.. sources, CSharpSyntaxTree.ParseText(Imports, options)], references, new CSharpCompilationOptions(OutputKind.ConsoleApplication));
        return [.. sources.SelectMany(source => UsesOf(source, compilation)).Distinct()];
    }

    private static IEnumerable<RoomUse> UsesOf(SyntaxTree source, CSharpCompilation compilation)
    {
        var model = compilation.GetSemanticModel(source);
        var own = source.FilePath.Contains('/', StringComparison.Ordinal) ? source.FilePath.Split('/')[0] : "Program";
        foreach (var name in source.GetRoot().DescendantNodes(node => node is not UsingDirectiveSyntax).OfType<SimpleNameSyntax>())
        {
            var found = model.GetSymbolInfo(name);
            if ((found.Symbol ?? found.CandidateSymbols.FirstOrDefault()) is not { } symbol) continue;
            var type = symbol as INamedTypeSymbol ?? symbol.ContainingType;
            if (type is null || !SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, compilation.Assembly)) continue;
            var room = RoomOf(type.ContainingNamespace.ToDisplayString());
            if (room != own) yield return new RoomUse(own, room, type.Name, source.FilePath);
        }
    }

    private static string RoomOf(string space) => space.Split('.') is [Root, var room, ..] ? room : "Program";
}
