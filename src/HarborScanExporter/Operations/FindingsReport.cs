using HarborScanExporter.Database;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Scraping;

namespace HarborScanExporter.Operations;

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

    /// <summary>The same look as /metrics tells it.</summary>
    public required Exposition Exposition { get; init; }

    /// <summary>Whether a second look, a minute later, may turn a settling task into a stuck one.</summary>
    public bool NeedsSecondLook => SeenOnce > 0;

    /// <summary>How many tasks are missing in Redis at a first look.</summary>
    public int SeenOnce => Diagnosed?.Missing.Count() ?? 0;

    /// <summary>The findings that fit; a finding without a project fits no project.</summary>
    /// <param name="verdict">A verdict, a kind or a system word; null for all.</param>
    /// <param name="type">A vendor type; null for all.</param>
    /// <param name="project">A project's name; null for all.</param>
    public IEnumerable<Finding> Where(string? verdict, string? type, string? project) => Findings.Where(finding =>
        (verdict is null || finding.Verdict == verdict)
        && (type is null || finding.Type == type)
        && (project is null || finding.Blocked.Artifacts.Any(artifact => artifact.Project == project)));
}
