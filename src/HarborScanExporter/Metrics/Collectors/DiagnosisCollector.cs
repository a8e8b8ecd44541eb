using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Which open tasks are stuck and why, which rows contradict each other, and who is blocked.</summary>
internal sealed class DiagnosisCollector : ICollector
{
    public static readonly Family Stuck = new("harbor_scan_stuck_tasks",
        "Open scan tasks that are stuck: Harbor will not end them within two hours. Exact at every scrape.", "type", "status", "verdict");

    public static readonly Family OldestStuckAge = new("harbor_scan_oldest_stuck_task_age_seconds", "Age of the oldest stuck task; 0 when there is none. Exact at every scrape.", "type", "verdict");

    public static readonly Family Live = new("harbor_scan_live_tasks", "Open scan tasks that are not stuck. Stuck and live tasks together are the open tasks. Exact at every scrape.", "type", "state");

    public static readonly Family Inconsistencies = new("harbor_scan_inconsistencies",
        "Rows that contradict each other: executions, or tasks for final_status_wrong_code, or reports for orphan_report. What Harbor itself does shows at the next scrape, what a hand does to finished rows, and orphan_report, at the next reconciliation.", "type", "kind");

    public static readonly Family BlockedArtifacts = new("harbor_scan_blocked_artifacts",
        "Distinct digests whose vulnerability scan Harbor refuses because of a stuck task of IMAGE_SCAN or SCAN_ALL; one of SBOM refuses only the SBOM of its artifact and is not counted. Exact at every scrape.");

    public static readonly Family ScanAllBlocked = new("harbor_scan_all_blocked",
        "1 while Harbor refuses a manual scan-all because of one that is not alive; 0 also while it refuses one because another is running. Exact at every scrape.");

    public string Name => CollectorNames.Diagnosis;

    public string Cost => "reads by key of the tasks in doubt, their reports and their executions, beyond what tasks and executions read; with Redis in a second transaction";

    public IReadOnlyList<Family> Families { get; } = [Stuck, OldestStuckAge, Live, Inconsistencies, BlockedArtifacts, ScanAllBlocked];

    public void Write(HarborObservation seen, Samples samples)
    {
        var diagnosed = seen.Diagnosis!.Value;
        var counts = new Dictionary<(string Type, Judgement Judgement, string Status), long>();
        var oldest = new Dictionary<(string Type, Judgement Judgement), double>();
        foreach (var judged in diagnosed.Tasks)
        {
            var key = (judged.Task.Type, judged.Judgement, judged.Task.Status);
            counts[key] = counts.GetValueOrDefault(key) + 1;
            if (judged.Judgement.IsStuck)
                oldest[(judged.Task.Type, judged.Judgement)] = Math.Max(oldest.GetValueOrDefault((judged.Task.Type, judged.Judgement)), judged.Task.AgeAt(diagnosed.Now));
        }
        foreach (var type in ScanType.All)
        {
            foreach (var verdict in Judgement.Verdicts)
            {
                foreach (var status in ScanStatus.Open) samples.Add(Stuck, counts.GetValueOrDefault((type, verdict, status)), type, status, verdict.Word);
                samples.Add(OldestStuckAge, oldest.GetValueOrDefault((type, verdict)), type, verdict.Word);
            }
            foreach (var state in Judgement.States) samples.Add(Live, ScanStatus.Open.Sum(status => counts.GetValueOrDefault((type, state, status))), type, state.Word);
            foreach (var kind in Inconsistency.Kinds)
            {
                samples.Add(Inconsistencies, kind switch
                {
                    Inconsistency.FinalStatusWrongCode => diagnosed.WrongCodes.Where(found => found.Type == type).Sum(found => found.Tasks),
                    Inconsistency.SweepBlocked => diagnosed.SweepBlocked.GetValueOrDefault(type)?.Count ?? 0,
                    _ => diagnosed.Executions.Count(found => found.Execution.Type == type && found.Kind == kind),
                }, type, kind);
            }
        }
        samples.Add(BlockedArtifacts, diagnosed.Tasks.Where(task => task.Judgement.IsStuck && task.RefusesRescan)
            .SelectMany(task => task.Reports.Select(report => report.Digest).OfType<string>()).Distinct(StringComparer.Ordinal).Count());
        samples.Add(ScanAllBlocked, diagnosed.BlockingScanAll is null ? 0 : 1);
    }
}
