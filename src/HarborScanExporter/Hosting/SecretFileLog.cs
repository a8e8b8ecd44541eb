using HarborScanExporter.Settings;

namespace HarborScanExporter.Hosting;

/// <summary>Says once when the file of a secret cannot be used any more, and once when it can again; what it held before counts meanwhile.</summary>
internal sealed partial class SecretFileLog(ExporterSettings settings, ILogger<SecretFileLog> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var file in settings.SecretFiles)
        {
            file.Told = problem =>
            {
                if (problem is null) LogUsable(logger, file.Setting);
                else LogUnusable(logger, file.Setting, problem);
            };
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(30, LogLevel.Error, "{Setting}: {Problem} Until then what it held before counts.")]
    private static partial void LogUnusable(ILogger logger, string setting, string problem);

    [LoggerMessage(31, LogLevel.Information, "{Setting}: the file can be used again.")]
    private static partial void LogUsable(ILogger logger, string setting);
}
