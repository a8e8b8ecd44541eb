using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Robot accounts that Harbor made for a scan and did not remove after it.</summary>
internal sealed class RobotsCollector : ICollector
{
    public static readonly Family Leaked = new("harbor_scan_leaked_robots", "Robot accounts made for scans, older than a day, that no open task names; as of the last reconciliation.");

    public string Name => CollectorNames.Robots;

    public string Cost => "nothing; each reconciliation reads robot, and by primary key the open tasks older than 23 hours";

    public IReadOnlyList<Family> Families { get; } = [Leaked];

    public void Write(HarborObservation seen, Samples samples) => samples.Add(Leaked, seen.Whole.LeakedRobots!.Value);
}
