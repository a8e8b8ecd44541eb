using System.Text.RegularExpressions;
using HarborScanExporter.Findings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Cli;

/// <summary>
/// Says what many findings say alike once: a sentence that differs only in numbers, ids and names is shown for the first finding that says it,
/// with the count of the others.
/// </summary>
internal static partial class Sentences
{
    /// <summary>Lines of one part of a group; the rest are counted.</summary>
    private const int MostLines = 10;

    /// <summary>The sentences of a group, in the order in which they are first said.</summary>
    /// <param name="group">Findings of one verdict.</param>
    /// <param name="told">The text of one finding, in one or more sentences.</param>
    /// <param name="exact">Whether only equal sentences are taken together, and all are shown.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<Finding> group, Func<Finding, IEnumerable<string>> told, bool exact)
    {
        List<(string Text, List<Finding> SaidBy)> alike = [];
        Dictionary<string, int> known = new(StringComparer.Ordinal);
        foreach (var finding in group)
        {
            foreach (var sentence in told(finding).SelectMany(text => Split().Split(text)))
            {
                var key = exact ? sentence : Mask(sentence, finding);
                if (!known.TryGetValue(key, out var at))
                {
                    known[key] = at = alike.Count;
                    alike.Add((sentence, []));
                }
                if (!ReferenceEquals(alike[at].SaidBy.LastOrDefault(), finding)) alike[at].SaidBy.Add(finding);
            }
        }
        string[] lines = [.. alike.Select(said => Line(said.Text, said.SaidBy, group, told, exact))];
        return exact || lines.Length <= MostLines ? lines : [.. lines.Take(MostLines), $"and {Words.Number(lines.Length - MostLines)} more; --all shows them"];
    }

    /// <summary><c>task 12</c>, <c>execution 9</c>; the whole system has no name.</summary>
    public static string NameOf(Finding finding) => finding.Kind switch
    {
        FindingKind.Task => $"task {finding.TaskId}",
        FindingKind.Execution => $"execution {finding.ExecutionId}",
        _ => "",
    };

    private static string Line(string text, List<Finding> saidBy, IReadOnlyList<Finding> group, Func<Finding, IEnumerable<string>> told, bool exact)
    {
        var isEqual = exact || saidBy.TrueForAll(finding => told(finding).Any(whole => whole.Contains(text, StringComparison.Ordinal)));
        if (group.Count == 1 || (saidBy.Count == group.Count && isEqual)) return text;
        if (!isEqual) return $"{NameOf(saidBy[0])}: {text}{(saidBy.Count == 1 ? "" : $" ({Words.Number(saidBy.Count - 1)} more like it)")}";
        var rest = saidBy.Count - 5;
        var names = string.Join(", ", saidBy.Take(5).Select(finding => NameOf(finding).Split(' ')[^1]));
        return $"{NameOf(saidBy[0]).Split(' ')[0]}{(saidBy.Count == 1 ? "" : "s")} {names}{(rest > 0 ? $" and {Words.Number(rest)} more" : "")}: {text}";
    }

    private static string Mask(string sentence, Finding finding)
    {
        foreach (var artifact in finding.Blocked.Artifacts)
            sentence = sentence.Replace(artifact.Repository, "#", StringComparison.Ordinal).Replace(artifact.Project, "#", StringComparison.Ordinal);
        // A list of repositories is one name too; durations have one or two units.
        return Lists().Replace(Units().Replace(Numbers().Replace(sentence, "#"), "#"), "#");
    }

    [GeneratedRegex(@"(?<=[.)]) (?=[A-Z])")]
    private static partial Regex Split();

    [GeneratedRegex(@"\b([0-9a-f]{12,64}|[0-9][0-9,]*)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"# (d|h|min|s)( # (d|h|min|s))?\b", RegexOptions.ExplicitCapture)]
    private static partial Regex Units();

    [GeneratedRegex("#(, #)+( and # more)?", RegexOptions.ExplicitCapture)]
    private static partial Regex Lists();
}
