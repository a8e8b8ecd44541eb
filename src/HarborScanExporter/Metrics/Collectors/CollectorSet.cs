using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>The collectors there are, and those that the settings choose.</summary>
internal static class CollectorSet
{
    /// <summary>All of them, in the order they run: the passes that most others share come first, and what asks Redis comes last.</summary>
    public static IReadOnlyList<ICollector> All { get; } =
    [
        new ExecutionsCollector(),
        new TasksCollector(),
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

    /// <summary>The default set with the settings' additions and removals.</summary>
    public static IReadOnlyList<ICollector> Chosen(ExporterSettings settings) =>
    [
        .. All.Where(collector => (collector.OnByDefault || settings.CollectorsEnabled.Contains(collector.Name))
            && !settings.CollectorsDisabled.Contains(collector.Name)
            && (collector is not JobServiceCollector || settings.JobService is not null)
            && (collector is not RemediationCollector || settings.Remediation.Mode != RemediationMode.Off)),
    ];
}
