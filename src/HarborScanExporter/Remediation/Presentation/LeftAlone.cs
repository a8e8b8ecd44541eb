using HarborScanExporter.Text;
using System.Text.RegularExpressions;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Presentation;

/// <summary>Things that are left alone for one reason, told together.</summary>
/// <param name="Reason">One of <see cref="SkipReason"/>.</param>
/// <param name="Verdict">Their verdict, kind or state.</param>
/// <param name="Count">How many rows.</param>
/// <param name="Names">The first of them; none where they were only counted.</param>
/// <param name="Text">The reason in a sentence with its mend: of the first, where they differ only in numbers.</param>
internal sealed partial record LeftAlone(string Reason, string Verdict, long Count, IReadOnlyList<string> Names, string Text)
{
    /// <summary>How many of what: <c>4 hung</c>; the verdict alone where nobody has counted.</summary>
    public string What => Count == 0 ? Verdict : $"{Words.Number(Count)} {Verdict}";

    /// <summary>As many are named.</summary>
    private const int MostNames = 5;

    /// <summary>Whether it is stuck; live scans are left alone because they live.</summary>
    public bool IsStuck => Reason != SkipReason.Live;

    /// <summary>Who is meant, for people: <c>task 12, task 13 and 4 more</c>; empty where they were only counted.</summary>
    public string Who => Names.Count == 0 ? "" : string.Join(", ", Names) + (Count > Names.Count ? $" and {Words.Number(Count - Names.Count)} more" : "");

    /// <summary>Of the refusals of a plan, in the order in which each reason is first met, live scans last.</summary>
    public static IReadOnlyList<LeftAlone> Of(IReadOnlyList<Refusal> refusals) =>
    [
        .. from refusal in refusals
           group refusal by (refusal.Reason, refusal.Verdict, Text: Numbers().Replace(refusal.Text, "#")) into alike
           orderby alike.Key.Reason == SkipReason.Live
           select new LeftAlone(alike.Key.Reason, alike.Key.Verdict, alike.Sum(refusal => refusal.Count), [.. alike.Select(NameOf).OfType<string>().Distinct().Take(MostNames)], alike.First().Text),
    ];

    /// <summary>That nothing is due, and whether that is said of all.</summary>
    /// <param name="refusals">What the plan leaves alone.</param>
    public static string NothingDue(IReadOnlyList<Refusal> refusals) =>
        refusals.Any(refusal => refusal.Reason == SkipReason.NotLookedAt) ? "Nothing that was looked at is to be repaired." : "Nothing is to be repaired.";

    private static string? NameOf(Refusal refusal) => RowName.Of(refusal.TaskId, refusal.ExecutionId, null);

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();
}
