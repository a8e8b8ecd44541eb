using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.JobService;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Looks at Harbor for a repair: the diagnosis anew, and the few things beyond it that a plan asks for. Reads by the scraping role alone.</summary>
internal sealed class LookReader(
    FindingsReader findings, OperationsDatabase database, VerdictSightings sightings, ExporterSettings settings, EvidenceReader? evidence = null)
{
    /// <summary>Tasks with a wrong code, robot accounts of ended scans and robot accounts of unknown ones, of one look; a plan counts the others.</summary>
    private const int Most = 2_000;

    /// <summary>Tasks with a wrong code of one plan: while all of them have to be left alone, a plan takes the next.</summary>
    private const int MostCodes = 20_000;

    private const double Day = 24 * 3600;

    /// <summary>Looks.</summary>
    /// <returns>Null beside the report when it could not.</returns>
    /// <exception cref="Npgsql.NpgsqlException">What is asked beyond the diagnosis could not be read.</exception>
    /// <exception cref="AuditException">The audit could not be read.</exception>
    public async Task<(Look? Look, FindingsReport Report)> LookAsync(CancellationToken cancellationToken) =>
        await LookAsync(await findings.ReadAsync(cancellationToken), cancellationToken);

    /// <summary>Looks at what a plan asks for beyond a report that was made just now.</summary>
    /// <exception cref="Npgsql.NpgsqlException">It could not be read.</exception>
    public async Task<(Look? Look, FindingsReport Report)> LookAsync(FindingsReport report, CancellationToken cancellationToken)
    {
        if (report is not { Diagnosed: { } diagnosed, Facts: { } facts }) return (null, report);
        await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
        string[] stuck = [.. diagnosed.Tasks.Where(task => task.Judgement.IsStuck && task.Task.JobId.Length > 0).Select(task => task.Task.JobId).Distinct(StringComparer.Ordinal)];
        var owners = facts.SchemaVersion < HarborSchema.JobIndexSince ? new Dictionary<string, long>()
            : await snapshot.ReadAsync((from, token) => TaskLookup.OwnersAsync(from, stuck, token), cancellationToken);
        long[] executions = [.. diagnosed.WrongCodes.Select(found => found.ExecutionId).Order()];
        var codes = await snapshot.ReadAsync((from, token) => WrongCodeLookup.ReadAsync(from, executions, 0, Most, token), cancellationToken);
        var unlooked = diagnosed.WrongCodes.Sum(found => found.Tasks) - codes.Count;
        var robots = settings.Remediation.Robots ? await LeakedAsync(snapshot, diagnosed, codes, cancellationToken) : RobotsOfScans.None;
        var rescannables = settings.Remediation.Rescan
            ? await OfAuditAsync(snapshot, (from, token) => RescanLookup.ReadAsync(from, settings.Remediation.MaxAttempts, facts.CanReadSbomReport, token), cancellationToken)
            : null;
        var jobs = await JobsAsync(codes.Select(row => row.JobId).Concat(robots.Ended.Select(row => row.JobId)), cancellationToken);
        return (new Look
        {
            Diagnosed = diagnosed,
            Facts = facts,
            Findings = report.Findings.DistinctBy(finding => finding.Id).ToDictionary(finding => finding.Id, StringComparer.Ordinal),
            SeenFor = sightings.SeenFor(diagnosed),
            JobOwners = owners,
            WrongCodes = [.. codes.Select(row => WrongCode(row, jobs))],
            UnlookedCodes = unlooked,
            LeakedRobots =
            [
                .. robots.Ended.Select(robot => new LeakedRobot(robot.Id, robot.Created) { EndedBy = robot.Repair, Job = jobs(robot.JobId) }),
                .. robots.Leaked.Where(robot => robots.Ended.All(ended => ended.Id != robot.Id)).Select(robot => new LeakedRobot(robot.Id, robot.Created)),
            ],
            OpenWithoutRobot = robots.OpenWithoutRobot,
            Rescannables = (rescannables ?? RescannablesRead.None).Found,
            Refusals =
            [
                .. Unlooked(Inconsistency.FinalStatusWrongCode, unlooked),
                .. Unlooked(RobotPlanning.Leaked, robots.Unlooked),
                .. Unlooked(RescanPlanning.Repaired, (rescannables ?? RescannablesRead.None).Unlooked),
            ],
            HasApi = settings.Api is not null,
        }, report);
    }

    /// <summary>The look with the wrong codes that follow those that it has; null when it has them all, or as many as one plan takes.</summary>
    /// <exception cref="Npgsql.NpgsqlException">They could not be read.</exception>
    public async Task<Look?> FurtherAsync(Look look, CancellationToken cancellationToken)
    {
        if (look.UnlookedCodes <= 0 || look.WrongCodes.Count is 0 or >= MostCodes) return null;
        await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
        long[] executions = [.. look.Diagnosed.WrongCodes.Select(found => found.ExecutionId).Order()];
        var after = look.WrongCodes.Max(task => task.Id);
        var codes = await snapshot.ReadAsync((from, token) => WrongCodeLookup.ReadAsync(from, executions, after, Most, token), cancellationToken);
        if (codes.Count == 0) return null;
        var jobs = await JobsAsync(codes.Select(row => row.JobId), cancellationToken);
        var unlooked = look.UnlookedCodes - codes.Count;
        return look with
        {
            WrongCodes = [.. look.WrongCodes, .. codes.Select(row => WrongCode(row, jobs))],
            UnlookedCodes = unlooked,
            Refusals =
            [
                .. look.Refusals.Where(refusal => refusal is not { Verdict: Inconsistency.FinalStatusWrongCode, Reason: SkipReason.NotLookedAt }),
                .. Unlooked(Inconsistency.FinalStatusWrongCode, unlooked),
            ],
        };
    }

    /// <summary>The look with what it and those before it show of scans that began or succeeded; the audit tells which of these a repair made.</summary>
    public Look WithLife(Look look, RepairHistory history) => look with { LifeAge = sightings.LifeAge(look.Diagnosed, history.NewestOwnSuccess) };

    private static WrongCodeTask WrongCode(WrongCodeRow row, Func<string, JobEvidence?> jobs) => new(
        row.Id, row.ExecutionId, row.Type, row.JobId, new Fence(row.Status, row.Code, row.Revision, Epoch.Usable(row.Updated)), jobs(row.JobId));

    private async Task<RobotsOfScans> LeakedAsync(Snapshot snapshot, Diagnosed diagnosed, IReadOnlyList<WrongCodeRow> codes, CancellationToken cancellationToken)
    {
        // The job of a row with a final word and a lower code may live, and with it its account.
        long[] open = [.. diagnosed.Tasks.Select(task => task.Task.Id), .. codes.Select(row => row.Id)];
        var attributes = await snapshot.ReadAsync((from, token) => ReportLookup.AttributesAsync(from, open, token), cancellationToken);
        long[] named = [.. attributes.Values.Select(its => its.RobotId).OfType<long>().Distinct()];
        var leaked = await snapshot.ReadAsync((from, token) => RobotLookup.LeakedAsync(from, diagnosed.Now - Day, named, Most, token), cancellationToken);
        var ended = await OfAuditAsync(snapshot, (from, token) => EndedRobotLookup.ReadAsync(from, named, Most, token), cancellationToken) ?? [];
        return new RobotsOfScans(leaked, ended,
            [.. diagnosed.Tasks.Where(task => attributes.GetValueOrDefault(task.Task.Id)?.RobotId is null).Select(task => task.Task.Created)]);
    }

    private static IEnumerable<Refusal> Unlooked(string verdict, long count) => count <= 0 ? [] :
    [
        new Refusal(null, verdict, SkipReason.NotLookedAt, "They are more than one look takes, which begins with the oldest; they are looked at when those are gone.") { Count = count },
    ];

    /// <summary>Reads from the audit; null where repairs are off and there is none, as nothing was ever repaired there.</summary>
    private async Task<T?> OfAuditAsync<T>(Snapshot snapshot, Func<Snapshot, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await AuditException.GuardAsync(() => snapshot.ReadAsync(read, cancellationToken));
        }
        catch (AuditException error) when (settings.Remediation.Mode == RemediationMode.Off && error.InnerException is PostgresException cause && AuditException.IsAbsent(cause))
        {
            return null;
        }
    }

    /// <summary>Redis is asked about jobs of final rows too; from a part of the queue nothing is concluded.</summary>
    private async Task<Func<string, JobEvidence?>> JobsAsync(IEnumerable<string> ids, CancellationToken cancellationToken)
    {
        string[] all = [.. ids];
        string[] jobs = [.. all.Where(job => job.Length > 0).Distinct(StringComparer.Ordinal)];
        var service = evidence is null || all.Length == 0
            ? JobServiceEvidence.Without(EvidenceState.NotConfigured)
            : await evidence.ReadAsync(jobs, settings.ScrapeTimeout, cancellationToken);
        return id => service is not { IsUsable: true, ListsReadWhole: true } ? null : id.Length == 0 ? JobEvidence.Nothing : service.Jobs.GetValueOrDefault(id);
    }

    private sealed record RobotsOfScans(IReadOnlyList<RobotRow> Leaked, IReadOnlyList<EndedRobotRow> Ended, IReadOnlyList<double?> OpenWithoutRobot)
    {
        public static RobotsOfScans None { get; } = new([], [], []);

        /// <summary>Those beyond the bounds of the read.</summary>
        public long Unlooked => Beyond(Leaked.Select(robot => robot.Total), Leaked.Count) + Beyond(Ended.Select(robot => robot.Total), Ended.Count);

        private static long Beyond(IEnumerable<long> totals, int read) => totals.FirstOrDefault() - read;
    }
}
