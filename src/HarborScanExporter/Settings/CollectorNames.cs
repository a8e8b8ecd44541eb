namespace HarborScanExporter.Settings;

/// <summary>The names of the collectors, as the settings and the label <c>collector</c> have them.</summary>
internal static class CollectorNames
{
    public const string Executions = "executions";
    public const string Tasks = "tasks";
    public const string ScanAll = "scan_all";
    public const string Robots = "robots";
    public const string Sweep = "sweep";
    public const string Sweepable = "sweepable";
    public const string OrphanReports = "orphan_reports";
    public const string Remediation = "remediation";
    public const string JobService = "jobservice";
    public const string Diagnosis = "diagnosis";
    public const string Database = "database";

    /// <summary>All of them, in the order in which messages list them.</summary>
    public static IReadOnlyList<string> All { get; } =
        [Executions, Tasks, ScanAll, Robots, Sweep, Sweepable, OrphanReports, Remediation, JobService, Diagnosis, Database];
}
