using System.Globalization;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>Which histories a property tries: those of the seeds 1 to the test's own number, unless the environment asks for others.</summary>
internal static class HistorySeeds
{
    /// <summary>The first seed; HARBOR_TEST_FIRST_SEED asks for another.</summary>
    public static int First { get; } = Asked("HARBOR_TEST_FIRST_SEED") ?? 1;

    /// <summary>The last seed; HARBOR_TEST_HISTORIES asks for more or fewer.</summary>
    /// <param name="histories">How many a normal run tries.</param>
    public static int Last(int histories) => First + (Asked("HARBOR_TEST_HISTORIES") ?? histories) - 1;

    /// <summary>Whether the environment says how many.</summary>
    public static bool AreAsked => Asked("HARBOR_TEST_HISTORIES") is not null;

    private static int? Asked(string name) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : null;
}
