using System.Runtime.InteropServices;

namespace HarborScanExporter.Benchmarks;

/// <summary>What the figures were measured on; no names.</summary>
internal static class Machine
{
    /// <summary>Processor, cores, memory, kernel and runtime in one line.</summary>
    public static string Describe()
    {
        var processor = ValueOf("/proc/cpuinfo", "model name");
        var memory = long.Parse(ValueOf("/proc/meminfo", "MemTotal").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture) / 1024 / 1024;
        var kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return FormattableString.Invariant(
            $"{processor}, {Environment.ProcessorCount} cores, {memory} GiB, Linux {kernel}, {RuntimeInformation.FrameworkDescription}");
    }

    /// <summary>Processes that wanted a core over the last minute, beside what is measured here: above the number of cores the machine was shared.</summary>
    public static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    private static string ValueOf(string file, string name) =>
        File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(':', 2)[1].Trim();
}
