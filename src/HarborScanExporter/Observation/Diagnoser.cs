using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Observation;

/// <summary>Brings rows, Redis and limits together: reads the tasks in doubt once more, with what they name, and has them judged.</summary>
internal sealed class Diagnoser(ObservationMemory memory, Limits limits, TimeProvider time, bool remembers)
{
    /// <summary>The order in which tasks are judged when there are more than one observation takes.</summary>
    public static IEnumerable<ScanTask> OldestFirst(IReadOnlyList<ScanTask> open) =>
        open.OrderBy(task => task.Created ?? task.ExecutionStarted ?? 0).ThenBy(task => task.Id);

    /// <summary>Diagnoses what was read.</summary>
    /// <param name="seen">The observation, with all parts but this one.</param>
    /// <param name="reader">The snapshot after Redis.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public async Task<Diagnosed> DiagnoseAsync(HarborObservation seen, SnapshotReader reader, CancellationToken cancellationToken)
    {
        var facts = seen.Facts!;
        var (open, service, doubtful, state, readOnly) = (seen.OpenTasks!.Value, seen.JobService!.Value, seen.ExecutionsInDoubt!.Value, seen.OperatorState!.Value, seen.ReadOnly!.Value);
        var (counted, executions) = (seen.Tasks!.Value, seen.Executions!.Value);
        var paused = HarborObservation.Paused(state, service);
        var evidence = new RowEvidence
        {
            Now = facts.Now,
            OpenTasks = open.Count,
            AcknowledgedBacklog = open.Any(task => !task.IsRunning && task.IsAcknowledged),
            Hooks = HookActivity.Of(counted.Hooks, facts.Now),
            QueuePaused = paused?.Contains(JobType.Scan) ?? false,
            ReadOnly = readOnly ?? false,
        };
        var judging = new Judging(evidence, service, limits, Missing(open, service));
        var tasks = await JudgeAsync(open, judging, facts.CanReadSbomReport, reader, cancellationToken);
        var newestManual = executions.NewestManualScanAll;
        var blocked = ScanAllBlock.Holds(
            newestManual,
            doubtful.Inconsistent.FirstOrDefault(found => found.Execution.Id == newestManual?.Id)?.Kind,
            [.. tasks.Where(task => task.Task.ExecutionId == newestManual?.Id).Select(task => task.Judgement)]);
        return new Diagnosed
        {
            Now = evidence.Now,
            SchemaVersion = facts.SchemaVersion,
            Tasks = tasks,
            Executions = doubtful.Inconsistent,
            WrongCodes =
            [
                .. counted.Scans.Where(group => ScanStatus.IsFinal(group.Status))
                    .SelectMany(group => group.LowCodeExecutions.Select(execution => (group.Type, Execution: execution)))
                    .CountBy(task => task).Select(count => new WrongCodes(count.Key.Type, count.Key.Execution, count.Value)),
            ],
            SweepBlocked = doubtful.SweepBlocked,
            BlockingScanAll = blocked ? newestManual : null,
            NewestManualScanAll = newestManual,
            JobService = service,
            OrphanHooks = seen.OrphanHooks!.Value,
            PausedQueues = paused,
            ScansPausedSince = paused?.Contains(JobType.Scan) == true ? state.Paused?.GetValueOrDefault(JobType.Scan) : null,
            ReadOnly = readOnly,
            NewestSuccess = counted.NewestSuccess,
        };
    }

    /// <summary>What is missing now, and since when; an observation that could not look begins anew.</summary>
    private Dictionary<long, double> Missing(IReadOnlyList<ScanTask> open, JobServiceEvidence service)
    {
        var clock = time.GetTimestamp() / (double)time.TimestampFrequency;
        Sighting[] seen = !service.IsUsable ? [] :
        [
            .. from task in open
               let job = Judging.JobOf(task, service)
               where job is not null
               let absence = EvidenceJudge.AbsenceOf(job, service)
               where absence != Absence.None
               select Sighting.Of(task, absence),
        ];
        memory.Sightings = memory.Sightings.Next(seen, clock);
        return seen.DistinctBy(sighting => sighting.TaskId).ToDictionary(sighting => sighting.TaskId, sighting => memory.Sightings.SeenFor(sighting, clock));
    }

    private async Task<IReadOnlyList<JudgedTask>> JudgeAsync(
        IReadOnlyList<ScanTask> open, Judging judging, bool readsSboms, SnapshotReader reader, CancellationToken cancellationToken)
    {
        // Only tasks in doubt, or stuck whatever their reports say, are worth reading what they name, and reading again.
        ScanTask[] inDoubt = [.. open.Where(judging.IsInDoubt)];
        long[] doubtful = [.. inDoubt.Select(task => task.Id)];
        var again = judging.Service.IsUsable
            ? await reader.ReadAsync((from, token) => TaskLookup.StatesAsync(from, doubtful, token), cancellationToken)
            : null;
        var attributes = await NamedAsync(reader, inDoubt, cancellationToken);
        string[] uuids = [.. attributes.Values.SelectMany(named => named.ReportUuids).Distinct(StringComparer.Ordinal)];
        var reports = await reader.ReadAsync(
            (from, token) => ReportLookup.ReportsAsync(from, uuids, readsSboms, memory.ReportAddresses, token), cancellationToken);
        var sharing = await SharingAsync(reader, inDoubt, attributes, reports, cancellationToken);
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
        SnapshotReader reader, ScanTask[] inDoubt, IReadOnlyDictionary<long, TaskAttributes> attributes, IReadOnlyDictionary<string, ScanReport> reports, CancellationToken cancellationToken)
    {
        (long, string)[] asked =
        [
            .. from task in inDoubt
               from uuid in attributes.GetValueOrDefault(task.Id)?.ReportUuids ?? []
               where reports.GetValueOrDefault(uuid)?.MayBeOfAnother(task.Created) == true
               select (task.Id, uuid),
        ];
        return await reader.ReadAsync((from, token) => ReportSharingLookup.ReadAsync(from.Connection, from.Transaction, from.Tables, [.. asked.Distinct()], token), cancellationToken);
    }

    /// <summary>What the tasks name. Harbor writes it once: what was read for a task in doubt is kept while it is.</summary>
    private async Task<IReadOnlyDictionary<long, TaskAttributes>> NamedAsync(SnapshotReader reader, ScanTask[] inDoubt, CancellationToken cancellationToken)
    {
        var known = remembers ? memory.Named : new Dictionary<(long, string), TaskAttributes>();
        long[] unread = [.. inDoubt.Where(task => !known.ContainsKey((task.Id, task.JobId))).Select(task => task.Id)];
        var read = await reader.ReadAsync((from, token) => ReportLookup.AttributesAsync(from, unread, token), cancellationToken);
        var named = new Dictionary<(long Task, string Job), TaskAttributes>(inDoubt.Length);
        foreach (var task in inDoubt)
        {
            if ((known.GetValueOrDefault((task.Id, task.JobId)) ?? read.GetValueOrDefault(task.Id)) is { } its) named[(task.Id, task.JobId)] = its;
        }
        if (remembers) memory.Named = named;
        return named.ToDictionary(pair => pair.Key.Task, pair => pair.Value);
    }
}
