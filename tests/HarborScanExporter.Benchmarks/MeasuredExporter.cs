using System.Diagnostics;
using System.Globalization;
using System.Net;
using HarborScanExporter.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace HarborScanExporter.Benchmarks;

/// <summary>The real exporter, asked over HTTP: the published binary as a process of its own, or the application in this process under the JIT.</summary>
internal sealed class MeasuredExporter : IAsyncDisposable
{
    private readonly HttpClient _client;
    private readonly Process? _process;
    private readonly WebApplication? _application;

    private MeasuredExporter(int port, Process? process, WebApplication? application)
    {
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}"), Timeout = TimeSpan.FromMinutes(1) };
        _process = process;
        _application = application;
    }

    /// <summary>Starts the published binary; it may not answer yet.</summary>
    public static MeasuredExporter StartNative(string binary, FilledHarbor harbor, params (string Name, string Value)[] changes)
    {
        var port = PrivatePostgres.FreePort();
        var start = new ProcessStartInfo(binary) { RedirectStandardOutput = true, RedirectStandardError = true };
        // An exporter refuses settings it does not know, and the shell of a benchmark may hold some.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("HARBOR", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);
        foreach (var (name, value) in harbor.Environment(port)) start.Environment[name] = value;
        foreach (var (name, value) in changes) start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{binary} did not start.");
        process.OutputDataReceived += (_, line) => TellTrouble(line.Data);
        process.ErrorDataReceived += (_, line) => TellTrouble(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new MeasuredExporter(port, process, null);
    }

    /// <summary>Starts the application in this process.</summary>
    public static async Task<MeasuredExporter> StartInProcessAsync(FilledHarbor harbor, params (string Name, string Value)[] changes)
    {
        var port = PrivatePostgres.FreePort();
        var environment = harbor.Environment(port);
        foreach (var (name, value) in changes) environment[name] = value;
        var reading = SettingsReader.Read(environment, new Dictionary<string, string>());
        var settings = reading.Settings ?? throw new InvalidOperationException(string.Join(Environment.NewLine, reading.Errors));
        var application = Exporter.Build(settings, builder => builder.Logging.ClearProviders());
        await application.StartAsync();
        return new MeasuredExporter(port, null, application);
    }

    /// <summary>One scrape; the time until the last byte is here.</summary>
    public async Task<(TimeSpan Took, MetricsText Text)> ScrapeAsync(CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var text = await _client.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellationToken);
        return (Stopwatch.GetElapsedTime(start), new MetricsText(text));
    }

    /// <summary>Asks until /metrics answers 200.</summary>
    public async Task AnswersAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                using var answer = await _client.GetAsync(new Uri("/metrics", UriKind.Relative), cancellationToken);
                if (answer.StatusCode == HttpStatusCode.OK) return;
            }
            catch (HttpRequestException) when (_process is not { HasExited: true })
            {
                // Not listening yet.
            }
            await Task.Delay(2, cancellationToken);
        }
    }

    /// <summary>Waits until the process takes requests, without a scrape.</summary>
    public async Task ListensAsync()
    {
        while (true)
        {
            try
            {
                using var answer = await _client.GetAsync(new Uri("/healthz", UriKind.Relative));
                return;
            }
            catch (HttpRequestException) when (_process is not { HasExited: true })
            {
                await Task.Delay(20);
            }
        }
    }

    /// <summary>Resident memory of the native process in bytes.</summary>
    public long ResidentMemory()
    {
        _process!.Refresh();
        return _process.WorkingSet64;
    }

    private static void TellTrouble(string? line)
    {
        if (line is { Length: > 0 } && !line.Contains("\"LogLevel\":\"Information\"", StringComparison.Ordinal)) Console.Error.WriteLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_application is not null) await _application.DisposeAsync();
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
