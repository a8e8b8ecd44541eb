using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Presentation;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;
using Spectre.Console;

namespace HarborScanExporter.Cli.Repair;

/// <summary>A plan or a run as a page of text: what forbids it, a table of repairs, then for each action what it does and why, then what is left alone.</summary>
internal static class RepairTable
{
    /// <summary>Rows of one action and verdict; the rest are counted.</summary>
    public const int MostRows = 10;

    /// <summary>Below this the verdict, which stands over each detail, has no column.</summary>
    private const int Narrow = 110;

    private static readonly Style Bold = new(decoration: Decoration.Bold);

    /// <summary>Writes the page.</summary>
    /// <param name="page">Where; its width is kept.</param>
    /// <param name="told">The plan or the run.</param>
    /// <param name="report">The look before it, which knows the names of what is blocked.</param>
    /// <param name="all">Whether every row is listed.</param>
    public static void Write(IAnsiConsole page, ToldRun told, FindingsReport report, bool all)
    {
        foreach (var block in told.Blocks) page.Write(PageText.Line(block.Text, new Style(Color.Yellow, decoration: Decoration.Bold)));
        if (told.Blocks.Count == 0 && told.Problem is { } problem) page.Write(PageText.Line(problem, new Style(Color.Red, decoration: Decoration.Bold)));
        page.Write(PageText.Line(Sentence(told), Bold));
        var findings = report.Findings.DistinctBy(finding => finding.Id).ToDictionary(finding => finding.Id, StringComparer.Ordinal);
        RepairOutcome[][] groups = [.. told.Outcomes.GroupBy(outcome => (outcome.Repair.Action, outcome.Repair.Verdict)).Select(group => group.ToArray())];
        if (groups.Length > 0)
        {
            page.WriteLine();
            WriteRows(page, told, groups, findings, all);
            foreach (var group in groups) WriteDetail(page, group, findings, all);
        }
        WriteLeft(page, LeftAlone.Of(told.Refusals));
    }

    private static string Sentence(ToldRun told)
    {
        var count = told.Outcomes.Count;
        if (told.Run is null)
        {
            var apply = told.Blocks.Count > 0 ? "." : told.Ceiling == RemediationMode.Execute ? $"; --apply writes {(count == 1 ? "it" : "them")}." : $"; {Setting.Names.Remediation} set to execute, and --apply, write {(count == 1 ? "it" : "them")}.";
            return count == 0 ? LeftAlone.NothingDue(told.Refusals) : $"{Words.Count(count, "repair is due", "repairs are due")}{apply}";
        }
        if (count == 0) return told.DryRun ? $"Run {told.Run} was rolled back: nothing was to be done." : $"Run {told.Run}: nothing was done.";
        string[] parts =
        [
            .. told.Outcomes.GroupBy(outcome => Result(outcome, told.DryRun).Split(':')[0]).Select(group => $"{Words.Number(group.Count())} {group.Key}"),
        ];
        return told.DryRun ? $"Run {told.Run} was rolled back and nothing is written: {string.Join(", ", parts)}." : $"Run {told.Run}: {string.Join(", ", parts)}.";
    }

    private static void WriteRows(IAnsiConsole page, ToldRun told, RepairOutcome[][] groups, IReadOnlyDictionary<string, Finding> findings, bool all)
    {
        var (isPlan, isNarrow) = (told.Run is null, page.Profile.Width < Narrow);
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        string[] headings = ["ACTION", "WHICH", "STATUS", .. isNarrow ? Array.Empty<string>() : ["VERDICT"], .. isPlan ? Array.Empty<string>() : ["RESULT", "AUDIT"]];
        foreach (var heading in headings)
        {
            var column = new TableColumn(PageText.Of(heading, Bold)) { Padding = new Padding(0, 0, 2, 0) };
            table.AddColumn(heading is "WHICH" or "VERDICT" or "RESULT" ? column : column.NoWrap());
        }
        foreach (var outcome in groups.SelectMany(group => all ? group : group.Take(MostRows)))
        {
            var repair = outcome.Repair;
            Spectre.Console.Text[] cells =
            [
                PageText.Of(repair.Action.Word()), PageText.Below(Which(repair, findings, isNarrow)),
                PageText.Of(StatusChange.Of(repair, outcome.After).Text("->") is { Length: > 0 } change ? change : "-"),
                .. isNarrow ? Array.Empty<Spectre.Console.Text>() : [PageText.Of(repair.Verdict)],
                .. isPlan ? Array.Empty<Spectre.Console.Text>() : [PageText.Of(Result(outcome, told.DryRun), StyleOf(outcome)), PageText.Of(outcome.Audit is { } line ? $"{line}" : "-")],
            ];
            table.AddRow(cells);
        }
        page.Write(table);
        string[] more = [.. groups.Where(group => !all && group.Length > MostRows).Select(group => $"{Words.Number(group.Length - MostRows)} {group[0].Repair.Action.Word()}")];
        if (more.Length > 0) page.Write(PageText.Line($"... and {string.Join(", ", more)} more; --all lists them."));
    }

    private static void WriteDetail(IAnsiConsole page, RepairOutcome[] group, IReadOnlyDictionary<string, Finding> findings, bool all)
    {
        var first = group[0].Repair;
        page.WriteLine();
        page.Write(PageText.Line($"{first.Action.Word()} of {first.Verdict}", Bold));
        List<(string, string)> lines = [];
        string[] does = [.. group.GroupBy(outcome => Masked(outcome.Repair)).Select(alike => alike.First().Repair.Text + (alike.Count() == 1 ? "" : $" ({Words.Number(alike.Count() - 1)} more like it)"))];
        lines.AddRange(does.Select((text, i) => (i == 0 ? "Does" : "", text)));
        Finding[] known = [.. group.Select(outcome => findings.GetValueOrDefault(outcome.Repair.FindingId)).OfType<Finding>().Where(finding => finding.Kind != FindingKind.System).Distinct()];
        // What is repaired a task at a time is found an execution at a time.
        var proof = known.Length > 0 && first.Action != RepairAction.FixStatusCode ? Sentences.Of(known, finding => finding.Evidence, all) : first.Evidence;
        lines.AddRange(proof.Select((text, i) => (i == 0 ? "Proof" : "", text)));
        page.Write(Aligned(lines));
    }

    private static void WriteLeft(IAnsiConsole page, IReadOnlyList<LeftAlone> left)
    {
        if (left.Count == 0) return;
        page.WriteLine();
        page.Write(PageText.Line("Left alone", Bold));
        page.Write(Aligned(left.Select((one, i) => (i > 0 && left[i - 1].Reason == one.Reason ? "" : one.Reason,
            $"{one.What}{(one.Who.Length > 0 ? $" ({one.Who})" : "")}: {one.Text}"))));
    }

    private static Grid Aligned(IEnumerable<(string Label, string Text)> lines)
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        foreach (var (label, text) in lines) grid.AddRow(PageText.Of("  " + label, Bold), PageText.Of(text));
        return grid;
    }

    private static string[] Which(PlannedRepair repair, IReadOnlyDictionary<string, Finding> findings, bool isNarrow)
    {
        var name = RowName.Of(repair.TaskId, repair.ExecutionId, repair.RobotId) ?? repair.FindingId;
        string[] repositories = [.. (findings.GetValueOrDefault(repair.FindingId)?.Blocked.Artifacts ?? []).Select(artifact => artifact.Repository).Distinct(StringComparer.Ordinal)];
        string[] parts =
        [
            repair.Type is null ? name : $"{name}, {repair.Type}",
            .. repositories.Length switch { 0 => Array.Empty<string>(), 1 => [repositories[0]], var many => [$"{repositories[0]} and {Words.Number(many - 1)} more"] },
        ];
        return isNarrow ? parts : [string.Join(", ", parts)];
    }

    private static string Result(RepairOutcome outcome, bool dry) => outcome.State switch
    {
        RepairState.Done => dry ? "would be done" : "done",
        RepairState.Intended => dry ? "would be asked for" : "under way",
        RepairState.NoEffect => "without effect",
        RepairState.Failed => $"failed: {outcome.Failure}",
        _ => "held",
    };

    private static Style StyleOf(RepairOutcome outcome) => outcome.State switch
    {
        RepairState.Done => new Style(Color.Green),
        RepairState.Failed => new Style(Color.Red, decoration: Decoration.Bold),
        _ => Style.Plain,
    };

    private static string Masked(PlannedRepair repair)
    {
        var text = repair.Text;
        foreach (var own in new[] { repair.JobId, repair.RobotId?.ToString(System.Globalization.CultureInfo.InvariantCulture) })
            if (own is { Length: > 0 }) text = text.Replace(own, "#", StringComparison.Ordinal);
        return text;
    }
}
