using HarborScanExporter.Database.Queries;
using HarborScanExporter.Failures;
using HarborScanExporter.Remediation.Execution;
using Npgsql;

namespace HarborScanExporter.Remediation.Triggers;

/// <summary>
/// Ends the intents that an exporter left without an outcome: at the start, when the youngest of them comes of age, and after each run of
/// this process that left one. Sleeps while none is open.
/// </summary>
internal sealed partial class IntentLoop(RepairRun run, RemediationState state, TimeProvider time, ILogger<IntentLoop> logger)
{
    /// <summary>Until it is tried again while the database is away or the audit cannot be used.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private bool _told;

    /// <summary>Ends what is due, and waits until more may be. What is left then the next start resolves.</summary>
    public async Task RoundAsync(CancellationToken stoppingToken)
    {
        if (await ResolveAsync(stoppingToken) is { } due) await Task.Delay(due, time, stoppingToken);
        else await state.IntentLeftOpenAsync(stoppingToken);
    }

    private async Task<TimeSpan?> ResolveAsync(CancellationToken stoppingToken)
    {
        try
        {
            var due = await run.ResolveIntentsAsync(stoppingToken);
            _told = false;
            return due;
        }
        catch (Exception error) when (error is NpgsqlException or AuditException or IOException or TimeoutException)
        {
            if (!_told) LogUnresolved(FailureReason.Words(error) + ".");
            _told = true;
            return Again;
        }
    }

    [LoggerMessage(44, LogLevel.Warning, "Whether intents are open cannot be told: {Message} It is tried again each minute.")]
    private partial void LogUnresolved(string message);
}
