using HarborScanExporter.Settings;

namespace HarborScanExporter.Collectors;

/// <summary>The collectors there are, and those that the settings choose.</summary>
internal static class CollectorSet
{
    /// <summary>All of them, in the order they run: the passes that most others share come first.</summary>
    public static IReadOnlyList<ICollector> All { get; } =
    [
        new DatabaseCollector(),
        new ExecutionsCollector(),
        new TasksCollector(),
        new ScanAllCollector(),
        new DiagnosisCollector(),
        new RobotsCollector(),
        new SweepCollector(),
        new SweepableCollector(),
        new OrphanReportsCollector(),
    ];

    /// <summary>The names that settings may use.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(collector => collector.Name)];

    /// <summary>The default set with the settings' additions and removals.</summary>
    public static IReadOnlyList<ICollector> Chosen(ExporterSettings settings) =>
    [
        .. All.Where(collector => (collector.OnByDefault || settings.CollectorsEnabled.Contains(collector.Name))
            && !settings.CollectorsDisabled.Contains(collector.Name)),
    ];
}
