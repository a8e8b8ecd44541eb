using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Hosting;
using HarborScanExporter.Http;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Presentation;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;
using Npgsql;

namespace HarborScanExporter.Cli.Repair;

/// <summary>The command <c>repair</c>: plans, and writes when it is told to, with the pieces of the server and without a listener.</summary>
internal static class RepairCommand
{
    /// <summary>Nothing is left to be repaired; or the repair was taken back.</summary>
    public const int NothingLeft = 0;

    /// <summary>Something is planned, or is left alone; or the repair could not be taken back.</summary>
    public const int Left = 1;

    /// <summary>It could not look, or may not write.</summary>
    public const int CouldNot = 2;

    /// <summary>Ended by a signal.</summary>
    public const int Interrupted = 130;

    /// <summary>
    /// What Redis has lost is lost by its second look, and repaired when that was seen for a minute itself: three looks show all there is.
    /// </summary>
    private const int MostLooks = 3;

    /// <summary>Plans or repairs, and prints.</summary>
    /// <param name="settings">Where to look, and the ceiling.</param>
    /// <param name="options">What to do and how to print it.</param>
    /// <param name="terminal">Where to print.</param>
    /// <param name="time">Measures, and waits between two looks.</param>
    /// <param name="cancellationToken">Ends it before its next step; what was written stays.</param>
    public static async Task<int> RunAsync(ExporterSettings settings, RepairOptions options, Terminal terminal, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.ProblemUnder(settings.Remediation.Mode) is { } problem)
        {
            await terminal.TellAsync(problem);
            return CouldNot;
        }
        using var log = new ShortLines(terminal.Error);
        await using var pieces = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(log).AddFilter("Npgsql", LogLevel.None))
            .AddLooking(settings, time)
            .AddRepairing(settings)
            .BuildServiceProvider();
        try
        {
            if (options.Undo is { } line) return await UndoAsync(pieces.GetRequiredService<Undoing>(), line, options, terminal, cancellationToken);
            return await RepairAsync(pieces.GetRequiredService<RepairRun>(), settings.Remediation, options, terminal, log, time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (options.Writes) await terminal.TellAsync(Broken(options));
            return Interrupted;
        }
        catch (AuditException error)
        {
            await terminal.TellAsync(error.Message);
            return CouldNot;
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            await terminal.TellAsync(RoleTrouble.Of(error));
            return CouldNot;
        }
    }

    private static async Task<int> RepairAsync(
        RepairRun run, RemediationSettings settings, RepairOptions options, Terminal terminal, ShortLines log, TimeProvider time, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(terminal, time);
        var (plan, report) = await LookAsync(run, options, waiting, terminal, time, cancellationToken);
        if (plan is not null && options.OldExecutions)
            (plan, report) = await waiting.ForAsync(run.PlanAsync(options.Request with { WithOldExecutions = true }, cancellationToken), "Searching for old executions", cancellationToken);
        if (plan is null)
        {
            // The log has named the cause and its mend already.
            var isTold = log.HasSpoken && report.Diagnosed is null;
            await terminal.TellAsync(isTold ? $"Could not look: {report.State.Sentence.Split(". ")[0]}." : $"Could not look: {report.Problem}");
            return CouldNot;
        }
        await TellMissingAsync(options, report, terminal);
        // A run that is broken off ends by itself, and what it has done by then is told.
        var result = options.Apply || options.DryRun
            ? await waiting.ForAsync(run.RunAsync(options.Request, cancellationToken), options.Apply ? "Repairing" : "Trying", CancellationToken.None)
            : null;
        var told = result is null ? ToldRun.Of(plan, settings.Mode) : ToldRun.Of(result);
        if (options.Output == RepairOutput.Table) terminal.WritePage(page => RepairTable.Write(page, told, report, options.All));
        else await terminal.Output.WriteLineAsync(result is null ? PlanDocument.Of(plan, report, settings.Mode).ToJson() : RunDocument.Of(result).ToJson());
        await terminal.Output.FlushAsync(CancellationToken.None);
        if (told.End == RunEnd.Interrupted) await terminal.TellAsync(Broken(options));
        return told.End switch
        {
            RunEnd.Interrupted => Interrupted,
            RunEnd.Busy or RunEnd.Failed => CouldNot,
            _ when told.IsSomethingLeft => Left,
            // Nothing found where a part could not be read is no good news; the log has named the part.
            _ => report.Observation.Reason is null ? NothingLeft : CouldNot,
        };
    }

    private static string Broken(RepairOptions options) =>
        options.Writes ? "Interrupted. What was written until then stays, and is in the audit." : "Interrupted. Nothing was written.";

    private static async Task<int> UndoAsync(Undoing undoing, long line, RepairOptions options, Terminal terminal, CancellationToken cancellationToken)
    {
        var result = await undoing.UndoAsync(line, options.Asker, cancellationToken);
        if (result.Done)
        {
            await terminal.Output.WriteLineAsync(options.Output == RepairOutput.Json
                ? new UndoDocument(line, RepairState.Undone, result.Audit).ToJson()
                : $"Repair {line} is taken back; line {result.Audit} of the audit says so.");
            return NothingLeft;
        }
        await terminal.TellAsync(result.Problem!);
        return result.Reason is UndoReason.NotFound or UndoReason.NotDone or UndoReason.NotUndoable or UndoReason.MovedOn or UndoReason.Busy ? Left : CouldNot;
    }

    private static async Task<(RepairPlan? Plan, FindingsReport Report)> LookAsync(
        RepairRun run, RepairOptions options, Waiting waiting, Terminal terminal, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var looks = 1; ; looks++)
        {
            var (plan, report) = await waiting.ForAsync(run.PlanAsync(options.Request, cancellationToken), looks == 1 ? "Looking at Harbor" : "Looking again", cancellationToken);
            if (plan is null || looks == MostLooks || Apart(plan, report) is not { } apart) return (plan, report);
            if (options.Quick)
            {
                await terminal.TellAsync("What was seen at one look only is not repaired: it may fall between two steps of the job service. Without --quick it looks until that is proven, which takes up to two minutes.");
                return (plan, report);
            }
            var pause = Task.Delay(apart, time, cancellationToken);
            await terminal.TellAsync($"Looking again in {Words.Number((long)apart.TotalSeconds)} s, as only what is seen so for a minute is repaired. --quick looks once.");
            await waiting.UntilAsync(pause, apart, "Until the next look", cancellationToken);
        }
    }

    /// <summary>How long until a further look may prove more; null when it proves nothing more.</summary>
    private static TimeSpan? Apart(RepairPlan plan, FindingsReport report)
    {
        var due = plan.Refusals.Where(refusal => refusal.Reason == SkipReason.SecondLook).Max(refusal => refusal.HoldsFor);
        if (report.NeedsSecondLook) due = EvidenceJudge.TwoSightings;
        return due is { } seconds ? TimeSpan.FromSeconds(Math.Ceiling(seconds)) : null;
    }

    private static async Task TellMissingAsync(RepairOptions options, FindingsReport report, Terminal terminal)
    {
        var found = report.Findings.Select(finding => finding.Id).ToHashSet(StringComparer.Ordinal);
        string[] missing = [.. options.Ids.Where(id => !found.Contains(id))];
        if (missing.Length > 0) await terminal.TellAsync($"Nothing is wrong with {string.Join(", ", missing)} any more, or there is no such row.");
    }
}
