using HarborScanExporter.Settings;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Everything <c>doctor</c> tries, in the order in which one thing rests on another.</summary>
internal static class Checkup
{
    /// <summary>What one part may take: a person waits for it.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Tries all of it; what cannot be tried is a line too.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(ExporterSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        var database = DatabaseCheckup.RunAsync(settings, time, cancellationToken);
        var redis = RedisCheckup.RunAsync(settings, time, cancellationToken);
        var repairs = RepairsCheckup.RunAsync(settings, time, cancellationToken);
        var api = ApiCheckup.RunAsync(settings, time, cancellationToken);
        var (databaseLines, databaseClock) = await database;
        var (redisLines, redisClock) = await redis;
        return
        [
            CheckupLine.Ok("settings", $"They can be used: {(settings.JobService is null ? "without Redis" : "with Redis")}, {(settings.Api is null ? "without Harbor's API" : "with Harbor's API")}."),
            .. databaseLines,
            .. redisLines,
            .. ClockCheckup.Of(databaseClock, redisClock),
            .. await api,
            .. await repairs,
        ];
    }
}
