using System.Threading.Channels;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Failures;
using HarborScanExporter.Remediation.Execution;
using Npgsql;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>Looks at repairs when they are due, and sleeps in between.</summary>
internal sealed partial class VerificationLoop
{
    /// <summary>A run of this process wakes the loop; the command line or another exporter that has died since cannot.</summary>
    public static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(15);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private string _told = "";

    private readonly RepairVerification _verification;
    private readonly TimeProvider _time;
    private readonly ILogger<VerificationLoop> _logger;

    public VerificationLoop(RepairVerification verification, RepairRun run, TimeProvider time, ILogger<VerificationLoop> logger)
    {
        (_verification, _time, _logger) = (verification, time, logger);
        run.Wrote += Wake;
    }

    /// <summary>Looks at what is due, and sleeps until more is. What is due when the exporter ends is in the audit.</summary>
    public async Task RoundAsync(CancellationToken stoppingToken) => await SleepAsync(await PassAsync(stoppingToken), stoppingToken);

    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task<TimeSpan> PassAsync(CancellationToken cancellationToken)
    {
        try
        {
            var next = await _verification.PassAsync(cancellationToken);
            _told = "";
            return next is { } due && due < LongestSleep ? due : LongestSleep;
        }
        catch (Exception error) when (error is NpgsqlException or AuditException or IOException or TimeoutException)
        {
            var reason = RepairWriting.FailureOf(error);
            // Once for each reason: the database may be away for long.
            if (_told != reason) LogFailed(reason, FailureReason.Words(error) + ".");
            _told = reason;
            return RepairVerification.Again;
        }
    }

    private async Task SleepAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Task.Delay(pause, _time, awake.Token), _wake.Reader.WaitToReadAsync(awake.Token).AsTask());
        await awake.CancelAsync();
        _wake.Reader.TryRead(out _);
        cancellationToken.ThrowIfCancellationRequested();
    }

    [LoggerMessage(53, LogLevel.Warning, "Repairs could not be looked at again ({Reason}): {Message} It is tried again every minute.")]
    private partial void LogFailed(string reason, string message);
}
