using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>The findings on the status page: filter, table and paging.</summary>
internal static class StatusFindings
{
    /// <summary>Projects that the filter lists; with more, the text filter serves better.</summary>
    private const int MostProjects = 200;

    /// <summary>So many repositories stand in the sentence on who is blocked already.</summary>
    private const int ArtifactsInText = 5;

    /// <summary>Repositories that a finding lists; the JSON lists all.</summary>
    private const int MostArtifacts = 50;

    /// <summary>The section.</summary>
    public static Markup Of(FindingsReport report, StatusQuery query)
    {
        var fitting = query.Of(report.Findings);
        var (page, size) = (query.Findings.Page, query.Findings.PageSize);
        Finding[] shown = [.. fitting.Skip((int)Math.Min(int.MaxValue, (page - 1L) * size)).Take(size)];
        return $"""
            <section aria-labelledby="findings-title" id="findings">
            <h2 id="findings-title">Findings</h2>
            {report.Incomplete.Select(Unseen)}
            {(report.Findings.Count > 0 ? Filter(report, query) : Markup.Nothing)}
            <p id="count" class="quiet" aria-live="polite">{Count(report, fitting.Count, shown.Length, query)}</p>
            {(shown.Length > 0 ? Table(shown, report.Now!.Value, query) : Markup.Nothing)}
            {Paging(fitting.Count, query)}
            </section>
            """;
    }

    private static Markup Unseen(string sentence) => $"""<p class="problem incomplete">{sentence}</p>""";

    private static string Count(FindingsReport report, int fitting, int shown, StatusQuery query)
    {
        if (report.Findings.Count == 0) return report.State.Level == ScanningLevel.Ok ? "Nothing is wrong: there is no finding." : "There is no finding.";
        if (fitting == 0 && query.Findings.Filter.CannotTell(report) is not null) return $"Which of {Words.Count(report.Findings.Count, "finding")} fit cannot be told.";
        if (fitting == 0) return $"None of {Words.Count(report.Findings.Count, "finding")} fits the filter.";
        var first = ((query.Findings.Page - 1L) * query.Findings.PageSize) + 1;
        var of = fitting == report.Findings.Count ? Words.Count(fitting, "finding") : $"{Words.Count(fitting, "finding")} that fit, of {Words.Number(report.Findings.Count)} in all";
        return shown == fitting ? $"{of}." : shown == 0 ? $"This page is beyond the last of {of}." : $"{Words.Number(first)} to {Words.Number(first + shown - 1)} of {of}.";
    }

    private static Markup Filter(FindingsReport report, StatusQuery query)
    {
        var verdicts = report.Findings.GroupBy(finding => finding.Verdict).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        var types = report.Findings.Where(finding => finding.Type is not null).GroupBy(finding => finding.Type!).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        string[] projects = [.. report.Findings.SelectMany(finding => finding.Blocked.Artifacts).Select(artifact => artifact.Project).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).Take(MostProjects)];
        return $"""
            <form class="filter" id="filter" action="" method="get" aria-label="Filter the findings">
            {Select("verdict", "Verdict", FindingsFilter.VerdictWords.Where(verdicts.ContainsKey), query.Findings.Filter.Verdicts, word => $"{word} ({Words.Number(verdicts.GetValueOrDefault(word))})")}
            {Select("type", "Type", ScanType.All.Where(types.ContainsKey), query.Findings.Filter.Types, word => $"{word} ({Words.Number(types.GetValueOrDefault(word))})")}
            {Select("project", "Project", projects, query.Findings.Filter.Projects, word => word)}
            <label>Text <input name="q" type="search" value="{query.Text}" placeholder="id, repository, digest"></label>
            {(query.Order == FindingOrder.Severity ? Markup.Nothing : Hidden("sort", StatusLayout.Class(query.Order)))}
            {(query.RefreshSeconds == StatusQuery.DefaultRefreshSeconds ? Markup.Nothing : Hidden("refresh", $"{query.RefreshSeconds}"))}
            {(query.Findings.PageSize == FindingsQuery.DefaultPageSize ? Markup.Nothing : Hidden("page_size", $"{query.Findings.PageSize}"))}
            <button id="apply">Filter</button> <a id="all" href="{query.Unfiltered()}">Show all</a>
            </form>
            """;
    }

    private static Markup Select(string name, string label, IEnumerable<string> words, IReadOnlyList<string> chosen, Func<string, string> text)
    {
        // The page's own filter chooses one; an address written by hand may hold several.
        var several = string.Join(',', chosen);
        string[] listed = several.Length == 0 ? [.. words] : [.. words.Append(several).Distinct(StringComparer.Ordinal)];
        return $"""
            <label>{label} <select name="{name}"><option value="">all</option>{listed.Select(word => Option(word, text(word), word == several))}</select></label>
            """;
    }

    private static Markup Option(string value, string text, bool isChosen) => $"""<option value="{value}"{(isChosen ? Selected : Markup.Nothing)}>{text}</option>""";

    private static Markup Hidden(string name, string value) => $"""<input type="hidden" name="{name}" value="{value}">""";

    // Roles are told again because narrow screens lay the rows out as blocks, which takes a table's own roles away in some browsers.
    private static Markup Table(Finding[] findings, double now, StatusQuery query) => $"""
        <table role="table" aria-describedby="count">
        <thead role="rowgroup"><tr role="row">
        <th scope="col" role="columnheader"{Sort(query.Order == FindingOrder.Severity ? "descending" : null)}><a id="by-severity" href="{query.Sorted(FindingOrder.Severity)}">Severity</a></th>
        <th scope="col" role="columnheader">Verdict</th>
        <th scope="col" role="columnheader">What is wrong</th>
        <th scope="col" role="columnheader">Blocks</th>
        <th scope="col" role="columnheader"{Sort(query.Order switch { FindingOrder.Oldest => "descending", FindingOrder.Newest => "ascending", _ => null })}><a id="by-age" href="{query.Sorted(query.Order == FindingOrder.Oldest ? FindingOrder.Newest : FindingOrder.Oldest)}">Age</a></th>
        </tr></thead>
        <tbody role="rowgroup" id="rows">
        {findings.Select(finding => Row(finding, now))}</tbody>
        </table>
        """;

    private static Markup Sort(string? order) => order is null ? Markup.Nothing : Markup.Trusted($" aria-sort=\"{order}\"");

    private static Markup Row(Finding finding, double now) => $"""
        <tr role="row" class="{StatusLayout.Class(finding.Severity)}" id="row-{finding.Id}">
        <td role="cell" class="severity"><span class="badge">{finding.Severity.ToString()}</span></td>
        <td role="cell" class="verdict"><code>{finding.Verdict}</code></td>
        <td role="cell" class="what"><details id="{finding.Id}"><summary>{finding.What}<span class="quiet subject">{Subject(finding)}</span></summary>{Details(finding)}</details></td>
        <td role="cell" class="blocks">{Blocks(finding.Blocked)}</td>
        <td role="cell" class="age">{Age(finding, now)}</td>
        </tr>

        """;

    private static Markup Details(Finding finding) => $"""
        <dl>
        <dt>Evidence</dt><dd><ul>{finding.Evidence.Select(Item)}</ul></dd>
        <dt>Blocked</dt><dd>{finding.Blocked.Text}{Artifacts(finding.Blocked.Artifacts)}</dd>
        <dt>Does it heal?</dt><dd>{finding.Healing.Text}</dd>
        <dt>Repair</dt><dd>{finding.Repair}</dd>
        {(finding.Avoid.Count > 0 ? Avoid(finding.Avoid) : Markup.Nothing)}
        {(finding.JobId is { } job ? Job(job) : Markup.Nothing)}
        </dl>
        """;

    private static Markup Avoid(IReadOnlyList<string> sentences) => $"""<dt>Avoid</dt><dd><ul>{sentences.Select(Item)}</ul></dd>""";

    private static Markup Job(string job) => $"""<dt>Job</dt><dd><code>{job}</code></dd>""";

    private static Markup Item(string sentence) => $"<li>{sentence}</li>";

    private static Markup Artifacts(IReadOnlyList<BlockedArtifact> artifacts)
    {
        if (artifacts.Count <= ArtifactsInText) return Markup.Nothing;
        var more = artifacts.Count - MostArtifacts;
        return $"""
            <ul>{artifacts.Take(MostArtifacts).Select(Artifact)}{(more > 0 ? Item($"and {Words.Number(more)} more") : Markup.Nothing)}</ul>
            """;
    }

    private static Markup Artifact(BlockedArtifact artifact) => $"<li>{artifact.Repository}<br><code>{artifact.Digest}</code></li>";

    private static string Subject(Finding finding)
    {
        string[] repositories = [.. finding.Blocked.Artifacts.Select(artifact => artifact.Repository).Distinct(StringComparer.Ordinal)];
        return string.Join(" · ", new[]
        {
            repositories.Length switch { 0 => null, 1 => repositories[0], var many => $"{repositories[0]} and {many - 1} more" },
            finding.TaskId is { } task ? $"task {task}" : null,
            finding.ExecutionId is { } execution ? $"execution {execution}" : null,
            finding.Type is null ? null : finding.Status is null ? finding.Type : $"{finding.Type} {finding.Status}",
        }.OfType<string>());
    }

    private static Markup Blocks(Blocked blocked)
    {
        (bool Is, string Word)[] all = [(blocked.Pulls == true, "pulls"), (blocked.Rescan, "rescan"), (blocked.Sbom, "SBOM"), (blocked.ScanAll, "scan-all"), (blocked.Sweep, "sweep")];
        string[] words = [.. all.Where(one => one.Is).Select(one => one.Word)];
        return words.Length == 0 ? Dash : $"{words.Select(word => Tag(word))}";
    }

    private static Markup Tag(string word) => $"""<span class="tag{(word is "pulls" or "scan-all" ? Urgent : Markup.Nothing)}">{word}</span> """;

    private static Markup Age(Finding finding, double now) => finding.Since is { } since
        ? $"""<time datetime="{StatusNumbers.Instant(since)}" title="since {Words.Time(since)}">{Words.Duration(now - since)}</time>"""
        : Dash;

    private static Markup Paging(int fitting, StatusQuery query)
    {
        var last = Math.Max(1, (int)Math.Ceiling(fitting / (double)query.Findings.PageSize));
        var page = query.Findings.Page;
        if (last == 1 && page == 1) return Markup.Nothing;
        return $"""
            <nav class="paging" id="paging" aria-label="Pages of findings">{(page > 1 ? Link(query.OnPage(Math.Min(page - 1, last)), "previous", "Previous page") : Markup.Nothing)} <span>Page {page} of {last}</span> {(page < last ? Link(query.OnPage(page + 1), "next", "Next page") : Markup.Nothing)}</nav>
            """;
    }

    private static Markup Link(string address, string id, string text) => $"""<a id="{id}" href="{address}">{text}</a>""";

    private static Markup Urgent { get; } = Markup.Trusted(" urgent");

    private static Markup Dash { get; } = Markup.Trusted("<span class=\"quiet\">&ndash;</span>");

    private static Markup Selected { get; } = Markup.Trusted(" selected");
}
