using HarborScanExporter.Settings;

namespace HarborScanExporter.Diagnosis;

/// <summary>The limits that the judgement rests on, in seconds.</summary>
internal sealed record Limits
{
    /// <summary>Harbor forces whatever it still tracks to an end after its own limit, looking hourly: two hours of grace cover both.</summary>
    private const double GraceOfHarbor = 2 * 3600;

    /// <summary>Harbor's max_job_duration_hours.</summary>
    public required double MaxJobDuration { get; init; }

    /// <summary>Least age of a Pending task that rows alone may call lost.</summary>
    public required double LostAfter { get; init; }

    /// <summary>A scan running longer is overdue.</summary>
    public required double RunningLimit { get; init; }

    /// <summary>Time after an execution's newest change before it is called inconsistent.</summary>
    public required double Settle { get; init; }

    /// <summary>Those of the settings.</summary>
    public static Limits From(ExporterSettings settings) => new()
    {
        MaxJobDuration = settings.MaxJobDuration.TotalSeconds,
        LostAfter = settings.LostAfter.TotalSeconds,
        RunningLimit = settings.RunningLimit.TotalSeconds,
        Settle = settings.Settle.TotalSeconds,
    };

    /// <summary>Beyond this age Harbor will not heal a row by itself.</summary>
    public double Never => MaxJobDuration + GraceOfHarbor;

    /// <summary>A row younger than this for which nothing better is known is settling.</summary>
    public const double Young = 120;

    /// <summary>
    /// The job service looks for unconfirmed jobs hourly, first five minutes after its start. Two rounds and those five minutes: of two
    /// rounds one at least came through when hooks were accepted meanwhile without a break of an hour.
    /// </summary>
    public const double TwoReaperRounds = 125 * 60;

    /// <summary>With this many open rows one round of Harbor's reaper may take longer than its hour, and silence proves nothing.</summary>
    public const int ReaperMayLag = 20_000;

    /// <summary>A scan-all that has not written its summary may still be enumerating; core waits up to a minute before it begins.</summary>
    public const double EnumerationSettle = 15 * 60;
}
