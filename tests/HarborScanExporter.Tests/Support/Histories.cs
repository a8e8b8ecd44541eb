using System.Globalization;

namespace HarborScanExporter.Tests.Support;

/// <summary>
/// On how many histories a property is tried: few in a run that somebody waits for, and as many as HARBOR_TEST_HISTORIES says in one that nobody does. A
/// property that must have met certain things goes on until it has.
/// </summary>
internal static class Histories
{
    private static readonly int? s_asked =
        int.TryParse(Environment.GetEnvironmentVariable("HARBOR_TEST_HISTORIES"), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : null;

    /// <summary>Whether somebody has asked for many.</summary>
    public static bool AreAsked => s_asked is not null;

    /// <summary>What was asked for, else so few.</summary>
    public static int Count(int few) => s_asked ?? few;
}
