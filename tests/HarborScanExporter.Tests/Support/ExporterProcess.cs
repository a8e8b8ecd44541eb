using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Support;

/// <summary>
/// The exporter as a process of its own, for what belongs to a whole process: its handles, its threads, its trusted authorities. It is the
/// native binary when HARBOR_TEST_NATIVE_BINARY names one, else the build that the tests run.
/// </summary>
internal sealed class ExporterProcess : IAsyncDisposable
{
    private readonly RunningTool _process;
    private readonly HttpClient _client;

    private ExporterProcess(RunningTool process, HttpClient client) => (_process, _client) = (process, client);

    /// <summary>Whether it is the native binary.</summary>
    public static bool IsNative => Environment.GetEnvironmentVariable("HARBOR_TEST_NATIVE_BINARY") is { Length: > 0 };

    public Uri Address => _client.BaseAddress!;

    /// <summary>Asks it, over connections that are kept.</summary>
    public HttpClient Client => _client;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything it has logged.</summary>
    public string Log => _process.Log;

    /// <summary>Open files and sockets.</summary>
    public int Handles => Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Length;

    /// <summary>Threads that somebody started; the runtime's own (.NET TP Worker and its like) come and go with the load of the machine.</summary>
    public int Threads => Directory.GetFileSystemEntries($"/proc/{_process.Id}/task").Count(task => !NameOf(task).StartsWith(".NET", StringComparison.Ordinal));

    /// <summary>The most memory it has had resident, in bytes.</summary>
    public long PeakResident => File.ReadLines($"/proc/{_process.Id}/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024).Single();

    /// <param name="environment">Its settings; the address to listen on is replaced.</param>
    /// <param name="command">Makes the command that is run of its own, which keeps the number of the process; its own when not given.</param>
    /// <param name="listen">The address to listen on, with {0} for the port.</param>
    public static async Task<ExporterProcess> StartAsync(
        IReadOnlyDictionary<string, string> environment, Func<IReadOnlyList<string>, IReadOnlyList<string>>? command = null, string listen = "http://127.0.0.1:{0}")
    {
        var port = Tool.FreePort();
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };
        var (program, arguments) = Program();
        IReadOnlyList<string> line = [program, .. arguments];
        if (command is not null) line = command(line);
        var process = await RunningTool.StartAsync(line[0], [.. line.Skip(1)], async () =>
        {
            using var answer = await client.GetAsync(new Uri("/healthz", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }, new Dictionary<string, string>(environment) { [Setting.Names.Listen] = string.Format(System.Globalization.CultureInfo.InvariantCulture, listen, port) });
        return new ExporterProcess(process, client);
    }

    /// <summary>Waits for its own end.</summary>
    public Task<int> ExitCodeAsync(TimeSpan limit) => _process.ExitCodeAsync(limit);

    /// <summary>Runs one of its commands to the end.</summary>
    public static async Task<ToolResult> RunAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var (program, first) = Program();
        using var process = Tool.Start(program, [.. first, .. arguments], environment: environment);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return new ToolResult(process.ExitCode, await output, await error);
    }

    /// <summary>One scrape.</summary>
    public async Task<MetricsDocument> ScrapeAsync() => new(await _client.GetStringAsync(new Uri("/metrics", UriKind.Relative)));

    /// <summary>A page, whatever its status.</summary>
    public async Task<string> GetAsync(string path)
    {
        using var answer = await _client.GetAsync(new Uri(path, UriKind.Relative));
        return await answer.Content.ReadAsStringAsync();
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return _process.DisposeAsync();
    }

    /// <summary>Empty when it has just ended.</summary>
    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm"));
        }
        catch (IOException)
        {
            return ".NET";
        }
    }

    private static (string Program, string[] Arguments) Program() => Environment.GetEnvironmentVariable("HARBOR_TEST_NATIVE_BINARY") is { Length: > 0 } native
        ? (native, [])
        : ("dotnet", [Path.Combine(AppContext.BaseDirectory, "harbor-scan-exporter.dll")]);
}
