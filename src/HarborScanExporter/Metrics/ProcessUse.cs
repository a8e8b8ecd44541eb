using System.Diagnostics;
using System.Globalization;
using HarborScanExporter.Failures;

namespace HarborScanExporter.Metrics;

/// <summary>
/// What this process takes of the machine, by the names that the metrics library has for it. The library's own goes on with zeros where the
/// system cannot be asked, as when no file can be opened any more.
/// </summary>
internal sealed class ProcessUse(FailureLog log)
{
    private const string Part = "What the process uses";

    private static readonly Family Started = new("process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
    private static readonly Family Processor = new("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
    private static readonly Family Virtual = new("process_virtual_memory_bytes", "Virtual memory size in bytes.");
    private static readonly Family WorkingSet = new("process_working_set_bytes", "Process working set");
    private static readonly Family Private = new("process_private_memory_bytes", "Process private memory size");
    private static readonly Family Handles = new("process_open_handles", "Number of open handles");
    private static readonly Family Threads = new("process_num_threads", "Total number of threads");
    private static readonly Family Managed = new("dotnet_total_memory_bytes", "Total known allocated memory");
    private static readonly Family Collections = new("dotnet_collection_count_total", "GC collection count", "generation");

    /// <summary>Writes all families, or none while the system does not tell.</summary>
    public void Write(Samples samples)
    {
        var its = new Samples();
        try
        {
            using var process = Process.GetCurrentProcess();
            its.Add(Started, (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds);
            its.Add(Processor, process.TotalProcessorTime.TotalSeconds);
            its.Add(Virtual, process.VirtualMemorySize64);
            its.Add(WorkingSet, process.WorkingSet64);
            its.Add(Private, process.PrivateMemorySize64);
            its.Add(Handles, process.HandleCount);
            its.Add(Threads, process.Threads.Count);
        }
        catch (Exception error)
        {
            // Whatever the system says to it, the metrics of Harbor are told.
            log.Absent(Part, $"{Part} cannot be read: {error.Message.ReplaceLineEndings(" ")}. The families process_* and dotnet_* are absent until it can; raise the limit of open files if that is it.");
            return;
        }
        log.Succeeded(Part);
        its.Add(Managed, GC.GetTotalMemory(forceFullCollection: false));
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
            its.Add(Collections, GC.CollectionCount(generation), generation.ToString(CultureInfo.InvariantCulture));
        samples.AddAll(its);
    }
}
