using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>
/// Looks a second and a third time at what was repaired (conventions 5.12). All it knows is in the audit, so that a restart loses nothing; the
/// lock of a run keeps two exporters from looking at the same line.
/// </summary>
internal sealed partial class RepairVerification(RepairDatabase database, PauseFile pause, ExporterSettings settings, ILogger<RepairVerification> logger)
{
    /// <summary>Lines of one transaction.</summary>
    private const int Most = 200;

    /// <summary>Until the next try where a line is due and nothing could be written.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    /// <summary>A run holds the lock for a moment.</summary>
    public static readonly TimeSpan WhenBusy = TimeSpan.FromSeconds(10);

    /// <summary>Lines that one transaction counts for good.</summary>
    private const int MostCounted = 1_000;

    /// <summary>Looks at every repair that is due, and counts for good what nothing more is to come of.</summary>
    /// <returns>How long until the next one is; null when none waits for a look.</returns>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="AuditException">The audit cannot be read or written.</exception>
    public Task<TimeSpan?> PassAsync(CancellationToken cancellationToken) => AuditException.GuardAsync(async () =>
    {
        var next = await LookAsync(cancellationToken);
        while (await CountAsync(cancellationToken) == MostCounted)
        {
            // As many again may wait.
        }
        return next;
    });

    /// <summary>Counts some lines; 0 where another exporter holds the lock, which a later pass may find free.</summary>
    private async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        await using var transaction = await database.BeginAsync(cancellationToken);
        if (!await AuditTotals.IsAnyAsync(transaction, cancellationToken)) return 0;
        if (await transaction.IsStandbyAsync(cancellationToken) || !await transaction.TryLockRunAsync(cancellationToken)) return 0;
        var counted = await AuditTotals.CountAsync(transaction, MostCounted, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return counted;
    }

    private async Task<TimeSpan?> LookAsync(CancellationToken cancellationToken)
    {
        var after = 0L;
        while (true)
        {
            await using var transaction = await database.BeginAsync(cancellationToken);
            var due = await DueCheck.ReadAsync(transaction, after, Most, cancellationToken);
            if (due.Count == 0) return await NextAsync(transaction, cancellationToken);
            if (await transaction.IsStandbyAsync(cancellationToken)) return Again;
            if (!await transaction.TryLockRunAsync(cancellationToken)) return WhenBusy;
            // Another exporter may have looked at them before the lock was ours.
            due = await DueCheck.ReadAsync(transaction, after, Most, cancellationToken);
            await LookAsync(transaction, due, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            if (due.Count > 0) after = due[^1].Id;
        }
    }

    private static async Task<TimeSpan?> NextAsync(RepairTransaction transaction, CancellationToken cancellationToken) =>
        await DueCheck.NextAsync(transaction, cancellationToken) switch
        {
            null => null,
            // What is due still was left for later.
            <= 0 => Again,
            // Not a moment too early by another clock.
            { } seconds => TimeSpan.FromSeconds(seconds + 1),
        };

    private async Task LookAsync(RepairTransaction transaction, IReadOnlyList<DueCheck> due, CancellationToken cancellationToken)
    {
        var run = Guid.NewGuid().ToString("n")[..12];
        var tasks = await RowsNow.TasksAsync(transaction, [.. due.Select(line => line.TaskId).OfType<long>().Distinct()], cancellationToken);
        var executions = await RowsNow.ExecutionsAsync(
            transaction, [.. due.Where(line => line.TaskId is null).Select(line => line.ExecutionId).OfType<long>().Distinct()], cancellationToken);
        Dictionary<long, Seen> seen = due.ToDictionary(line => line.Id, line => line.TaskId is { } task
            ? SeenRows.Of(line, tasks.GetValueOrDefault(task))
            : SeenRows.Of(line, executions.GetValueOrDefault(line.ExecutionId!.Value)));
        DueCheck[] overtakable = [.. due.Where(line => seen[line.Id] == Seen.Held && Promotion.Concerns(line) && tasks.ContainsKey(line.TaskId!.Value))];
        var stored = await StoredReports.OfAsync(transaction, [.. overtakable.Select(line => tasks[line.TaskId!.Value]).DistinctBy(task => task.Id)], cancellationToken);
        DueCheck[] overtaken = [.. overtakable.Where(line => stored.ContainsKey(line.TaskId!.Value))];
        var history = overtaken.Length == 0 ? null : await AuditTable.HistoryAsync(transaction, [], [], [], cancellationToken);
        // In the order of their ids, as a run writes its tasks.
        var promoted = 0L;
        foreach (var line in overtaken.OrderBy(line => line.TaskId))
        {
            // Only execute writes; what may be written later stays due.
            if (settings.Remediation.Mode != RemediationMode.Execute) continue;
            var task = tasks[line.TaskId!.Value];
            var ended = TruthfulEnd.Of(stored[task.Id], Epoch.Usable(task.Created), history!.Now);
            var became = MayWrite(history, promoted) ? await PromoteAsync(transaction, line, task, ended, run, cancellationToken) : null;
            if (became is { } its) seen[line.Id] = its;
            else seen.Remove(line.Id);
            if (became == Seen.Promoted) promoted++;
        }
        foreach (var line in due)
        {
            if (!seen.TryGetValue(line.Id, out var its) || !await line.EndAsync(transaction, its, cancellationToken)) continue;
            if (its is not Seen.Held) LogSeen(line.Id, line.Action, line.TaskId ?? line.ExecutionId ?? 0, its);
        }
    }

    /// <summary>What forbids a repair forbids this write too, as far as it rests on the database: the proof is rows alone.</summary>
    private bool MayWrite(RepairHistory history, long promoted) =>
        pause.Reason() is null && history is { ReadOnly: false, Standby: false }
        && !Breaker.IsOpen(history.LastHour, history.FailedLastHour, history.RevertedLately)
        && history.LastHour + promoted < settings.Remediation.MaxPerHour && history.LastDay + promoted < settings.Remediation.MaxPerDay;

    /// <summary>Promotes one; null when it is to be tried again.</summary>
    private async Task<Seen?> PromoteAsync(RepairTransaction transaction, DueCheck line, TaskNow now, double? ended, string run, CancellationToken cancellationToken)
    {
        try
        {
            return await transaction.PartAsync(() => Promotion.WriteAsync(transaction, line, now, ended, run, cancellationToken), cancellationToken) ? Seen.Promoted : null;
        }
        catch (PostgresException error)
        {
            var failure = RepairWriting.FailureOf(error);
            LogNotPromoted(line.Id, failure, error.MessageText);
            // A hook or a refresh that holds the row is over soon; what the role may not do it may not do in a minute either.
            return failure is RepairFailure.Locked or RepairFailure.Timeout ? null : Seen.Held;
        }
    }

    [LoggerMessage(51, LogLevel.Information, "Repair {Repair} ({Action} of {Row}) was seen {Seen}.")]
    private partial void LogSeen(long repair, string action, long row, Seen seen);

    [LoggerMessage(52, LogLevel.Warning, "The scan of repair {Repair} came to its end after all and could not be made Success ({Reason}): {Message}")]
    private partial void LogNotPromoted(long repair, string reason, string message);
}
