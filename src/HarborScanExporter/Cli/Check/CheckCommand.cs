using System.Text;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Hosting;
using HarborScanExporter.Http;
using HarborScanExporter.Metrics;
using HarborScanExporter.Metrics.Collectors;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Cli.Check;

/// <summary>The command <c>check</c>: diagnoses once, with the pieces of the server and without a listener, and prints what was found.</summary>
internal static class CheckCommand
{
    /// <summary>Nothing is listed.</summary>
    public const int NothingFound = 0;

    /// <summary>At least one finding is listed.</summary>
    public const int Found = 1;

    /// <summary>It could not look.</summary>
    public const int CouldNotLook = 2;

    /// <summary>Nothing is listed, but of an open scan it cannot be said whether it lives: it is missing at a single look, or cannot be judged.</summary>
    public const int NotDecided = 3;

    /// <summary>Ended by a signal.</summary>
    public const int Interrupted = 130;

    /// <summary>Looks and prints.</summary>
    /// <param name="settings">Where to look.</param>
    /// <param name="options">What to print.</param>
    /// <param name="terminal">Where to print.</param>
    /// <param name="time">Measures, and waits between two looks.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    public static async Task<int> RunAsync(ExporterSettings settings, CheckOptions options, Terminal terminal, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.Problem is { } problem)
        {
            await terminal.TellAsync(problem);
            return CouldNotLook;
        }
        using var log = new ShortLines(terminal.Error);
        await using var pieces = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(log).AddFilter("Npgsql", LogLevel.None))
            .AddLooking(settings, time)
            .BuildServiceProvider();
        try
        {
            var report = await LookAsync(pieces.GetRequiredService<FindingsReader>(), options, new Waiting(terminal, time), terminal, time, cancellationToken);
            return await PrintAsync(report, settings, options, terminal, log);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Interrupted;
        }
    }

    private static async Task<FindingsReport> LookAsync(
        FindingsReader reader, CheckOptions options, Waiting waiting, Terminal terminal, TimeProvider time, CancellationToken cancellationToken)
    {
        var report = await waiting.ForAsync(reader.ReadAsync(cancellationToken), "Looking at Harbor", cancellationToken);
        if (!report.NeedsSecondLook) return report;
        var missing = report.SeenOnce == 1 ? "1 scan is" : $"{Words.Number(report.SeenOnce)} scans are";
        if (options.Quick)
        {
            await terminal.TellAsync($"{missing} missing from Redis, which one look does not prove: it may fall between two steps of the job service. Without --quick it looks twice.");
            return report;
        }
        var apart = TimeSpan.FromSeconds(EvidenceJudge.TwoSightings);
        var pause = Task.Delay(apart, time, cancellationToken);
        await terminal.TellAsync(
            $"{missing} missing from Redis at the first look; looking again in {Words.Number((long)apart.TotalSeconds)} s, as one look may fall between two steps of the job service. --quick takes one.");
        await waiting.UntilAsync(pause, apart, "Until the second look", cancellationToken);
        return await waiting.ForAsync(reader.ReadAsync(cancellationToken), "Looking again", cancellationToken);
    }

    private static async Task<int> PrintAsync(FindingsReport report, ExporterSettings settings, CheckOptions options, Terminal terminal, ShortLines log)
    {
        var findings = options.Filter.Of(report);
        switch (options.Output)
        {
            case CheckOutput.Json:
                await terminal.Output.WriteLineAsync(FindingsDocument.Of(report, findings, 1, Math.Max(1, findings.Count)).ToJson());
                break;
            case CheckOutput.Prometheus:
                using (var text = new MemoryStream())
                {
                    await Exposition.Of(report.Observation, CollectorSet.All(settings.AgeThresholds)).ToRegistry().CollectAndExportAsTextAsync(text, CancellationToken.None);
                    await terminal.Output.WriteAsync(Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length));
                }
                break;
            case CheckOutput.Table when report.Problem is null:
                terminal.WritePage(page => CheckTable.Write(page, report, findings, options));
                break;
        }
        await terminal.Output.FlushAsync();
        if (report.Problem is not { } problem)
        {
            if (findings.Count > 0) return Found;
            if (options.Filter.CannotTell(report) is { } why)
            {
                await terminal.TellAsync($"Could not look: {why}");
                return CouldNotLook;
            }
            // Nothing found where a part could not be read is no good news; the log has named the part.
            return report.Observation.Reason is not null ? CouldNotLook : options.Filter.LeavesUndecided(report) ? NotDecided : NothingFound;
        }
        // The log has named the cause and its mend already.
        await terminal.TellAsync(log.HasSpoken ? $"Could not look: {report.State.Sentence.Split(". ")[0]}." : $"Could not look: {problem}");
        return CouldNotLook;
    }
}
