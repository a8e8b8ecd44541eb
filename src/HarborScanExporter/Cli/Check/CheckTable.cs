using HarborScanExporter.Findings;
using HarborScanExporter.Text;
using Spectre.Console;

namespace HarborScanExporter.Cli.Check;

/// <summary>A report as a page of text: the state, a table of findings, then for each verdict what an operator has to know to act, then the numbers.</summary>
internal static class CheckTable
{
    /// <summary>Rows of one verdict; the rest are counted.</summary>
    public const int MostRows = 10;

    /// <summary>Below this a verdict of two words or more is broken after one of them.</summary>
    private const int Narrow = 110;

    private const int NarrowVerdict = 20;

    /// <summary>Writes the page.</summary>
    /// <param name="page">Where; its width is kept.</param>
    /// <param name="report">A look that succeeded.</param>
    /// <param name="findings">Its findings that are asked for.</param>
    /// <param name="options">Whether all of them are listed.</param>
    public static void Write(IAnsiConsole page, FindingsReport report, IReadOnlyList<Finding> findings, CheckOptions options)
    {
        page.Write(PageText.Line(report.State.Sentence, StyleOf(report.State.Level)));
        Finding[][] groups = [.. findings.GroupBy(finding => (finding.Kind, finding.Verdict)).Select(group => group.ToArray())];
        if (findings.Count > 0)
        {
            page.WriteLine();
            WriteRows(page, report, groups, options.All);
            foreach (var group in groups) WriteDetail(page, group, options.All);
        }
        else if (report.Findings.Count > 0)
        {
            var which = options.Filter.CannotTell(report) is null ? "none fits the filter" : "which of them fit the filter cannot be told";
            page.Write(PageText.Line($"{Words.Count(report.Findings.Count, "finding")}; {which}."));
        }
        page.WriteLine();
        page.Write(Aligned(CheckNumbers.Of(report), ""));
    }

    private static void WriteRows(IAnsiConsole page, FindingsReport report, Finding[][] groups, bool all)
    {
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        foreach (var heading in new[] { "SEVERITY", "VERDICT", "WHICH", "SINCE", "BLOCKED" })
        {
            var column = new TableColumn(PageText.Of(heading, new Style(decoration: Decoration.Bold))) { Padding = new Padding(0, 0, 2, 0) };
            table.AddColumn(heading is "WHICH" or "VERDICT" ? column : column.NoWrap());
        }
        foreach (var finding in groups.SelectMany(group => all ? group : group.Take(MostRows)))
        {
            table.AddRow(
                PageText.Of(WordOf(finding.Severity), StyleOf(finding.Severity)),
                PageText.Below(page.Profile.Width < Narrow ? Broken(finding.Verdict) : [finding.Verdict]),
                PageText.Below(Which(finding, page.Profile.Width)),
                PageText.Of(finding.Since is { } since && report.Now is { } now ? Words.Duration(now - since) : "-"),
                PageText.Of(WhoIsBlocked(finding)));
        }
        page.Write(table);
        string[] more = [.. groups.Where(group => !all && group.Length > MostRows).Select(group => $"{Words.Number(group.Length - MostRows)} {group[0].Verdict}")];
        if (more.Length > 0) page.Write(PageText.Line($"... and {string.Join(", ", more)} more; --all lists them."));
    }

    private static void WriteDetail(IAnsiConsole page, Finding[] group, bool all)
    {
        page.WriteLine();
        var unit = group[0].Kind switch
        {
            FindingKind.Task => $": {Words.Count(group.Length, "task")}",
            FindingKind.Execution => $": {Words.Count(group.Length, "execution")}",
            _ => "",
        };
        page.Write(PageText.Line(group[0].Verdict + unit, StyleOf(group[0].Severity)));
        List<(string, string)> lines = [];
        void Tell(string label, Func<Finding, IEnumerable<string>> told) =>
            lines.AddRange(Sentences.Of(group, told, all).Select((sentence, i) => (i == 0 ? label : "", sentence)));
        Tell("What", finding => [finding.What]);
        Tell("Proof", finding => finding.Evidence);
        Tell("Blocked", finding => [finding.Blocked.Text]);
        Tell("Heals", finding => [finding.Healing.Text]);
        Tell("Repair", finding => [finding.Repair]);
        Tell("Avoid", finding => finding.Avoid);
        Finding[] withJob = [.. group.Where(finding => finding.JobId is not null)];
        if (group.Length > 1 && withJob.Length > 0)
        {
            var shown = all ? withJob : withJob.Take(MostRows);
            lines.AddRange(shown.Select((finding, i) => (i == 0 ? "Jobs" : "", $"{Sentences.NameOf(finding)}: {finding.JobId}")));
            if (withJob.Length > shown.Count()) lines.Add(("", $"and {Words.Number(withJob.Length - shown.Count())} more; --all lists them"));
        }
        page.Write(Aligned(lines, "  "));
    }

    private static Grid Aligned(IEnumerable<(string Label, string Text)> lines, string indent)
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        foreach (var (label, text) in lines) grid.AddRow(PageText.Of(indent + label, new Style(decoration: Decoration.Bold)), PageText.Of(text));
        return grid;
    }

    private static string[] Which(Finding finding, int width)
    {
        if (finding.Kind == FindingKind.System) return [finding.ExecutionId is { } whole ? $"execution {whole}" : "the whole system"];
        var name = $"{Sentences.NameOf(finding)}, {finding.Type}";
        string[] repositories = [.. finding.Blocked.Artifacts.Select(artifact => artifact.Repository).Distinct(StringComparer.Ordinal)];
        var places = repositories.Length switch
        {
            0 => "",
            1 => repositories[0],
            _ => $"{repositories[0]} and {Words.Number(repositories.Length - 1)} more",
        };
        return places.Length == 0 ? [name] : width < Narrow ? [name, places] : [$"{name}, {places}"];
    }

    private static string WhoIsBlocked(Finding finding)
    {
        var blocked = finding.Blocked;
        string[] who =
        [
            .. blocked.Rescan ? ["rescan"] : Array.Empty<string>(),
            .. blocked.Sbom ? ["SBOM"] : Array.Empty<string>(),
            .. blocked.Pulls switch { true => ["pulls"], null => ["pulls?"], false => Array.Empty<string>() },
            .. blocked.ScanAll ? ["scan-all"] : Array.Empty<string>(),
            .. blocked.Sweep ? ["sweep"] : Array.Empty<string>(),
        ];
        return who.Length > 0 ? string.Join(", ", who) : finding.Kind == FindingKind.System ? "see below" : "nobody";
    }

    /// <summary>A long word in two lines, broken after an underscore.</summary>
    private static string[] Broken(string verdict)
    {
        if (verdict.Length <= NarrowVerdict) return [verdict];
        var at = verdict.LastIndexOf('_', NarrowVerdict - 1) + 1;
        return [verdict[..at], verdict[at..]];
    }

    private static string WordOf(Severity severity) => severity switch
    {
        Severity.Critical => "critical",
        Severity.Warning => "warning",
        _ => "info",
    };

    private static Style StyleOf(Severity severity) => severity switch
    {
        Severity.Critical => new Style(Color.Red, decoration: Decoration.Bold),
        Severity.Warning => new Style(Color.Yellow, decoration: Decoration.Bold),
        _ => new Style(Color.Blue),
    };

    private static Style StyleOf(ScanningLevel level) => level switch
    {
        ScanningLevel.Ok => new Style(Color.Green, decoration: Decoration.Bold),
        ScanningLevel.Warning or ScanningLevel.Unknown => new Style(Color.Yellow, decoration: Decoration.Bold),
        _ => new Style(Color.Red, decoration: Decoration.Bold),
    };
}
