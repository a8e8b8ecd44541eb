using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Decides on an execution that contradicts its tasks (harbor-facts 6.2, S10 to S13).</summary>
internal static class ExecutionPlanning
{
    /// <summary>The decision.</summary>
    public static Decision Decide(InconsistentExecution found, Look look, PastOfThings past)
    {
        var id = FindingId.OfExecution(found.Execution.Id);
        if (found.Kind == Inconsistency.ExecutionFinalWithOpenTask)
            return Refuse(found, SkipReason.TaskFirst, "Its open task is repaired first, and the execution with it.");
        if (found.Kind is not (Inconsistency.ExecutionWithoutTasks or Inconsistency.ExecutionNotRefreshed))
            return Refuse(found, SkipReason.NoProof, $"No repair is known for {found.Kind}. Look for a newer exporter.");
        if (look.WantsSecondLook(id) is { } early) return Refuse(found, SkipReason.SecondLook, early.Text) with { HoldsFor = early.HoldsFor };
        if (past.Forbids(past.OfExecution(found.Execution.Id), 0) is { } forbidden)
            return Refuse(found, forbidden.Reason, forbidden.Text) with { HoldsFor = forbidden.HoldsFor };
        var isEmpty = found.Kind == Inconsistency.ExecutionWithoutTasks;
        return new PlannedRepair
        {
            Action = isEmpty ? RepairAction.CloseEmptyExecution : RepairAction.RefreshExecution,
            FindingId = id,
            Verdict = found.Kind,
            Text = isEmpty
                ? "The execution becomes Error with an end and a higher revision: it has no task and gets none any more."
                : "The execution's status, end and revision are recomputed from its tasks, which are all over.",
            Evidence = look.Findings.GetValueOrDefault(id)?.Evidence ?? [],
            Type = found.Execution.Type,
            ExecutionId = found.Execution.Id,
            Status = isEmpty ? ScanStatus.Error : null,
        };
    }

    private static Refusal Refuse(InconsistentExecution found, string reason, string text) =>
        new(FindingId.OfExecution(found.Execution.Id), found.Kind, reason, text) { Type = found.Execution.Type, ExecutionId = found.Execution.Id };
}
