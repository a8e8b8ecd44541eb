using System.Globalization;

namespace HarborScanExporter.Benchmarks.Attacks;

/// <summary>
/// The memory that a process may have, as an orchestrator limits it: by a control group of the kernel where this machine lets one be made,
/// else by the runtime's own limit of its heap, which is the same share that it takes of a container.
/// </summary>
internal sealed class MemoryLimit : IDisposable
{
    private static int s_made;

    private readonly string? _group;

    private MemoryLimit(long bytes, string? group) => (Bytes, _group) = (bytes, group);

    public long Bytes { get; }

    /// <summary>What holds the process to it, in words.</summary>
    public string Kind => _group is null ? "the runtime's limit of its heap" : "a memory control group";

    /// <summary>Variables that the process needs beside its own.</summary>
    public IReadOnlyDictionary<string, string> Environment => _group is not null
        ? new Dictionary<string, string>()
        : new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = (Bytes * 3 / 4).ToString("x", CultureInfo.InvariantCulture) };

    public static MemoryLimit Of(long bytes)
    {
        var name = $"harbor-scan-exporter-{System.Environment.ProcessId}-{Interlocked.Increment(ref s_made)}";
        return new MemoryLimit(bytes, Make($"/sys/fs/cgroup/memory/{name}", "memory.limit_in_bytes", bytes) ?? Make($"/sys/fs/cgroup/{name}", "memory.max", bytes));
    }

    /// <summary>The command that runs another within the limit; its process has the same number.</summary>
    public IReadOnlyList<string> Command(IReadOnlyList<string> command) => _group is null ? command : ["/bin/sh", "-c", $"echo $$ > '{_group}/cgroup.procs' && exec \"$@\"", "sh", .. command];

    /// <summary>The most memory that a process has had in RAM, in bytes; 0 when it is gone.</summary>
    public static long PeakOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            return 0;
        }
    }

    public void Dispose()
    {
        if (_group is null) return;
        try
        {
            Directory.Delete(_group);
        }
        catch (IOException)
        {
            // The kernel has not forgotten the process yet; an empty group costs nothing.
        }
    }

    private static string? Make(string group, string file, long bytes)
    {
        // The first version has a folder for memory, the second one for everything.
        if (!Directory.Exists(Path.GetDirectoryName(group))) return null;
        try
        {
            Directory.CreateDirectory(group);
            if (File.Exists(Path.Combine(group, file)))
            {
                File.WriteAllText(Path.Combine(group, file), bytes.ToString(CultureInfo.InvariantCulture));
                return group;
            }
            Directory.Delete(group);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Not ours to make.
        }
        return null;
    }
}
