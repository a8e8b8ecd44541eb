using System.Globalization;

namespace HarborScanExporter.Benchmarks;

/// <summary>What is being done now, for who waits; and numbers as people read them.</summary>
internal static class Progress
{
    public static void Say(string what) => Console.Error.WriteLine($"{DateTime.Now.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {what}");

    public static string Count(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}
