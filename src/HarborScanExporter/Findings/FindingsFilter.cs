using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Findings;

/// <summary>
/// Which findings are asked for, by the page, the API, the commands and repairs alike: those that fit one word of each list; an empty list lets all
/// through. A finding without a type or a project fits none.
/// </summary>
internal sealed record FindingsFilter
{
    /// <summary>Every word a finding's verdict can be.</summary>
    public static IReadOnlyList<string> VerdictWords { get; } =
    [
        .. Judgement.Verdicts.Select(verdict => verdict.Word),
        .. Inconsistency.Kinds.Where(kind => kind != Inconsistency.SweepBlocked),
        .. SystemWord.All,
    ];

    /// <summary>Lets all through.</summary>
    public static FindingsFilter Everything { get; } = new();

    /// <summary>Verdicts, kinds of inconsistency or words of <see cref="SystemWord"/>.</summary>
    public IReadOnlyList<string> Verdicts { get; init; } = [];

    /// <summary>Vendor types.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Names of projects.</summary>
    public IReadOnlyList<string> Projects { get; init; } = [];

    public bool IsAll => Verdicts.Count == 0 && Types.Count == 0 && Projects.Count == 0;

    /// <summary>The first member with a word that there is not, and which there are; null when nothing is wrong.</summary>
    public BadParameter? Bad =>
        Verdicts.FirstOrDefault(word => !VerdictWords.Contains(word)) is { } verdict ? new BadParameter("verdict", $"There is no verdict {verdict}. Choose from {string.Join(", ", VerdictWords)}.")
        : Types.FirstOrDefault(word => !ScanType.All.Contains(word)) is { } type ? new BadParameter("type", $"There is no type {type}. Choose from {string.Join(", ", ScanType.All)}.")
        : null;

    /// <summary>A filter of words as people give them: several by commas or by repeating; what is empty counts as not given.</summary>
    public static FindingsFilter Of(IEnumerable<string?>? verdicts, IEnumerable<string?>? types, IEnumerable<string?>? projects) =>
        new() { Verdicts = Words(verdicts), Types = Words(types), Projects = Words(projects) };

    /// <summary>The words that were given, each once.</summary>
    public static IReadOnlyList<string> Words(IEnumerable<string?>? given) =>
    [
        .. (given ?? []).OfType<string>().SelectMany(value => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>Whether a finding is asked for.</summary>
    public bool Fits(Finding finding) =>
        (Verdicts.Count == 0 || Verdicts.Contains(finding.Verdict))
        && (Types.Count == 0 || (finding.Type is { } type && Types.Contains(type)))
        && (Projects.Count == 0 || finding.Blocked.Artifacts.Any(artifact => Projects.Contains(artifact.Project)));

    /// <summary>The findings of the report that fit.</summary>
    public IReadOnlyList<Finding> Of(FindingsReport report) => [.. report.Findings.Where(Fits)];

    /// <summary>Why nobody can say which findings fit: it was not seen whose artifacts they block. Null when it was, or when no project is asked for.</summary>
    public string? CannotTell(FindingsReport report) => Projects.Count == 0 ? null : report.Unplaced;

    /// <summary>Whether a finding that fits may be missing only because an open scan could not be judged; whose project it is, nobody has asked.</summary>
    public bool LeavesUndecided(FindingsReport report) =>
        (Verdicts.Count == 0 || Judgement.Verdicts.Any(verdict => Verdicts.Contains(verdict.Word)))
        && report.Diagnosed?.Undecided.Any(task => Types.Count == 0 || Types.Contains(task.Task.Type)) == true;
}
