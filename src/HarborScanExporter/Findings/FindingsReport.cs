using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Observation;

namespace HarborScanExporter.Findings;

/// <summary>One look at Harbor, told to people and programs: the findings and the numbers beside them.</summary>
internal sealed record FindingsReport
{
    public required ScanningState State { get; init; }

    /// <summary>The database's clock at the look, in seconds since 1970; null when it could not look.</summary>
    public double? Now { get; init; }

    /// <summary>Why it could not look, with the mend; null when it could.</summary>
    public string? Problem { get; init; }

    /// <summary>Every finding, the most urgent first, the oldest first among equals.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>What the findings rest on; null when it could not look.</summary>
    public Diagnosed? Diagnosed { get; init; }

    public DatabaseFacts? Facts { get; init; }

    /// <summary>What was read.</summary>
    public required HarborObservation Observation { get; init; }

    /// <summary>Whether a second look, a minute later, may turn a settling task into a stuck one.</summary>
    public bool NeedsSecondLook => SeenOnce > 0;

    /// <summary>How many tasks are missing in Redis at a first look.</summary>
    public int SeenOnce => Diagnosed?.Missing.Count() ?? 0;

    /// <summary>Why it was not seen, or not of all stuck scans, whose artifacts they block, with the mend; null when it was.</summary>
    public string? Unplaced { get; init; }

    /// <summary>What this look could not see, a sentence each: a finding may be missing, or lack whom it blocks.</summary>
    public IReadOnlyList<string> Incomplete => [.. new[] { Unplaced, FailedParts }.OfType<string>()];

    private string? FailedParts => Problem is not null || Observation.Reason is not { } reason ? null
        : $"A part of this look failed ({reason}): {string.Join(", ", Observation.Outcomes.Where(outcome => outcome.Failure is not null).Select(outcome => outcome.Topic.Name))}. {FailureReason.Mend(reason)}";
}
