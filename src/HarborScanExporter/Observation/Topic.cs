using HarborScanExporter.Harbor;
using HarborScanExporter.JobService;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Observation;

/// <summary>What one collector tells of, and the parts of an observation that it needs.</summary>
/// <param name="Name">The label value of <c>collector</c>, one of <see cref="CollectorNames.All"/>.</param>
/// <param name="Needs">The parts, null where one was not read.</param>
internal sealed record Topic(string Name, Func<HarborObservation, IReadOnlyList<Part?>> Needs)
{
    /// <summary>Whether it is told unless the settings say otherwise.</summary>
    public bool OnByDefault { get; init; } = true;

    /// <summary>Whether its failure makes harbor_scan_up 0, which speaks of the database alone.</summary>
    public bool CountsForUp { get; init; } = true;

    /// <summary>Why it counts as failed although its parts were read; null when it does not.</summary>
    public Func<HarborObservation, Exception?> Trouble { get; init; } = _ => null;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Topic> All { get; } =
    [
        new(CollectorNames.Executions, seen => [seen.Executions]),
        new(CollectorNames.Tasks, seen => [seen.Tasks, seen.OpenTasks]),
        new(CollectorNames.ScanAll, seen => [seen.Executions, seen.Tasks]),
        new(CollectorNames.Robots, seen => [seen.Whole.LeakedRobots]),
        new(CollectorNames.Sweep, seen => [seen.Executions]),
        new(CollectorNames.Sweepable, seen => [seen.Whole.Sweepable]) { OnByDefault = false },
        new(CollectorNames.OrphanReports, seen => [seen.Whole.OrphanReports]) { OnByDefault = false },
        new(CollectorNames.Remediation, seen => [seen.Audit]),
        new(CollectorNames.JobService, seen => [seen.JobService, seen.OrphanHooks]) { CountsForUp = false, Trouble = OfJobService },
        new(CollectorNames.Diagnosis, seen => [seen.Diagnosis]),
        new(CollectorNames.Database, seen => [seen.OperatorState, seen.JobService, seen.ReadOnly]),
    ];

    /// <summary>The default set with the settings' additions and removals.</summary>
    public static IReadOnlyList<Topic> Chosen(ExporterSettings settings) =>
    [
        .. All.Where(topic => (topic.OnByDefault || settings.CollectorsEnabled.Contains(topic.Name))
            && !settings.CollectorsDisabled.Contains(topic.Name)
            && (topic.Name != CollectorNames.JobService || settings.JobService is not null)
            && (topic.Name != CollectorNames.Remediation || settings.Remediation.Mode != RemediationMode.Off)),
    ];

    /// <summary>The names of those.</summary>
    public static IReadOnlySet<string> NamesOf(ExporterSettings settings) => Chosen(settings).Select(topic => topic.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>What came of it in an observation.</summary>
    public TopicOutcome OutcomeOf(HarborObservation seen)
    {
        var needed = Needs(seen);
        Part[] parts = [.. needed.OfType<Part>()];
        var failed = parts.FirstOrDefault(part => part.Failure is not null)?.Failure;
        var isRead = parts.Length == needed.Count;
        return new TopicOutcome(this, failed ?? (isRead ? Trouble(seen) : new TimeoutException()), isRead && failed is null, failed is not null || isRead ? Part.TimeOf(parts).TotalSeconds : null);
    }

    private static RedisUnusableException? OfJobService(HarborObservation seen) =>
        seen.JobService!.Value is { State: EvidenceState.Unreachable or EvidenceState.Refused or EvidenceState.Foreign or EvidenceState.Stale } service
            ? new RedisUnusableException(service.State, service.Problem!, "")
            : null;
}

/// <summary>What came of one topic.</summary>
/// <param name="Topic">It.</param>
/// <param name="Failure">Why it counts as failed; null when it does not.</param>
/// <param name="CanBeTold">Whether its parts are there to be told of.</param>
/// <param name="Seconds">How long its parts took; null while they are not read.</param>
internal sealed record TopicOutcome(Topic Topic, Exception? Failure, bool CanBeTold, double? Seconds);
