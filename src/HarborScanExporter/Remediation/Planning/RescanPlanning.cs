using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>
/// Decides which artifacts of repaired scans are scanned again now: so few that no more jobs wait than workers live, so that neither the queue nor
/// the scanner is flooded by what comes back.
/// </summary>
internal static class RescanPlanning
{
    /// <summary>The verdict of the audit and of plans.</summary>
    public const string Repaired = "repaired";

    /// <summary>Scans that one batch asks for.</summary>
    public const int MostPerBatch = 10;

    /// <summary>The decisions, the oldest repair first; one for each artifact and kind.</summary>
    public static IEnumerable<Decision> Decide(Look look, PastOfThings past, RemediationSettings settings)
    {
        var service = look.Diagnosed.JobService;
        var room = Math.Min(MostPerBatch, service.Workers - service.Scans.Length);
        foreach (var one in look.Rescannables.OrderBy(one => one.Repair).DistinctBy(one => (one.ArtifactId, one.Type == ScanType.Sbom)))
        {
            if (!look.HasApi) yield return Refuse(one, SkipReason.NeedsApi, "Only Harbor's API starts a scan. Set HARBOR_API_USERNAME.");
            else if (one is not { Repository: { } repository, Digest: { } digest }) yield return Refuse(one, SkipReason.ArtifactGone, "Its artifact is gone.");
            else if (!one.IsFinal) yield return Refuse(one, SkipReason.InProgress, $"Repair {one.Repair} has not ended it yet.");
            else if (one.Scans >= settings.MaxAttempts) yield return Refuse(one, SkipReason.Attempts, $"It was scanned again {Words.Number(one.Scans)} times within a day and no scan came to a result ({Setting.Names.RemediationMaxAttempts}). A person has to look.");
            else if (past.Forbids(past.RescansOf(one.TaskId), 0) is { } forbidden) yield return Refuse(one, forbidden.Reason, forbidden.Text) with { HoldsFor = forbidden.HoldsFor };
            else if (room <= 0) yield return Refuse(one, SkipReason.QueueFull, $"As many scans wait ({Words.Number(service.Scans.Length)}) as there are workers, or this batch asks for enough; it comes later.");
            else
            {
                room--;
                yield return new PlannedRepair
                {
                    Action = RepairAction.Rescan,
                    FindingId = FindingId.OfTask(one.TaskId),
                    Verdict = Repaired,
                    Text = $"Harbor's API scans {repository} again, as repair {one.Repair} ended its scan without a result.",
                    Evidence = ["No newer scan has taken its report over, and the report is empty."],
                    Type = one.Type,
                    TaskId = one.TaskId,
                    ExecutionId = one.ExecutionId,
                    ArtifactId = one.ArtifactId,
                    Artifact = (repository, digest, look.Diagnosed.SchemaVersion < HarborSchema.ScanTypesSince ? null : one.Type == ScanType.Sbom ? "sbom" : "vulnerability"),
                };
            }
        }
    }

    private static Refusal Refuse(Rescannable one, string reason, string text) =>
        new(FindingId.OfTask(one.TaskId), Repaired, reason, text) { Type = one.Type, TaskId = one.TaskId, ExecutionId = one.ExecutionId };
}
