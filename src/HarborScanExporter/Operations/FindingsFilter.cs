using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Operations;

/// <summary>Which findings are asked for; null stands for all.</summary>
/// <param name="Verdict">A verdict, a kind of inconsistency or a word of <see cref="SystemWord"/>.</param>
/// <param name="Type">A vendor type.</param>
/// <param name="Project">A project's name.</param>
internal sealed record FindingsFilter(string? Verdict, string? Type, string? Project)
{
    /// <summary>Every word a finding's verdict can be.</summary>
    public static IReadOnlyList<string> Verdicts { get; } =
    [
        .. Judgement.Verdicts.Select(verdict => verdict.Word),
        .. Inconsistency.Kinds.Where(kind => kind != Inconsistency.SweepBlocked),
        .. SystemWord.All,
    ];

    public bool IsAll => this is { Verdict: null, Type: null, Project: null };

    /// <summary>What is wrong with the words and which there are; null when nothing is.</summary>
    public string? Problem =>
        Verdict is not null && !Verdicts.Contains(Verdict, StringComparer.Ordinal) ? $"There is no verdict {Verdict}. Choose from {string.Join(", ", Verdicts)}."
        : Type is not null && !ScanType.All.Contains(Type, StringComparer.Ordinal) ? $"There is no type {Type}. Choose from {string.Join(", ", ScanType.All)}."
        : null;

    /// <summary>Whether a finding that fits may be missing only because an open scan could not be judged; whose project it is, nobody has asked.</summary>
    public bool LeavesUndecided(FindingsReport report) =>
        (Verdict is null || Judgement.Verdicts.Any(verdict => verdict.Word == Verdict))
        && report.Diagnosed?.Undecided.Any(task => Type is null || task.Task.Type == Type) == true;

    /// <summary>The findings of the report that fit.</summary>
    public IReadOnlyList<Finding> Of(FindingsReport report) => [.. report.Where(Verdict, Type, Project)];
}
