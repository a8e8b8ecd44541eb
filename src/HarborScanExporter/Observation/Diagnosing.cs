using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Observation;

/// <summary>Brings rows, Redis and limits together: reads what the judges ask for, and lets them judge.</summary>
internal static class Diagnosing
{
    /// <summary>The order in which tasks are judged when there are more than one collection takes.</summary>
    public static IEnumerable<ScanTask> OldestFirst(IReadOnlyList<ScanTask> open) =>
        open.OrderBy(task => task.Created ?? task.ExecutionStarted ?? 0).ThenBy(task => task.Id);

    /// <summary>Diagnoses.</summary>
    public static async Task<Diagnosed> RunAsync(Collection collection, CollectionSources sources, CancellationToken cancellationToken)
    {
        var open = await collection.OpenTasksAsync(cancellationToken);
        var service = await collection.JobServiceAsync(cancellationToken);
        var rows = await collection.DiagnosisRowsAsync(cancellationToken);
        var state = await collection.OperatorStateAsync(cancellationToken);
        var readOnly = await collection.ReadOnlyAsync(cancellationToken);
        var paused = Paused(state, service);
        var evidence = new RowEvidence
        {
            Now = collection.Facts.Now,
            OpenTasks = open.Count,
            AcknowledgedBacklog = open.Any(task => !task.IsRunning && task.IsAcknowledged),
            Hooks = HookActivity.Of((await collection.TasksAsync(cancellationToken)).Hooks, collection.Facts.Now),
            QueuePaused = paused?.Contains(JobType.Scan) ?? false,
            ReadOnly = readOnly ?? false,
        };
        var judging = new Judging(evidence, service, collection.Limits, Look(open, service, sources));
        var tasks = await JudgeAsync(collection, sources, open, judging, cancellationToken);
        var newestManual = (await collection.ExecutionsAsync(cancellationToken)).NewestManualScanAll;
        var blocked = ScanAllBlock.Holds(
            newestManual,
            rows.Executions.FirstOrDefault(found => found.Execution.Id == newestManual?.Id)?.Kind,
            [.. tasks.Where(task => task.Task.ExecutionId == newestManual?.Id).Select(task => task.Judgement)]);
        return new Diagnosed
        {
            Now = evidence.Now,
            SchemaVersion = collection.Facts.SchemaVersion,
            Tasks = tasks,
            Executions = rows.Executions,
            WrongCodes =
            [
                .. (await collection.TasksAsync(cancellationToken)).Scans.Where(group => ScanStatus.IsFinal(group.Status))
                    .SelectMany(group => group.LowCodeExecutions.Select(execution => (group.Type, Execution: execution)))
                    .CountBy(task => task).Select(counted => new WrongCodes(counted.Key.Type, counted.Key.Execution, counted.Value)),
            ],
            SweepBlocked = rows.SweepBlocked,
            BlockingScanAll = blocked ? newestManual : null,
            NewestManualScanAll = newestManual,
            JobService = service,
            OrphanHooks = await collection.OrphanHooksAsync(cancellationToken),
            PausedQueues = paused,
            ScansPausedSince = paused?.Contains(JobType.Scan) == true ? state.Paused?.GetValueOrDefault(JobType.Scan) : null,
            ReadOnly = readOnly,
            NewestSuccess = (await collection.TasksAsync(cancellationToken)).NewestSuccess,
        };
    }

    /// <summary>The paused queues: what Redis says where it can be read, else what Harbor's rows say; null when neither can.</summary>
    public static IReadOnlySet<string>? Paused(OperatorState state, JobServiceEvidence service)
    {
        if (!service.IsUsable) return state.PausedQueues;
        var paused = new HashSet<string>(StringComparer.Ordinal);
        if (service.Scans.Paused) paused.Add(JobType.Scan);
        if (service.Sweeps.Paused) paused.Add(JobType.Sweep);
        return paused;
    }

    /// <summary>What is missing in this collection, and since when; a collection that could not look begins anew.</summary>
    private static Dictionary<long, double> Look(IReadOnlyList<ScanTask> open, JobServiceEvidence service, CollectionSources sources)
    {
        var clock = sources.Time.GetTimestamp() / (double)sources.Time.TimestampFrequency;
        Sighting[] seen = !service.IsUsable ? [] :
        [
            .. from task in open
               let job = Judging.JobOf(task, service)
               where job is not null
               let absence = EvidenceJudge.AbsenceOf(job, service)
               where absence != Absence.None
               select Sighting.Of(task, absence),
        ];
        sources.Sightings = sources.Sightings.Next(seen, clock);
        return seen.DistinctBy(sighting => sighting.TaskId).ToDictionary(sighting => sighting.TaskId, sighting => sources.Sightings.SeenFor(sighting, clock));
    }

    private static async Task<IReadOnlyList<JudgedTask>> JudgeAsync(
        Collection collection, CollectionSources sources, IReadOnlyList<ScanTask> open, Judging judging, CancellationToken cancellationToken)
    {
        // Only tasks in doubt, or stuck whatever their reports say, are worth reading what they name, and reading again.
        ScanTask[] inDoubt = [.. open.Where(judging.IsInDoubt)];
        long[] doubtful = [.. inDoubt.Select(task => task.Id)];
        var again = judging.Service.IsUsable
            ? await collection.ReadAsync((from, token) => TaskLookup.StatesAsync(from, doubtful, token), cancellationToken)
            : null;
        var attributes = await NamedAsync(collection, sources, inDoubt, cancellationToken);
        string[] uuids = [.. attributes.Values.SelectMany(named => named.ReportUuids).Distinct(StringComparer.Ordinal)];
        var reports = await collection.ReadAsync(
            (from, token) => ReportLookup.ReportsAsync(from, uuids, collection.Facts.CanReadSbomReport, sources.ReportAddresses, token), cancellationToken);
        var sharing = await SharingAsync(collection, inDoubt, attributes, reports, cancellationToken);
        var doubted = doubtful.ToHashSet();
        List<JudgedTask> judged = new(open.Count);
        foreach (var task in open)
        {
            var isAgain = again is not null && doubted.Contains(task.Id);
            var now = isAgain ? again!.GetValueOrDefault(task.Id) : null;
            // Final or gone by now: not open.
            if (isAgain && (now is null || !ScanStatus.IsOpen(now.Status))) continue;
            var named = attributes.GetValueOrDefault(task.Id);
            ScanReport[] its = [.. (named?.ReportUuids ?? []).Select(uuid => reports.GetValueOrDefault(uuid)).OfType<ScanReport>()];
            var results = its.Count(report => report.IsResultOf(task.Created, sharing.GetValueOrDefault((task.Id, report.Uuid), ReportSharing.None)));
            var stored = its.Length > 0 && results == named!.ReportUuids.Count;
            judged.Add(new JudgedTask
            {
                Task = task,
                Judgement = isAgain && !now!.IsThatOf(task) ? Judgement.Settling : judging.Judge(task, stored),
                Job = Judging.JobOf(task, judging.Service),
                SeenFor = judging.SeenFor(task),
                Named = named,
                Reports = its,
                Stored = stored,
                EarlierResults = its.Count(report => report.Stored) - results,
            });
        }
        return judged;
    }

    /// <summary>Which other tasks name the reports of tasks in doubt, asked of those alone of which their own time does not tell whose they are.</summary>
    private static async Task<IReadOnlyDictionary<(long Task, string Uuid), ReportSharing>> SharingAsync(
        Collection collection, ScanTask[] inDoubt, IReadOnlyDictionary<long, TaskAttributes> attributes, IReadOnlyDictionary<string, ScanReport> reports, CancellationToken cancellationToken)
    {
        (long, string)[] asked =
        [
            .. from task in inDoubt
               from uuid in attributes.GetValueOrDefault(task.Id)?.ReportUuids ?? []
               where reports.GetValueOrDefault(uuid)?.MayBeOfAnother(task.Created) == true
               select (task.Id, uuid),
        ];
        return await collection.ReadAsync((from, token) => ReportSharingLookup.ReadAsync(from.Connection, from.Transaction, from.Tables, [.. asked.Distinct()], token), cancellationToken);
    }

    /// <summary>What the tasks name. Harbor writes it once: what was read for a task in doubt is kept while it is.</summary>
    private static async Task<IReadOnlyDictionary<long, TaskAttributes>> NamedAsync(
        Collection collection, CollectionSources sources, ScanTask[] inDoubt, CancellationToken cancellationToken)
    {
        var known = collection.Active is null ? new Dictionary<(long, string), TaskAttributes>() : sources.Named;
        long[] unread = [.. inDoubt.Where(task => !known.ContainsKey((task.Id, task.JobId))).Select(task => task.Id)];
        var read = await collection.ReadAsync((from, token) => ReportLookup.AttributesAsync(from, unread, token), cancellationToken);
        var named = new Dictionary<(long Task, string Job), TaskAttributes>(inDoubt.Length);
        foreach (var task in inDoubt)
        {
            if ((known.GetValueOrDefault((task.Id, task.JobId)) ?? read.GetValueOrDefault(task.Id)) is { } its) named[(task.Id, task.JobId)] = its;
        }
        if (collection.Active is not null) sources.Named = named;
        return named.ToDictionary(pair => pair.Key.Task, pair => pair.Value);
    }
}
