using HarborScanExporter.Database;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.JobService;
using HarborScanExporter.Operations;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Remediation;

/// <summary>Looks at Harbor for a repair: the diagnosis anew, and the few things beyond it that a plan asks for. Reads by the scraping role alone.</summary>
internal sealed class LookReader(
    FindingsReader findings, HarborDatabase database, VerdictSightings sightings, ExporterSettings settings, EvidenceReader? evidence = null)
{
    /// <summary>Tasks with a wrong code and robot accounts looked at at once; more come with the next batch.</summary>
    private const int Most = 200;

    private const double Day = 24 * 3600;

    /// <summary>Looks.</summary>
    /// <returns>Null beside the report when it could not.</returns>
    /// <exception cref="Npgsql.NpgsqlException">What is asked beyond the diagnosis could not be read.</exception>
    public async Task<(Look? Look, FindingsReport Report)> LookAsync(CancellationToken cancellationToken) =>
        await LookAsync(await findings.ReadAsync(cancellationToken), cancellationToken);

    /// <summary>Looks at what a plan asks for beyond a report that was made just now.</summary>
    /// <exception cref="Npgsql.NpgsqlException">It could not be read.</exception>
    public async Task<(Look? Look, FindingsReport Report)> LookAsync(FindingsReport report, CancellationToken cancellationToken)
    {
        if (report is not { Diagnosed: { } diagnosed, Facts: { } facts }) return (null, report);
        await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
        string[] jobs = [.. diagnosed.Tasks.Where(task => task.Judgement.IsStuck && task.Task.JobId.Length > 0).Select(task => task.Task.JobId).Distinct(StringComparer.Ordinal)];
        var owners = facts.SchemaVersion < TaskLookup.JobIndexSince ? new Dictionary<string, long>()
            : await snapshot.ReadAsync((from, token) => TaskLookup.OwnersAsync(from, jobs, token), cancellationToken);
        long[] executions = [.. diagnosed.WrongCodes.Select(found => found.ExecutionId).Order()];
        var codes = await snapshot.ReadAsync((from, token) => WrongCodeLookup.ReadAsync(from, executions, Most, token), cancellationToken);
        var robots = settings.Remediation.Robots ? await LeakedAsync(snapshot, diagnosed, cancellationToken) : [];
        return (new Look
        {
            Diagnosed = diagnosed,
            Facts = facts,
            Findings = report.Findings.DistinctBy(finding => finding.Id).ToDictionary(finding => finding.Id, StringComparer.Ordinal),
            SeenFor = sightings.SeenFor(diagnosed),
            JobOwners = owners,
            WrongCodes = await JudgedAsync(codes, cancellationToken),
            LeakedRobots = [.. robots.Select(robot => new LeakedRobot(robot.Id, robot.Created))],
            HasApi = settings.Api is not null,
            RunningLimit = settings.RunningLimit.TotalSeconds,
        }, report);
    }

    private static async Task<IReadOnlyList<RobotRow>> LeakedAsync(Snapshot snapshot, Diagnosed diagnosed, CancellationToken cancellationToken)
    {
        long[] open = [.. diagnosed.Tasks.Select(task => task.Task.Id)];
        var attributes = await snapshot.ReadAsync((from, token) => ReportLookup.AttributesAsync(from, open, token), cancellationToken);
        long[] named = [.. attributes.Values.Select(its => its.RobotId).OfType<long>().Distinct()];
        return await snapshot.ReadAsync((from, token) => RobotLookup.LeakedAsync(from, diagnosed.Now - Day, named, Most, token), cancellationToken);
    }

    /// <summary>Redis is asked about jobs of final rows too; from a part of the queue nothing is concluded.</summary>
    private async Task<IReadOnlyList<WrongCodeTask>> JudgedAsync(IReadOnlyList<WrongCodeRow> codes, CancellationToken cancellationToken)
    {
        string[] jobs = [.. codes.Select(row => row.JobId).Where(job => job.Length > 0).Distinct(StringComparer.Ordinal)];
        var service = evidence is null || codes.Count == 0
            ? JobServiceEvidence.Without(EvidenceState.NotConfigured)
            : await evidence.ReadAsync(jobs, settings.ScrapeTimeout, cancellationToken);
        JobEvidence? JobOf(string id) => service is not { IsUsable: true, ListsReadWhole: true } ? null : id.Length == 0 ? JobEvidence.Nothing : service.Jobs.GetValueOrDefault(id);
        return
        [
            .. codes.Select(row => new WrongCodeTask(
                row.Id, row.ExecutionId, row.Type, row.JobId, new Fence(row.Status, row.Code, row.Revision, Epoch.Usable(row.Updated)), JobOf(row.JobId))),
        ];
    }
}
