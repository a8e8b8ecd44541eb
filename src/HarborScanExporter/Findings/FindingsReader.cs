using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;
using HarborScanExporter.Observation;

namespace HarborScanExporter.Findings;

/// <summary>Looks at Harbor through the same gate as a scrape, and reads who is blocked by what it finds.</summary>
internal sealed class FindingsReader(ObservationGate gate, OperationsDatabase database, ExporterSettings settings, FailureLog log, TimeProvider time)
{
    /// <summary>Stuck tasks whose artifacts are looked up; the oldest. More than that is one trouble, not thousands.</summary>
    private const int MostDetailed = 5_000;

    private const string LookUp = "The look-up of whose artifacts are blocked";

    /// <summary>Looks once.</summary>
    /// <param name="cancellationToken">Whoever asked went away.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<FindingsReport> ReadAsync(CancellationToken cancellationToken)
    {
        var seen = await gate.ObserveAsync(settings.ScrapeTimeout, cancellationToken);
        if (seen.Diagnosed is not { } diagnosed)
        {
            var failure = seen.Failure ?? seen.Diagnosis!.Failure!;
            var reason = FailureReason.Of(failure);
            var problem = $"Harbor's database could not be read {(seen.IsCutShort ? $"({reason}). {FailureReason.Mend(reason)}" : FailureReason.Told(failure))}";
            return new FindingsReport { State = new ScanningState(ScanningLevel.Unknown, problem), Problem = problem, Facts = seen.Facts, Observation = seen };
        }
        var limits = Limits.From(settings);
        var (artifacts, unplaced) = await ArtifactsAsync(diagnosed, seen.Facts!, cancellationToken);
        var robots = seen.Whole.LeakedRobots is { Failure: null } leaked ? leaked.Value : (long?)null;
        Finding[] findings =
        [
            .. SystemFindings.Of(diagnosed, robots, limits)
                .Concat(ExecutionFindings.Of(diagnosed))
                .Concat(diagnosed.Tasks.Where(task => task.Judgement.IsStuck).Select(task => TaskFindings.Of(task, artifacts.Of(task), diagnosed, limits)))
                .OrderBy(finding => finding.Severity).ThenBy(finding => finding.Kind).ThenBy(finding => finding.Since ?? double.MaxValue).ThenBy(finding => finding.Id, StringComparer.Ordinal),
        ];
        return new FindingsReport
        {
            State = ScanningState.Of(diagnosed, findings),
            Now = diagnosed.Now,
            Findings = findings,
            Unplaced = unplaced,
            Diagnosed = diagnosed,
            Facts = seen.Facts,
            Observation = seen,
        };
    }

    private async Task<(HeldArtifacts Artifacts, string? Unplaced)> ArtifactsAsync(Diagnosed diagnosed, DatabaseFacts facts, CancellationToken cancellationToken)
    {
        JudgedTask[] all = [.. diagnosed.Tasks.Where(task => task.Judgement.IsStuck).OrderByDescending(task => task.Task.AgeAt(diagnosed.Now))];
        if (all.Length == 0) return (HeldArtifacts.None, null);
        JudgedTask[] stuck = [.. all.Take(MostDetailed)];
        try
        {
            // As with a collection, a call on a frozen network is given up and ends by itself later.
            var held = await HeldByAsync(stuck, facts, cancellationToken).WaitAsync(settings.ScrapeTimeout, time, cancellationToken);
            log.Succeeded(LookUp);
            return (held, stuck.Length == all.Length ? null
                : $"Whose artifacts are blocked was looked up for the oldest {Words.Number(stuck.Length)} of {Words.Number(all.Length)} stuck scans only.");
        }
        catch (Exception error) when (error is Npgsql.NpgsqlException or IOException or TimeoutException)
        {
            // The verdicts stand without the names of those they block.
            var reason = FailureReason.Of(error);
            log.Failed(LookUp, reason, error);
            return (HeldArtifacts.None, $"Whose artifacts the stuck scans block could not be looked up ({reason}): {FailureReason.Words(error)}. {FailureReason.Mend(reason)}");
        }
    }

    private async Task<HeldArtifacts> HeldByAsync(JudgedTask[] stuck, DatabaseFacts facts, CancellationToken cancellationToken)
    {
        await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
        long[] ids = [.. stuck.Select(task => task.Named?.ArtifactId).OfType<long>().Distinct()];
        var scanned = await snapshot.ReadAsync((from, token) => ArtifactLookup.ByIdAsync(from, ids, token), cancellationToken);
        string[] digests = [.. stuck.SelectMany(task => task.Reports.Select(report => report.Digest)).OfType<string>().Concat(scanned.Select(artifact => artifact.Digest)).Distinct(StringComparer.Ordinal)];
        var holding = await snapshot.ReadAsync((from, token) => ArtifactLookup.ByDigestAsync(from, digests, token), cancellationToken);
        long[] projects = [.. holding.Select(artifact => artifact.ProjectId).Distinct()];
        var preventing = facts.CanReadProjectMetadata
            ? await snapshot.ReadAsync((from, token) => ArtifactLookup.PreventingAsync(from, projects, token), cancellationToken)
            : null;
        return new HeldArtifacts(scanned, holding, preventing);
    }

    private sealed class HeldArtifacts(IReadOnlyList<ArtifactPlace> scanned, IReadOnlyList<ArtifactPlace> holding, IReadOnlySet<long>? preventing)
    {
        private readonly Dictionary<long, ArtifactPlace> _scanned = scanned.ToDictionary(artifact => artifact.ArtifactId);
        private readonly ILookup<string, ArtifactPlace> _places = holding.ToLookup(artifact => artifact.Digest, StringComparer.Ordinal);

        public static HeldArtifacts None { get; } = new([], [], null);

        public IReadOnlyList<BlockedArtifact> Of(JudgedTask task)
        {
            var own = task.Named?.ArtifactId is { } id ? _scanned.GetValueOrDefault(id) : null;
            var digests = task.Reports.Select(report => report.Digest).Append(own?.Digest).OfType<string>().Distinct(StringComparer.Ordinal);
            // An SBOM is refused to the artifact alone, a scan to whoever holds the digest.
            var places = task.RefusesSbom ? new[] { own }.OfType<ArtifactPlace>() : digests.SelectMany(digest => _places[digest]);
            return [.. places.Select(place => new BlockedArtifact(place.Repository.Split('/')[0], place.Repository, place.Digest, preventing?.Contains(place.ProjectId)))];
        }
    }
}
