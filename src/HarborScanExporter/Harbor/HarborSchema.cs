namespace HarborScanExporter.Harbor;

/// <summary>
/// What the number in schema_migrations says about the Harbor that wrote it. It does not show the patch level: 140 is 2.11.0, which
/// cannot sweep past an open task, as well as 2.11.1 and 2.11.2, which can.
/// </summary>
internal static class HarborSchema
{
    /// <summary>2.2.0: the first Harbor that keeps scans in execution and task.</summary>
    public const long Oldest = 50;

    /// <summary>2.16.0.</summary>
    public const long NewestKnown = 190;

    /// <summary>2.5.0 brought the index on task.job_id; before it, asking by job would read the whole table.</summary>
    public const long JobIndexSince = 80;

    /// <summary>2.7.0 brought the stop of a single job by its id.</summary>
    public const long StopByJobSince = 100;

    /// <summary>2.11.0 brought SBOMs, and with them the type of a scan.</summary>
    public const long ScanTypesSince = 140;

    /// <summary>2.8.0 sweeps executions in a job of its own.</summary>
    public const long WithSweepJob = 110;

    /// <summary>2.9.0 sweeps image scans too, and keeps one execution of each vendor.</summary>
    private const long ImageScansSwept = 120;

    /// <summary>2.11, whose first release still fails to sweep past a task that is not over.</summary>
    public const long LastWithForeignKeyFailure = 140;

    private static readonly (long Version, string Releases)[] Known =
    [
        (50, "2.2.0"), (51, "2.2.1"), (52, "2.2.2"), (53, "2.2.3-2.2.4"),
        (60, "2.3.0-2.3.3"), (61, "2.3.4-2.3.5"),
        (70, "2.4.0-2.4.1"), (71, "2.4.2-2.4.3"),
        (80, "2.5.0-2.5.1"), (81, "2.5.2"), (82, "2.5.3-2.5.6"),
        (90, "2.6.0-2.6.1"), (91, "2.6.2-2.6.4"),
        (100, "2.7.0-2.7.4"),
        (110, "2.8.0"), (111, "2.8.1-2.8.6"),
        (120, "2.9.0-2.9.5"), (130, "2.10.0-2.10.3"), (140, "2.11.0-2.11.2"), (150, "2.12.0-2.12.4"), (160, "2.13.0-2.13.5"),
        (170, "2.14.0"), (171, "2.14.1-2.14.4"),
        (180, "2.15.0-2.15.2"), (181, "2.15.3"), (190, "2.16.0"),
    ];

    /// <summary>The releases that end on this schema version, or a bound for a number between or beyond the known ones.</summary>
    public static string Releases(long version)
    {
        var exact = Known.FirstOrDefault(entry => entry.Version == version).Releases;
        if (exact is not null) return exact;
        var below = Known.LastOrDefault(entry => entry.Version < version).Releases;
        return below is null ? "unknown" : $"newer than {below.Split('-')[^1]}";
    }

    /// <summary>How many of the newest executions of one vendor Harbor keeps; null when this Harbor does not sweep the type.</summary>
    public static int? Retained(long version, string type) => (version, type) switch
    {
        ( < ImageScansSwept, ScanType.ScanAll) => 5,
        ( < ImageScansSwept, _) => null,
        _ => 1,
    };

    /// <summary>
    /// Whether an execution that still has a task of code below 3 stops this Harbor's sweep with a violation of
    /// task_execution_id_fkey: 2.8.0 to 2.11.0. Schema 140 is shared with releases that are mended, so there the newest sweep decides.
    /// </summary>
    public static bool SweepCanBeBlocked(long version, bool newestSweepFailed) =>
        version is >= WithSweepJob and < LastWithForeignKeyFailure || (version == LastWithForeignKeyFailure && newestSweepFailed);
}
