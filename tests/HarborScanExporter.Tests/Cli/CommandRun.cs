using HarborScanExporter.Cli;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Cli.Repair;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Cli;

/// <summary>What a command left behind: its exit code and both streams.</summary>
internal sealed record CommandRun(int Exit, string Output, string Error)
{
    /// <summary>Both streams.</summary>
    public string All => Output + Error;

    /// <summary>Runs <c>check</c> in this process, over these settings.</summary>
    /// <param name="environment">The settings.</param>
    /// <param name="options">What to print.</param>
    /// <param name="width">Columns of the output.</param>
    /// <param name="time">A clock whose minute passes at once when the command waits for its second look; the real one when not given.</param>
    public static async Task<CommandRun> CheckAsync(IReadOnlyDictionary<string, string> environment, CheckOptions? options = null, int width = 100, FakeTimeProvider? time = null)
    {
        using var output = new HeardWriter();
        using var error = new HeardWriter();
        var terminal = new Terminal { Output = output, Error = error, Width = width };
        var running = CheckCommand.RunAsync(SettingsOf(environment), options ?? new CheckOptions(), terminal, time ?? TimeProvider.System, TestContext.Current.CancellationToken);
        if (time is not null)
        {
            await Eventually.HoldsAsync(() => Task.FromResult(running.IsCompleted || error.ToString().Contains("looking again in 60 s", StringComparison.Ordinal)),
                TimeSpan.FromSeconds(30), () => $"neither ended nor waited: {error}");
            time.Advance(TimeSpan.FromSeconds(60));
        }
        return new CommandRun(await running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), output.ToString(), error.ToString());
    }

    /// <summary>Runs <c>doctor</c> in this process.</summary>
    public static async Task<CommandRun> DoctorAsync(IReadOnlyDictionary<string, string> environment, DoctorOutput form = DoctorOutput.Table, int width = 100)
    {
        using var output = new HeardWriter();
        using var error = new HeardWriter();
        var terminal = new Terminal { Output = output, Error = error, Width = width };
        var exit = await DoctorCommand.RunAsync(SettingsOf(environment), form, terminal, TimeProvider.System, TestContext.Current.CancellationToken);
        return new CommandRun(exit, output.ToString(), error.ToString());
    }

    /// <summary>Runs <c>repair</c> in this process; whenever it waits for a further look, that minute passes at once.</summary>
    public static async Task<CommandRun> RepairAsync(IReadOnlyDictionary<string, string> environment, RepairOptions? options = null, int width = 100)
    {
        using var output = new HeardWriter();
        using var error = new HeardWriter();
        var time = new FakeTimeProvider();
        var terminal = new Terminal { Output = output, Error = error, Width = width };
        var running = RepairCommand.RunAsync(SettingsOf(environment), options ?? new RepairOptions(), terminal, time, TestContext.Current.CancellationToken);
        for (var waits = 1; !running.IsCompleted; waits++)
        {
            await Eventually.HoldsAsync(() => Task.FromResult(running.IsCompleted || error.ToString().Split("Looking again in ").Length > waits),
                TimeSpan.FromSeconds(60), () => $"neither ended nor waited: {error}");
            time.Advance(TimeSpan.FromSeconds(60));
        }
        return new CommandRun(await running, output.ToString(), error.ToString());
    }

    public static ExporterSettings SettingsOf(IReadOnlyDictionary<string, string> environment)
    {
        var reading = SettingsReader.Read(environment, new Dictionary<string, string>());
        Assert.Empty(reading.Errors);
        return reading.Settings!;
    }
}

/// <summary>A stream that a test reads while a command writes to it.</summary>
internal sealed class HeardWriter : StringWriter
{
    private readonly Lock _lock = new();

    public override void Write(char value)
    {
        lock (_lock) base.Write(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        lock (_lock) base.Write(buffer, index, count);
    }

    public override void Write(string? value)
    {
        lock (_lock) base.Write(value);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        lock (_lock) base.Write(buffer);
    }

    public override string ToString()
    {
        lock (_lock) return base.ToString();
    }
}
