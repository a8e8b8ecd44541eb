using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Sweeping;

/// <summary>Decides on an old execution.</summary>
internal static class SweepPlanning
{
    /// <summary>The verdict of the audit and of plans.</summary>
    public const string Beyond = "beyond_retention";

    /// <summary>What old executions may use of a cap: the other half stays for scans that block somebody.</summary>
    public static int Share(int cap) => cap / 2;

    /// <summary>The decision.</summary>
    public static Decision Decide(SweepCandidate candidate, PastOfThings past)
    {
        if (past.Forbids(past.SweepsOf(candidate.Id), 0) is { } forbidden)
        {
            return new Refusal(Finding.IdOfExecution(candidate.Id), Beyond, forbidden.Reason, forbidden.Text)
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
            FindingId = Finding.IdOfExecution(candidate.Id),
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
