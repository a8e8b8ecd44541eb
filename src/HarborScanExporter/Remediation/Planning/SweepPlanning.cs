using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Decides on an old execution.</summary>
internal static class SweepPlanning
{
    /// <summary>The verdict of the audit and of plans.</summary>
    public const string Beyond = "beyond_retention";

    /// <summary>What old executions may use of a cap: the other half stays for scans that block somebody.</summary>
    public static int Share(int cap) => cap / 2;

    /// <summary>Of a plan that did not search.</summary>
    public static Refusal NotSearched { get; } = new(null, Beyond, SkipReason.NotLookedAt,
        "Old executions were not searched for, as that reads all executions. A run searches when nothing else is to be repaired; harbor-scan-exporter repair --old-executions counts them.") { Count = 0 };

    /// <summary>Of old executions that are not to be removed.</summary>
    /// <param name="count">How many were found.</param>
    public static IEnumerable<Refusal> SwitchedOff(int count) => count == 0 ? [] :
    [
        new Refusal(null, Beyond, SkipReason.SwitchedOff, $"Old executions are not removed. Set {Setting.Names.RemediationSweep} to on.") { Count = count },
    ];

    /// <summary>The decision.</summary>
    public static Decision Decide(SweepCandidate candidate, PastOfThings past)
    {
        if (past.Forbids(past.SweepsOf(candidate.Id), 0) is { } forbidden)
        {
            return new Refusal(FindingId.OfExecution(candidate.Id), Beyond, forbidden.Reason, forbidden.Text)
            {
                Type = candidate.Type,
                ExecutionId = candidate.Id,
                HoldsFor = forbidden.HoldsFor,
            };
        }
        var isScanAll = candidate.Type == ScanType.ScanAll;
        return new PlannedRepair
        {
            Action = RepairAction.Sweep,
            FindingId = FindingId.OfExecution(candidate.Id),
            Verdict = Beyond,
            Text = $"The execution and its {Words.Count(candidate.Tasks, "task")} are removed: it is {candidate.Status}, and execution {candidate.Newer} {(isScanAll ? "and the scan-alls after it are" : "of the same artifact is")} newer.",
            Evidence =
            [
                $"It started at {Words.Time(candidate.Started)} and is {candidate.Status}; its tasks are over with code 3.",
                candidate.Tasks == 0 ? "It has no task." : "No report that its tasks name exists any more.",
            ],
            Type = candidate.Type,
            ExecutionId = candidate.Id,
            ArtifactId = isScanAll ? null : candidate.ArtifactId,
            Old = candidate,
        };
    }
}
