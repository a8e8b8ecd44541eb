namespace HarborScanExporter.Metrics.Collectors;

/// <summary>The collectors there are.</summary>
internal static class CollectorSet
{
    /// <summary>All of them.</summary>
    /// <param name="ageThresholds">The thresholds of the settings.</param>
    public static IReadOnlyList<ICollector> All(IReadOnlyList<TimeSpan> ageThresholds) =>
    [
        new ExecutionsCollector(),
        new TasksCollector(ageThresholds),
        new ScanAllCollector(),
        new RobotsCollector(),
        new SweepCollector(),
        new SweepableCollector(),
        new OrphanReportsCollector(),
        new RemediationCollector(),
        new JobServiceCollector(),
        new DiagnosisCollector(),
        new DatabaseCollector(),
    ];
}
