using System.Text.Json;
using System.Text.Json.Serialization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Metrics.Collectors;
using HarborScanExporter.Observation;

namespace HarborScanExporter.Http;

/// <summary>
/// A report as JSON: the answer of GET /api/v1/findings and of <c>check --output json</c>. Its shape is described in openapi.yaml and changes
/// only by additions while <see cref="Version"/> stays.
/// </summary>
internal sealed record FindingsDocument
{
    public const string CurrentVersion = "v1";

    public string Version { get; init; } = CurrentVersion;

    /// <summary>The database's clock at the look; null when it could not look.</summary>
    public DateTimeOffset? GeneratedAt { get; init; }

    public required StatePart State { get; init; }

    public required SummaryPart Summary { get; init; }

    public ScanAllPart? ScanAll { get; init; }

    public required JobServicePart JobService { get; init; }

    /// <summary>What the look could not see, a sentence each; null when it saw everything.</summary>
    public IReadOnlyList<string>? Incomplete { get; init; }

    /// <summary>How many findings fit the filter, on all pages.</summary>
    public required int Total { get; init; }

    public required int Page { get; init; }

    public required int PageSize { get; init; }

    public required IReadOnlyList<FindingPart> Findings { get; init; }

    /// <summary>Makes the document of one page.</summary>
    /// <param name="report">The report.</param>
    /// <param name="findings">The findings that fit the filter, of all pages.</param>
    /// <param name="page">From 1.</param>
    /// <param name="pageSize">Findings on a page.</param>
    public static FindingsDocument Of(FindingsReport report, IReadOnlyList<Finding> findings, int page, int pageSize) => new()
    {
        GeneratedAt = TimeOf(report.Now),
        State = new StatePart(report.State.Level, report.State.Sentence),
        Summary = SummaryPart.Of(report),
        ScanAll = ScanAllPart.Of(report),
        JobService = JobServicePart.Of(report),
        Incomplete = report.Incomplete is { Count: > 0 } incomplete ? incomplete : null,
        Total = findings.Count,
        Page = page,
        PageSize = pageSize,
        Findings = [.. findings.Skip((int)Math.Min(int.MaxValue, (page - 1L) * pageSize)).Take(pageSize).Select(finding => FindingPart.Of(finding, report.Now))],
    };

    /// <summary>The document as text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, FindingsJson.Default.FindingsDocument);

    /// <summary>The samples of a look, by whose words the document counts; whether they are in the metrics too does not matter.</summary>
    private static IReadOnlyList<Sample> SamplesOf(FindingsReport report, params ReadOnlySpan<ICollector> collectors)
    {
        var samples = new Samples();
        foreach (var collector in collectors)
        {
            if (Topic.All.Single(topic => topic.Name == collector.Name).OutcomeOf(report.Observation).CanBeTold) collector.Write(report.Observation, samples);
        }
        return samples.All;
    }

    internal static DateTimeOffset? TimeOf(double? epoch) =>
        epoch is { } seconds ? DateTimeOffset.FromUnixTimeMilliseconds((long)(Math.Clamp(seconds, 0, 253_402_300_799) * 1000)) : null;

    /// <summary>The state of scanning.</summary>
    internal sealed record StatePart(ScanningLevel Level, string Sentence);

    /// <summary>The numbers of the look; the words are those of the metrics' labels, and only those that are not 0 are there.</summary>
    internal sealed record SummaryPart
    {
        public required int OpenTasks { get; init; }

        /// <summary>By type, then verdict.</summary>
        public required SortedDictionary<string, SortedDictionary<string, int>> StuckTasks { get; init; }

        /// <summary>By type, then state.</summary>
        public required SortedDictionary<string, SortedDictionary<string, int>> LiveTasks { get; init; }

        /// <summary>By type, then kind.</summary>
        public required SortedDictionary<string, SortedDictionary<string, long>> Inconsistencies { get; init; }

        public required int BlockedArtifacts { get; init; }

        public required bool ScanAllBlocked { get; init; }

        /// <summary>Null when it could not look.</summary>
        public ManualScanAllPart? ManualScanAll { get; init; }

        public bool? ReadOnly { get; init; }

        public IReadOnlyList<string>? PausedQueues { get; init; }

        public static SummaryPart Of(FindingsReport report)
        {
            var samples = SamplesOf(report, new DiagnosisCollector(), new OrphanReportsCollector());
            return new SummaryPart
            {
                OpenTasks = report.Diagnosed?.Tasks.Count ?? 0,
                StuckTasks = ByWord(samples, DiagnosisCollector.Stuck, 2, value => (int)value, (left, right) => left + right),
                LiveTasks = ByWord(samples, DiagnosisCollector.Live, 1, value => (int)value, (left, right) => left + right),
                Inconsistencies = ByWord(samples, DiagnosisCollector.Inconsistencies, 1, value => (long)value, (left, right) => left + right),
                BlockedArtifacts = (int)(ValueOf(samples, DiagnosisCollector.BlockedArtifacts) ?? 0),
                ScanAllBlocked = report.Diagnosed?.BlockingScanAll is not null,
                ManualScanAll = ManualScanAllPart.Of(report.Diagnosed),
                ReadOnly = report.Diagnosed?.ReadOnly,
                PausedQueues = report.Diagnosed?.PausedQueues?.Order(StringComparer.Ordinal).ToArray(),
            };
        }

        private static SortedDictionary<string, SortedDictionary<string, T>> ByWord<T>(
            IReadOnlyList<Sample> samples, Family family, int label, Func<double, T> value, Func<T, T, T> add)
        {
            var byType = new SortedDictionary<string, SortedDictionary<string, T>>(StringComparer.Ordinal);
            foreach (var sample in samples.Where(sample => ReferenceEquals(sample.Family, family) && sample.Value != 0))
            {
                if (!byType.TryGetValue(sample.Labels[0], out var words)) byType[sample.Labels[0]] = words = new(StringComparer.Ordinal);
                words[sample.Labels[label]] = words.TryGetValue(sample.Labels[label], out var before) ? add(before, value(sample.Value)) : value(sample.Value);
            }
            return byType;
        }
    }

    /// <summary>What Harbor would answer now to the request for a manual scan-all.</summary>
    internal sealed record ManualScanAllPart(bool Refused, string? Reason, long? ExecutionId, DateTimeOffset? Since)
    {
        public static ManualScanAllPart? Of(Diagnosed? diagnosed)
        {
            if (diagnosed is null) return null;
            var answer = ManualScanAll.Of(diagnosed);
            return new ManualScanAllPart(answer.IsRefused, answer.Reason, answer.By?.Id, TimeOf(answer.By?.Started));
        }
    }

    /// <summary>The newest scan-all.</summary>
    internal sealed record ScanAllPart
    {
        public DateTimeOffset? StartedAt { get; init; }

        /// <summary>Its tasks by status, those that are not 0.</summary>
        public required SortedDictionary<string, long> Tasks { get; init; }

        /// <summary>Tasks that are over.</summary>
        public required long Done { get; init; }

        public required long Total { get; init; }

        public static ScanAllPart? Of(FindingsReport report)
        {
            var samples = SamplesOf(report, new ScanAllCollector());
            if (ValueOf(samples, ScanAllCollector.Start) is not { } start) return null;
            var tasks = new SortedDictionary<string, long>(samples.Where(sample => ReferenceEquals(sample.Family, ScanAllCollector.Tasks) && sample.Value != 0)
                .ToDictionary(sample => sample.Labels[0], sample => (long)sample.Value, StringComparer.Ordinal), StringComparer.Ordinal);
            return new ScanAllPart
            {
                StartedAt = TimeOf(start),
                Tasks = tasks,
                Done = tasks.Where(status => !ScanStatus.IsOpen(status.Key)).Sum(status => status.Value),
                Total = tasks.Values.Sum(),
            };
        }
    }

    /// <summary>The job service as its Redis shows it.</summary>
    internal sealed record JobServicePart
    {
        /// <summary>not_configured, usable, unreachable, refused or empty.</summary>
        public required string Evidence { get; init; }

        public string? Problem { get; init; }

        public bool? Up { get; init; }

        public int? AlivePools { get; init; }

        public int? DeadPools { get; init; }

        public int? Workers { get; init; }

        public int? BusyWorkers { get; init; }

        public int? GhostWorkers { get; init; }

        public int? OrphanHooks { get; init; }

        public long? QueueLength { get; init; }

        public double? QueueOldestAgeSeconds { get; init; }

        public bool? QueuePaused { get; init; }

        public static JobServicePart Of(FindingsReport report)
        {
            if (report.Diagnosed?.JobService is not { } service) return new JobServicePart { Evidence = "unknown" };
            if (service.State is not (EvidenceState.Usable or EvidenceState.Empty)) return new JobServicePart { Evidence = service.State.Word(), Problem = service.Problem };
            return new JobServicePart
            {
                Evidence = service.State.Word(),
                Problem = service.Problem,
                Up = service.IsUp,
                AlivePools = service.Pools.Count(pool => pool.IsAliveAt(service.Now)),
                DeadPools = service.Pools.Count(pool => !pool.IsAliveAt(service.Now)),
                Workers = service.Workers,
                BusyWorkers = service.BusyWorkers,
                GhostWorkers = service.Ghosts.Count,
                OrphanHooks = report.Diagnosed.OrphanHooks?.Count,
                QueueLength = service.Scans.Length,
                QueueOldestAgeSeconds = service.Scans.Oldest is { } oldest ? Math.Max(0, service.Now - oldest) : null,
                QueuePaused = service.Scans.Paused,
            };
        }
    }

    /// <summary>One finding.</summary>
    internal sealed record FindingPart
    {
        public required string Id { get; init; }

        public required FindingKind Kind { get; init; }

        public required string Verdict { get; init; }

        public required Severity Severity { get; init; }

        public string? Type { get; init; }

        public string? Status { get; init; }

        public long? TaskId { get; init; }

        public long? ExecutionId { get; init; }

        public string? JobId { get; init; }

        public required long Count { get; init; }

        public DateTimeOffset? Since { get; init; }

        public double? AgeSeconds { get; init; }

        public required string What { get; init; }

        public required IReadOnlyList<string> Evidence { get; init; }

        public required Blocked Blocked { get; init; }

        public required HealingPart Healing { get; init; }

        public required string Repair { get; init; }

        public required IReadOnlyList<string> Avoid { get; init; }

        public static FindingPart Of(Finding finding, double? now) => new()
        {
            Id = finding.Id,
            Kind = finding.Kind,
            Verdict = finding.Verdict,
            Severity = finding.Severity,
            Type = finding.Type,
            Status = finding.Status,
            TaskId = finding.TaskId,
            ExecutionId = finding.ExecutionId,
            JobId = finding.JobId,
            Count = finding.Count,
            Since = TimeOf(finding.Since),
            AgeSeconds = finding.Since is { } since && now is { } current ? Math.Round(Math.Max(0, current - since), 1) : null,
            What = finding.What,
            Evidence = finding.Evidence,
            Blocked = finding.Blocked,
            Healing = new HealingPart(finding.Healing.ByItself, TimeOf(finding.Healing.At), finding.Healing.Text),
            Repair = finding.Repair,
            Avoid = finding.Avoid,
        };
    }

    /// <summary>Whether and when Harbor heals it.</summary>
    internal sealed record HealingPart(bool? ByItself, DateTimeOffset? At, string Text);

    private static double? ValueOf(IReadOnlyList<Sample> samples, Family family) =>
        samples.Where(sample => ReferenceEquals(sample.Family, family)).Select(sample => (double?)sample.Value).FirstOrDefault();
}

/// <summary>How the documents are written: snake_case, words for enumerations, absent instead of null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WordOf<Severity>), typeof(WordOf<FindingKind>), typeof(WordOf<ScanningLevel>)],
    WriteIndented = true)]
[JsonSerializable(typeof(FindingsDocument))]
internal sealed partial class FindingsJson : JsonSerializerContext;

/// <summary>An enumeration as its lower-case word.</summary>
internal sealed class WordOf<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower) where T : struct, Enum;
