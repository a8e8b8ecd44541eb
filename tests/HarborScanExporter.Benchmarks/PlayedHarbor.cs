using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>The simulator as a process of its own: a Harbor with every fault in its past that lives on in real time.</summary>
internal sealed class PlayedHarbor : IAsyncDisposable
{
    private const string RealTime = "real time from here";
    private static readonly TimeSpan LongestHistory = TimeSpan.FromMinutes(10);

    private readonly Process _process;

    private PlayedHarbor(Process process) => _process = process;

    /// <summary>Whether it still lives on.</summary>
    public bool IsAlive => !_process.HasExited;

    /// <summary>Plays the history and returns when real time has begun.</summary>
    /// <param name="harbor">The database, without Harbor's tables.</param>
    /// <param name="redis">The job service's Redis, empty.</param>
    /// <param name="pushesPerHour">How busy it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">It ended, or its history takes too long.</exception>
    public static async Task<PlayedHarbor> StartAsync(FilledHarbor harbor, PrivateRedis redis, int pushesPerHour, CancellationToken cancellationToken)
    {
        // It plays many short statements: unlike the sessions that measure, its own are kept.
        var database = new NpgsqlConnectionStringBuilder(harbor.Server.ConnectionString(harbor.Name)) { Pooling = true }.ConnectionString;
        var start = new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "harbor-simulator.dll"), "run", "--database", database, "--redis", redis.Configuration,
            "--release", "2.11.0", "--history", "30h", "--faults", "all", "--rate", pushesPerHour.ToString(CultureInfo.InvariantCulture),
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("The simulator did not start.");
        var played = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) played.TrySetException(new InvalidOperationException("The simulator ended."));
            else if (line.Data.Contains(RealTime, StringComparison.Ordinal)) played.TrySetResult();
        };
        process.ErrorDataReceived += (_, line) => { if (line.Data is { Length: > 0 }) Console.Error.WriteLine(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var harborPlayed = new PlayedHarbor(process);
        try
        {
            await played.Task.WaitAsync(LongestHistory, cancellationToken);
            return harborPlayed;
        }
        catch
        {
            await harborPlayed.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
