using System.Reflection;
using System.Runtime.InteropServices;

namespace HarborScanExporter.Text;

/// <summary>The version and source revision that the build wrote into this program.</summary>
internal static class ProductVersion
{
    private static readonly string[] Parts =
        (typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+', 2);

    /// <summary>For example <c>0.1.0</c>.</summary>
    public static string Version => Parts[0];

    /// <summary>The commit; <c>unknown</c> when the build had none.</summary>
    public static string Revision => Parts.Length > 1 ? Parts[1] : "unknown";

    /// <summary>The .NET runtime and the processor.</summary>
    public static string Runtime => $"{RuntimeInformation.FrameworkDescription} {RuntimeInformation.ProcessArchitecture}";
}
