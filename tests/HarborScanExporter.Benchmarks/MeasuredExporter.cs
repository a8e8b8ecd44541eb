using System.Diagnostics;
using System.Globalization;
using System.Net;
using HarborScanExporter.Benchmarks.Attacks;

namespace HarborScanExporter.Benchmarks;

/// <summary>The published binary as a process of its own, asked over HTTP.</summary>
internal sealed class MeasuredExporter : IAsyncDisposable
{
    private static readonly Uri Metrics = new("/metrics", UriKind.Relative);

    /// <summary>A first collection that never ends is a failure, not a long measurement.</summary>
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(5);

    private readonly HttpClient _client;
    private readonly Process _process;
    private readonly long _begun;

    private MeasuredExporter(int port, Process process, long begun)
    {
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}"), Timeout = TimeSpan.FromMinutes(1) };
        _process = process;
        _begun = begun;
        Port = port;
    }

    /// <summary>The port of the first listener.</summary>
    public int Port { get; }

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts the binary; it may not answer yet.</summary>
    /// <param name="binary">The published binary.</param>
    /// <param name="harbor">The database that it reads.</param>
    /// <param name="changes">Settings beyond those of the database.</param>
    /// <param name="limit">The memory that it may have; that of the machine when not given.</param>
    public static MeasuredExporter Start(string binary, FilledHarbor harbor, IEnumerable<KeyValuePair<string, string>>? changes = null, MemoryLimit? limit = null)
    {
        var port = PrivatePostgres.FreePort();
        var command = limit?.Command([binary]) ?? [binary];
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true };
        // An exporter refuses settings it does not know, and the shell of a benchmark may hold some.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("HARBOR", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);
        foreach (var (name, value) in harbor.Environment(port).Concat(changes ?? []).Concat(limit?.Environment ?? new Dictionary<string, string>())) start.Environment[name] = value;
        var begun = Stopwatch.GetTimestamp();
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{binary} did not start.");
        process.OutputDataReceived += (_, line) => TellTrouble(line.Data);
        process.ErrorDataReceived += (_, line) => TellTrouble(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new MeasuredExporter(port, process, begun);
    }

    /// <summary>Whether trouble that it logs is passed on; a run that makes trouble itself turns it off.</summary>
    public static bool TellsTrouble { get; set; } = true;

    /// <summary>One scrape; the time until the last byte is here.</summary>
    /// <exception cref="HttpRequestException">It answered with anything but 200.</exception>
    public async Task<(TimeSpan Took, MetricsText Text)> ScrapeAsync(CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var text = await _client.GetStringAsync(Metrics, cancellationToken);
        return (Stopwatch.GetElapsedTime(start), new MetricsText(text));
    }

    /// <summary>Asks until /metrics answers 200, and then until the answer is complete.</summary>
    /// <returns>How long after the start of the process each was.</returns>
    public async Task<Start> CompleteAsync(CancellationToken cancellationToken)
    {
        TimeSpan? first = null;
        while (true)
        {
            try
            {
                using var answer = await _client.GetAsync(Metrics, cancellationToken);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    first ??= Stopwatch.GetElapsedTime(_begun);
                    if (new MetricsText(await answer.Content.ReadAsStringAsync(cancellationToken)).IsComplete) return new Start(first.Value, Stopwatch.GetElapsedTime(_begun));
                }
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // Not listening yet.
            }
            if (Stopwatch.GetElapsedTime(_begun) > LongestStart) throw new InvalidOperationException($"No complete scrape within {LongestStart}.");
            await Task.Delay(2, cancellationToken);
        }
    }

    /// <summary>Scrapes one after the other.</summary>
    /// <returns>Their times, the last answer, and how many were no success by their own word.</returns>
    public async Task<(Spread Times, MetricsText Last, int Failed)> RepeatAsync(int times, CancellationToken cancellationToken)
    {
        var took = new List<TimeSpan>();
        MetricsText? last = null;
        var failed = 0;
        for (var scrape = 0; scrape < times; scrape++)
        {
            (var time, last) = await ScrapeAsync(cancellationToken);
            if (!last.IsUp) failed++;
            took.Add(time);
        }
        return (Spread.Of(took), last!, failed);
    }

    /// <summary>What the process has taken until now.</summary>
    public ProcessUse Use() => ProcessUse.Of(_process);

    private static void TellTrouble(string? line)
    {
        if (TellsTrouble && line is { Length: > 0 } && !line.Contains("\"LogLevel\":\"Information\"", StringComparison.Ordinal)) Console.Error.WriteLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
