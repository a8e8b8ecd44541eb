using HarborScanExporter.Database;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Scraping;

namespace HarborScanExporter.Collectors;

/// <summary>Which open tasks are stuck and why, which rows contradict each other, and who is blocked.</summary>
internal sealed class DiagnosisCollector : ICollector
{
    public static readonly Family Stuck = new("harbor_scan_stuck_tasks",
        "Open scan tasks that are stuck: Harbor will not end them within two hours.", "type", "status", "verdict");

    public static readonly Family OldestStuckAge = new("harbor_scan_oldest_stuck_task_age_seconds", "Age of the oldest stuck task; 0 when there is none.", "type", "verdict");

    public static readonly Family Live = new("harbor_scan_live_tasks", "Open scan tasks that are not stuck. Stuck and live tasks together are the open tasks.", "type", "state");

    public static readonly Family Inconsistencies = new("harbor_scan_inconsistencies",
        "Rows that contradict each other: executions, or tasks for final_status_wrong_code, or reports for orphan_report.", "type", "kind");

    public static readonly Family BlockedArtifacts = new("harbor_scan_blocked_artifacts", "Distinct digests whose rescan Harbor refuses because of a stuck task.");

    public static readonly Family ScanAllBlocked = new("harbor_scan_all_blocked", "1 while Harbor refuses a manual scan-all because of one that is not alive.");

    public string Name => "diagnosis";

    public string Cost => "reads by key of the tasks in doubt, their reports and their executions, beyond the reads of task and execution";

    public bool OnByDefault => true;

    public IReadOnlyList<Family> Families { get; } = [Stuck, OldestStuckAge, Live, Inconsistencies, BlockedArtifacts, ScanAllBlocked];

    public async Task CollectAsync(Collection collection, Samples samples, CancellationToken cancellationToken)
    {
        var judged = await JudgeTasksAsync(collection, cancellationToken);
        var inconsistent = await JudgeExecutionsAsync(collection, cancellationToken);
        var wrongCodes = (await collection.TasksAsync(cancellationToken)).Scans
            .Where(group => ScanStatus.IsFinal(group.Status)).ToLookup(group => group.Type, group => group.LowCodeExecutions?.Length ?? 0);
        var sweepBlocked = await SweepBlockedAsync(collection, cancellationToken);
        var newestManual = (await collection.ExecutionsAsync(cancellationToken)).NewestManualScanAll;
        var now = collection.Facts.Now;

        foreach (var type in ScanType.All)
        {
            var ofType = judged.Where(task => task.Task.Type == type).ToArray();
            foreach (var verdict in Judgement.Verdicts)
            {
                foreach (var status in ScanStatus.Open)
                    samples.Add(Stuck, ofType.Count(task => task.Judgement == verdict && task.Task.Status == status), type, status, verdict.Word);
                var ages = ofType.Where(task => task.Judgement == verdict).Select(task => task.Task.AgeAt(now));
                samples.Add(OldestStuckAge, ages.DefaultIfEmpty().Max(), type, verdict.Word);
            }
            foreach (var state in Judgement.States) samples.Add(Live, ofType.Count(task => task.Judgement == state), type, state.Word);
            foreach (var kind in Inconsistency.Kinds)
            {
                samples.Add(Inconsistencies, kind switch
                {
                    Inconsistency.FinalStatusWrongCode => wrongCodes[type].Sum(),
                    Inconsistency.SweepBlocked => sweepBlocked.GetValueOrDefault(type),
                    _ => inconsistent.Values.Count(found => found.Execution.Type == type && found.Kind == kind),
                }, type, kind);
            }
        }
        samples.Add(BlockedArtifacts, judged.Where(task => task.Judgement.IsStuck).SelectMany(task => task.Digests).Distinct(StringComparer.Ordinal).Count());
        var blocked = ScanAllBlock.Holds(
            newestManual,
            newestManual is null ? null : inconsistent.GetValueOrDefault(newestManual.Id).Kind,
            [.. judged.Where(task => task.Task.ExecutionId == newestManual?.Id).Select(task => task.Judgement)]);
        samples.Add(ScanAllBlocked, blocked ? 1 : 0);
    }

    private static async Task<IReadOnlyList<JudgedTask>> JudgeTasksAsync(Collection collection, CancellationToken cancellationToken)
    {
        var open = await collection.OpenTasksAsync(cancellationToken);
        var state = await collection.OperatorStateAsync(cancellationToken);
        var limits = collection.Limits;
        var evidence = new RowEvidence
        {
            Now = collection.Facts.Now,
            OpenTasks = open.Count,
            AcknowledgedBacklog = open.Any(task => !task.IsRunning && task.IsAcknowledged),
            Hooks = HookActivity.Of((await collection.TasksAsync(cancellationToken)).Hooks, collection.Facts.Now),
            QueuePaused = state.PausedQueues?.Contains(ScanType.ImageScan) ?? false,
            ReadOnly = state.ReadOnly ?? false,
        };
        // Only tasks in doubt, or stuck whatever their reports say, are worth reading what they name.
        long[] inDoubt = [.. open
            .Where(task => TaskJudge.NeedsReports(task, evidence.Now, limits) || TaskJudge.Judge(task, stored: false, evidence, limits).IsStuck)
            .Select(task => task.Id)];
        var attributes = await collection.ReadAsync((from, token) => ReportLookup.AttributesAsync(from, inDoubt, token), cancellationToken);
        string[] uuids = [.. attributes.Values.SelectMany(named => named.ReportUuids).Distinct(StringComparer.Ordinal)];
        var reports = await collection.ReadAsync(
            (from, token) => ReportLookup.ReportsAsync(from, uuids, collection.Facts.CanReadSbomReport, token), cancellationToken);
        return
        [
            .. open.Select(task =>
            {
                var named = attributes.GetValueOrDefault(task.Id)?.ReportUuids ?? [];
                var its = named.Select(uuid => reports.GetValueOrDefault(uuid)).ToArray();
                var stored = its.Length > 0 && its.All(report => report is { Stored: true });
                return new JudgedTask(task, TaskJudge.Judge(task, stored, evidence, limits), [.. its.Select(report => report?.Digest).OfType<string>()]);
            }),
        ];
    }

    private static async Task<IReadOnlyDictionary<long, (ScanExecution Execution, string? Kind)>> JudgeExecutionsAsync(
        Collection collection, CancellationToken cancellationToken)
    {
        var pass = await collection.ExecutionsAsync(cancellationToken);
        var openTasks = (await collection.OpenTasksAsync(cancellationToken)).CountBy(task => task.ExecutionId).ToDictionary();
        var idle = pass.Detailed.Values.Where(execution => ScanType.All.Contains(execution.Type) && execution.IsRunning && !openTasks.ContainsKey(execution.Id));
        long[] unread = [.. openTasks.Keys.Where(id => !pass.Detailed.ContainsKey(id))];
        var read = await collection.ReadAsync((from, token) => ExecutionLookup.ExecutionsAsync(from, unread, token), cancellationToken);
        var final = pass.Detailed.Values.Concat(read).Where(execution => execution.IsFinal && openTasks.ContainsKey(execution.Id));
        ScanExecution[] suspects = [.. idle, .. final];

        // The newest scan-all may have as many tasks as there are artifacts: the pass has already seen them.
        var newestScanAll = pass.NewestScanAll?.Id;
        long[] others = [.. suspects.Where(execution => execution.Id != newestScanAll).Select(execution => execution.Id)];
        var tasks = await collection.ReadAsync((from, token) => ExecutionLookup.TasksAsync(from, others, token), cancellationToken);
        var ofNewestScanAll = (await collection.TasksAsync(cancellationToken)).OfNewestScanAll;
        return suspects.ToDictionary(execution => execution.Id, execution => (execution, ExecutionJudge.Judge(
            execution,
            openTasks.GetValueOrDefault(execution.Id),
            execution.Id == newestScanAll ? ofNewestScanAll : tasks.GetValueOrDefault(execution.Id, new ExecutionTasks(0, null)),
            collection.Facts.Now,
            collection.Limits)));
    }

    private static async Task<IReadOnlyDictionary<string, long>> SweepBlockedAsync(Collection collection, CancellationToken cancellationToken)
    {
        var newestSweepFailed = (await collection.ExecutionsAsync(cancellationToken)).NewestSweep?.Status == ScanStatus.Error;
        if (!HarborSchema.SweepCanBeBlocked(collection.Facts.SchemaVersion, newestSweepFailed)) return new Dictionary<string, long>();
        var withLowCode = (await collection.TasksAsync(cancellationToken)).Scans.SelectMany(group => group.LowCodeExecutions ?? []);
        var withOpen = (await collection.OpenTasksAsync(cancellationToken)).Where(task => task.StatusCode < 3).Select(task => task.ExecutionId);
        long[] executions = [.. withLowCode.Concat(withOpen).Distinct()];
        return await collection.ReadAsync(
            (from, token) => SweepBlockLookup.CountAsync(from, executions, collection.Facts.SchemaVersion, token), cancellationToken);
    }

    private sealed record JudgedTask(OpenTask Task, Judgement Judgement, IReadOnlyList<string> Digests);
}
