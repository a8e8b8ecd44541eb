using System.Diagnostics;
using System.Globalization;

namespace HarborScanExporter.Benchmarks;

/// <summary>What a process of Linux has taken until now.</summary>
/// <param name="Processor">Time on a core, in user and in kernel mode, of all its threads; the kernel counts it in hundredths of a second.</param>
/// <param name="Resident">Memory that it holds in RAM, in bytes.</param>
/// <param name="Handles">Open files and sockets.</param>
/// <param name="Threads">Threads.</param>
internal sealed record ProcessUse(TimeSpan Processor, long Resident, int Handles, int Threads)
{
    /// <exception cref="IOException">There is no such process any more.</exception>
    public static ProcessUse Of(Process process)
    {
        process.Refresh();
        var folder = $"/proc/{process.Id.ToString(CultureInfo.InvariantCulture)}";
        return new ProcessUse(process.TotalProcessorTime, process.WorkingSet64,
            Directory.EnumerateFileSystemEntries($"{folder}/fd").Count(), Directory.EnumerateDirectories($"{folder}/task").Count());
    }
}
