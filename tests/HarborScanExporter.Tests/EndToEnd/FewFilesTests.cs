using System.Net;
using System.Net.Sockets;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>A process that may open few files, or no more.</summary>
public sealed class FewFilesTests
{
    [Fact]
    public async Task More_idle_connections_than_files_leave_room_for_a_scrape_where_few_files_may_be_open()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        // The native binary itself has a dozen open, the runtime each of its assemblies.
        var (files, connections) = ExporterProcess.IsNative ? (64, 100) : (512, 400);
        await using var exporter = await ExporterProcess.StartAsync(harbor.Environment(), command => ["/bin/sh", "-c", $"ulimit -n {files} && exec \"$@\"", "sh", .. command]);
        List<Socket> idle = [];
        try
        {
            for (var i = 0; i < connections; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                idle.Add(socket);
                try
                {
                    await socket.ConnectAsync(IPAddress.Loopback, exporter.Address.Port, TestContext.Current.CancellationToken);
                }
                catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
                {
                    // It made room for the next before it was taken up.
                }
            }
            // Those that are not taken up yet would crowd in beside the scrape.
            await Eventually.HoldsAsync(() => Task.FromResult(idle.Count(IsOpen) < files / 2), TimeSpan.FromSeconds(30), () => $"{idle.Count(IsOpen)} idle connections are open.");
            for (var i = 0; i < 5; i++)
            {
                var scrape = await exporter.ScrapeAsync();
                Assert.Equal(1, scrape.Value("harbor_scan_up"));
                Assert.InRange(scrape.Value("process_open_handles"), 1, files - 1);
            }
        }
        finally
        {
            foreach (var socket in idle) socket.Dispose();
        }
        Assert.DoesNotContain("\"LogLevel\":\"Error\"", exporter.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_system_does_not_tell_of_the_process_is_absent_and_told_once()
    {
        string[] families = ["process_start_time_seconds", "process_cpu_seconds_total", "process_working_set_bytes", "process_open_handles", "process_num_threads", "dotnet_total_memory_bytes", "dotnet_collection_count_total"];
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await ExporterProcess.StartAsync(harbor.Environment());
        Assert.Superset(families.ToHashSet(), (await exporter.ScrapeAsync()).Families.ToHashSet());
        // From now on it can open nothing; what is open stays, the connection of this client and that to the database among it.
        await LimitAsync(exporter, "5");
        for (var i = 0; i < 3; i++)
        {
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal(1, scrape.Value("harbor_scan_up"));
            Assert.DoesNotContain(scrape.Families, family => family.StartsWith("process_", StringComparison.Ordinal) || family.StartsWith("dotnet_", StringComparison.Ordinal));
        }
        await ToldOnceAsync(exporter, "What the process uses cannot be read: ");
        await LimitAsync(exporter, "1024");
        Assert.Superset(families.ToHashSet(), (await exporter.ScrapeAsync()).Families.ToHashSet());
        await ToldOnceAsync(exporter, "What the process uses works again.");
    }

    private static bool IsOpen(Socket socket)
    {
        try
        {
            return socket.Connected && !(socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task ToldOnceAsync(ExporterProcess exporter, string text)
    {
        await Eventually.HoldsAsync(() => Task.FromResult(exporter.Log.Contains(text, StringComparison.Ordinal)), TimeSpan.FromSeconds(30), () => $"Nothing was told: {exporter.Log}", () => exporter.HasExited);
        Assert.Single(exporter.Log.Split('\n'), line => line.Contains(text, StringComparison.Ordinal));
    }

    private static async Task LimitAsync(ExporterProcess exporter, string files) =>
        Assert.Equal(0, (await Tool.RunAsync("prlimit", ["--pid", $"{exporter.Id}", $"--nofile={files}:"])).ExitCode);
}
