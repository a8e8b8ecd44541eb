using System.Runtime.CompilerServices;

namespace HarborScanExporter.Tests.Support;

/// <summary>The checked-out tree that the tests read: alerts, dashboards, manifests, documents.</summary>
internal static class Repository
{
    /// <summary>The folder that holds HarborScanExporter.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The path of a file or folder below the root.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The text of a file below the root.</summary>
    public static string Read(params string[] parts) => File.ReadAllText(PathOf(parts));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        var folder = Directory.GetParent(here);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "HarborScanExporter.sln")))
            folder = folder.Parent;
        return folder?.FullName
            ?? throw new InvalidOperationException($"No HarborScanExporter.sln above {here}: run the tests from a checkout.");
    }
}
