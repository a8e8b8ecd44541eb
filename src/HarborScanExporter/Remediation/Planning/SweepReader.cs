using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>
/// Searches for old executions that Harbor does not remove, by the scraping role: first all scan executions by falling id, in short transactions
/// of a page each, then, from the oldest on, what those beyond the retention still hold.
/// </summary>
internal sealed class SweepReader(OperationsDatabase database, ExporterSettings settings, TimeProvider time, SystemInfoClient? api = null)
{
    /// <summary>Executions of one page.</summary>
    private const int Rows = 1_000;

    /// <summary>Executions that are looked at closely in one transaction.</summary>
    private const int Part = 200;

    /// <summary>The oldest superseded executions that are remembered.</summary>
    private const int MostSuperseded = 20_000;

    /// <summary>Artifacts of one kind that are kept track of: some 12 MB.</summary>
    private const int MostArtifacts = 500_000;

    /// <summary>Beyond so many tasks the images of one execution are too long for a line of the audit: some 3 MB of JSON.</summary>
    public const long MostTasks = 5_000;

    private const double Day = 24 * 3600;

    /// <summary>Alerts come again every few minutes; what grows within an hour is little.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromHours(1);

    /// <summary>When an alert's search last came to its end. What a person searches for a plan or a dry run removes nothing, and so does not stand for it.</summary>
    private long? _searched;

    /// <summary>Searches; null for an alert within an hour of another alert's search that came to its end.</summary>
    /// <param name="source">Who asks: one of <see cref="RunSource"/>.</param>
    /// <param name="cancellationToken">Gives the search up.</param>
    /// <exception cref="Npgsql.NpgsqlException">The database is away or refuses.</exception>
    public async Task<SweepFound?> FindAsync(string source, CancellationToken cancellationToken)
    {
        if (source == RunSource.Alert && _searched is { } last && time.GetElapsedTime(last) < Rest) return null;
        var found = await SearchAsync(cancellationToken);
        if (source == RunSource.Alert) _searched = time.GetTimestamp();
        return found;
    }

    private async Task<SweepFound> SearchAsync(CancellationToken cancellationToken)
    {
        var (facts, refusals) = await NeedAsync(cancellationToken);
        string[] types = [.. ScanType.All.Where(type => refusals.All(refusal => refusal.Type != type))];
        if (types.Length == 0) return new SweepFound([], refusals);
        if (facts is { HasSbomReport: true, CanReadSbomReport: false })
        {
            return new SweepFound([], [new Refusal(null, SweepPlanning.Beyond, SkipReason.NoProof,
                "Whether the report of a task still exists cannot be seen: the scraping role may not read sbom_report. Run deploy/sql/01-scraping-role.sql again.")]);
        }
        var superseded = await SupersededAsync(types, facts.SchemaVersion, refusals, cancellationToken);
        var candidates = await CandidatesAsync(superseded, facts, refusals, cancellationToken);
        return new SweepFound(candidates, refusals);
    }

    private async Task<(DatabaseFacts Facts, List<Refusal> Refusals)> NeedAsync(CancellationToken cancellationToken)
    {
        await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
        var facts = await snapshot.ReadAsync(SchemaProbe.ReadAsync, cancellationToken);
        var isTold = facts.SchemaVersion == HarborSchema.LastWithForeignKeyFailure;
        var hasFailed = isTold && await snapshot.ReadAsync(SweepLookup.NewestSweepFailedAsync, cancellationToken);
        // A Harbor that does not tell its release leaves the newest sweep to decide.
        var release = isTold && api is not null ? (await api.AskAsync(cancellationToken))?.Version : null;
        return (facts,
        [
            .. from type in ScanType.All
               where type != ScanType.Sbom || facts.HasSbomReport
               let why = SweepNeed.Refusal(type, facts.SchemaVersion, release, hasFailed)
               where why is not null
               select new Refusal(null, SweepPlanning.Beyond, SkipReason.HarborSweeps, why) { Type = type },
        ]);
    }

    /// <summary>The oldest executions beyond the retention, oldest first.</summary>
    private async Task<IReadOnlyList<Superseded>> SupersededAsync(string[] types, long schemaVersion, List<Refusal> refusals, CancellationToken cancellationToken)
    {
        var retention = new Retention(HarborSchema.Retained(schemaVersion, ScanType.ScanAll) ?? 1, MostArtifacts);
        var oldest = new Queue<Superseded>();
        var (before, newer) = (long.MaxValue, 0L);
        while (true)
        {
            await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
            var page = await snapshot.ReadAsync((from, token) => SweepLookup.PageAsync(from, before, types, Rows, token), cancellationToken);
            foreach (var row in page)
            {
                var artifact = ExecutionAttributes.ArtifactOf(row.ExtraAttributes);
                if (retention.Meet(row.Id, row.Type, artifact, Epoch.Usable(row.Started)) is not { } by) continue;
                oldest.Enqueue(new Superseded(row.Id, row.Type, artifact ?? 0, by));
                if (oldest.Count <= MostSuperseded) continue;
                oldest.Dequeue();
                newer++;
            }
            if (page.Count < Rows)
            {
                refusals.AddRange(Unlooked(newer, $"They lie beyond the retention, and {Words.Number(MostSuperseded)} older ones do too, which are looked at first."));
                refusals.AddRange(Unlooked(retention.Untracked, $"They are of more artifacts than a search keeps track of ({Words.Number(MostArtifacts)})."));
                return [.. oldest.Reverse()];
            }
            before = page[^1].Id;
        }
    }

    private async Task<IReadOnlyList<SweepCandidate>> CandidatesAsync(
        IReadOnlyList<Superseded> superseded, DatabaseFacts facts, List<Refusal> refusals, CancellationToken cancellationToken)
    {
        List<SweepCandidate> candidates = [];
        // More than this no run may remove.
        var most = SweepPlanning.Share(Math.Min(settings.Remediation.MaxPerHour, settings.Remediation.MaxPerDay));
        var looked = 0;
        foreach (var part in superseded.Chunk(Part))
        {
            if (candidates.Count >= most) break;
            looked += part.Length;
            await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
            long[] ids = [.. part.Select(one => one.Id)];
            var executions = await snapshot.ReadAsync((from, token) => SweepLookup.ByIdAsync(from, ids, token), cancellationToken);
            var tasks = await snapshot.ReadAsync((from, token) => SweepLookup.TasksAsync(from, ids, token), cancellationToken);
            SweepCandidate[] over =
            [
                .. from one in part
                   let execution = executions.GetValueOrDefault(one.Id)
                   let its = tasks.GetValueOrDefault(one.Id) ?? new SweepLookup.TasksRow()
                   where IsOver(execution, its, facts.Now)
                   select new SweepCandidate(one.Id, one.Type, execution.Status!, execution.Started!.Value, execution.Revision, its.Tasks, one.ArtifactId, one.Newer),
            ];
            refusals.AddRange(over.Where(one => one.Tasks > MostTasks).Select(one => new Refusal(FindingId.OfExecution(one.Id), SweepPlanning.Beyond, SkipReason.TooLarge,
                $"It has {Words.Number(one.Tasks)} tasks, more than the audit can hold for an undo ({Words.Number(MostTasks)}). Remove it by hand.") { Type = one.Type, ExecutionId = one.Id }));
            foreach (var few in new SweepFound([.. over.Where(one => one.Tasks <= MostTasks)], []).Parts(Part, MostTasks))
                candidates.AddRange(await WithoutReportsAsync(snapshot, few, facts, cancellationToken));
        }
        refusals.AddRange(Unlooked(superseded.Count - looked + Math.Max(0, candidates.Count - most), "They may lie beyond the retention; as many as may be removed within an hour were found before them."));
        return [.. candidates.Take(most)];
    }

    private static IEnumerable<Refusal> Unlooked(long count, string text) =>
        count <= 0 ? [] : [new Refusal(null, SweepPlanning.Beyond, SkipReason.NotLookedAt, text) { Count = count }];

    /// <summary>Over for a day, and as Harbor's own final path leaves it.</summary>
    private static bool IsOver([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] SweepLookup.ExecutionRow? execution, SweepLookup.TasksRow tasks, double now) =>
        execution is not null && ScanStatus.IsFinal(execution.Status) && Epoch.Usable(execution.Started) is not null
        && execution.Changed < now - Day && (tasks.Changed ?? 0) < now - Day
        && tasks.OverTasks == tasks.Tasks;

    private static async Task<IReadOnlyList<SweepCandidate>> WithoutReportsAsync(
        Snapshot snapshot, IReadOnlyList<SweepCandidate> over, DatabaseFacts facts, CancellationToken cancellationToken)
    {
        long[] ids = [.. over.Select(one => one.Id)];
        var attributes = await snapshot.ReadAsync((from, token) => SweepLookup.AttributesAsync(from, ids, token), cancellationToken);
        string[] uuids = [.. attributes.SelectMany(its => its).SelectMany(task => task.Named.ReportUuids).Where(uuid => uuid.Length > 0).Distinct(StringComparer.Ordinal)];
        var reports = await snapshot.ReadAsync((from, token) => ReportLookup.ReportsAsync(from, uuids, facts.CanReadSbomReport, null, token), cancellationToken);
        (long, string)[] kept = [.. from its in attributes from task in its from uuid in task.Named.ReportUuids where reports.ContainsKey(uuid) select (task.Task, uuid)];
        var sharing = await snapshot.ReadAsync((from, token) => ReportSharingLookup.ReadAsync(from.Connection, from.Transaction, from.Tables, kept, token), cancellationToken);
        return
        [
            .. over.Where(one => attributes[one.Id].All(task => NamedReports.AreGone(
                task.Named, one.Id, reports.ContainsKey, uuid => sharing.GetValueOrDefault((task.Task, uuid), ReportSharing.None)))),
        ];
    }
}
