using HarborScanExporter.Scraping;
using Npgsql;

namespace HarborScanExporter.Remediation.Wake;

/// <summary>
/// Ends the intents that an exporter left without an outcome: at the start, when the youngest of them comes of age, and after each run of
/// this process that left one. Sleeps while none is open.
/// </summary>
internal sealed partial class IntentLoop(RepairRun run, RemediationState state, TimeProvider time, ILogger<IntentLoop> logger) : BackgroundService
{
    /// <summary>Until it is tried again while the database is away or the audit cannot be used.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private bool _told;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                if (await ResolveAsync(stoppingToken) is { } due) await Task.Delay(due, time, stoppingToken);
                else await state.IntentLeftOpenAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The next start resolves what is left.
        }
    }

    private async Task<TimeSpan?> ResolveAsync(CancellationToken stoppingToken)
    {
        try
        {
            var due = await run.ResolveIntentsAsync(stoppingToken);
            _told = false;
            return due;
        }
        catch (Exception error) when (!stoppingToken.IsCancellationRequested)
        {
            if (!_told) LogUnresolved(error is NpgsqlException or AuditException ? error.Message : error.ToString());
            _told = true;
            return Again;
        }
    }

    [LoggerMessage(44, LogLevel.Warning, "Whether intents are open cannot be told: {Message} It is tried again each minute.")]
    private partial void LogUnresolved(string message);
}
