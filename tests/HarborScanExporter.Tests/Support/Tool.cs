using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.Support;

/// <summary>What a program that ran to its end left behind.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>Both streams, for a failure message.</summary>
    public string All => Output + Error;
}

/// <summary>The real programs that the tests run: promtool, amtool, prometheus, redis-server, pgbouncer, chromium.</summary>
internal static class Tool
{
    private static readonly Dictionary<string, string> Packages = new(StringComparer.Ordinal)
    {
        ["promtool"] = "prometheus",
        ["prometheus"] = "prometheus",
        ["amtool"] = "prometheus-alertmanager",
        ["prometheus-alertmanager"] = "prometheus-alertmanager",
        ["redis-server"] = "redis-server",
        ["redis-cli"] = "redis-tools",
        ["pgbouncer"] = "pgbouncer",
        ["psql"] = "postgresql-client",
        ["chromium"] = "chromium",
    };

    /// <summary>The full path of a program, or a failure that names the package to install.</summary>
    public static string Find(string name)
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/usr/bin"];
        var found = folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        return found ?? throw new InvalidOperationException(
            $"{name} is not installed: apt-get install {Packages.GetValueOrDefault(name, name)} (scripts/test.sh does it).");
    }

    /// <summary>Runs a program to its end, within a minute unless told otherwise.</summary>
    public static async Task<ToolResult> RunAsync(string name, IReadOnlyList<string> arguments, string? input = null, TimeSpan? limit = null)
    {
        using var process = Start(name, arguments, redirectInput: input is not null);
        using var deadline = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(1));
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input);
                process.StandardInput.Close();
            }
            await process.WaitForExitAsync(deadline.Token);
            return new ToolResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{name} {string.Join(' ', arguments)} did not end in time.");
        }
    }

    /// <summary>Starts a program with both output streams redirected.</summary>
    public static Process Start(string name, IReadOnlyList<string> arguments, bool redirectInput = false,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var info = new ProcessStartInfo(Path.IsPathRooted(name) ? name : Find(name), arguments)
        {
            RedirectStandardInput = redirectInput,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
            info.Environment[key] = value;
        return Process.Start(info) ?? throw new InvalidOperationException($"{name} did not start.");
    }

    /// <summary>A loopback port that nobody listened on a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A program that runs beside the tests and ends with them.</summary>
internal sealed class RunningTool : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private RunningTool(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it has printed so far.</summary>
    public string Log
    {
        get { lock (_log) return _log.ToString(); }
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts the program and waits until <paramref name="ready"/> says so.</summary>
    public static Task<RunningTool> StartAsync(string name, IReadOnlyList<string> arguments, Func<Task<bool>> ready,
        IReadOnlyDictionary<string, string>? environment = null, TimeSpan? limit = null) =>
        StartAsync(name, arguments, _ => ready(), environment, limit);

    /// <summary>Starts the program and waits until <paramref name="ready"/>, which is told which one it is, says so.</summary>
    public static async Task<RunningTool> StartAsync(string name, IReadOnlyList<string> arguments, Func<RunningTool, Task<bool>> ready,
        IReadOnlyDictionary<string, string>? environment = null, TimeSpan? limit = null)
    {
        var tool = new RunningTool(Tool.Start(name, arguments, environment: environment));
        try
        {
            await Eventually.HoldsAsync(() => ready(tool), limit ?? TimeSpan.FromSeconds(60),
                () => $"{name} did not become ready:{Environment.NewLine}{tool.Log}", stop: () => tool.HasExited);
        }
        catch
        {
            await tool.DisposeAsync();
            throw;
        }
        return tool;
    }

    /// <summary>Waits for the program's own end.</summary>
    public async Task<int> ExitCodeAsync(TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_log) _log.AppendLine(line);
    }
}

/// <summary>Waits for the real world, with a limit and a message.</summary>
internal static class Eventually
{
    /// <summary>Asks every 50 ms until the answer is yes; fails with <paramref name="message"/> when the limit passes.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, TimeSpan limit, Func<string> message, Func<bool>? stop = null)
    {
        var end = DateTime.UtcNow + limit;
        while (DateTime.UtcNow < end && !(stop?.Invoke() ?? false))
        {
            try
            {
                if (await condition()) return;
            }
            catch (Exception error) when (error is HttpRequestException or SocketException or IOException or TaskCanceledException or RedisConnectionException)
            {
                // Not yet there: ask again until the limit.
            }
            await Task.Delay(50);
        }
        Assert.Fail(message());
    }
}
