using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Presentation;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>Repairs on the status page: whether they may be written, what would be done now, what is left alone and why, and what was done.</summary>
internal static class StatusRepairs
{
    /// <summary>Planned repairs that are listed; the rest are counted.</summary>
    private const int MostPlanned = 10;

    /// <summary>The section; nothing when Harbor could not be seen.</summary>
    public static Markup Of(StatusView view)
    {
        if (view.Report.Diagnosed is null) return Markup.Nothing;
        return $"""
            <section id="repairs" aria-labelledby="repairs-title">
            <h2 id="repairs-title">Repairs</h2>
            {State(view.Repairs)}
            {(view.Repairs.Plan is { } plan ? Planned(plan, view) : Markup.Nothing)}
            {(view.Repairs.Newest.Count > 0 ? StatusRepaired.Of(view.Repairs) : Markup.Nothing)}
            </section>
            {(view.Repairs.Mode == RemediationMode.Off ? Markup.Nothing : StatusConfirmation.Html)}
            """;
    }

    private static Markup State(RepairPreview repairs)
    {
        if (repairs.Mode == RemediationMode.Off)
            return Line("info", "Off", $"This exporter only looks. {Setting.Names.Remediation} lets it plan repairs (dry-run) and write them (execute).");
        if (repairs.Problem is { } problem) return Line("critical", "Unknown", problem);
        Markup mode = repairs.Mode == RemediationMode.Execute
            ? Line("ok", "Armed", "Repairs are written when an alert or a person asks for them.")
            : Line("info", "Dry run", $"What is asked for is tried and rolled back: nothing is written. {Setting.Names.Remediation} set to execute lets repairs be written.");
        return repairs.Plan is { IsBlocked: true } plan ? $"{mode}{plan.Blocks.Select(Block)}" : mode;
    }

    private static Markup Block(PlanBlock block) => block.Reason switch
    {
        SkipReason.Paused => Line("warning", "Paused", block.Text),
        SkipReason.BreakerOpen => Line("critical", "Stopped", block.Text),
        _ => Line("warning", "Held", block.Text),
    };

    private static Markup Line(string level, string word, string text) => $"""<p class="mode {level}"><span class="badge">{word}</span> <span>{text}</span></p>""";

    private static Markup Planned(RepairPlan plan, StatusView view) => $"""
        <h3 id="planned-title">{(plan.IsBlocked ? "What would be done, were it not held" : "What would be done now")}</h3>
        {(plan.Repairs.Count == 0 ? Nothing(plan) : List(plan, view))}
        {Left(plan)}
        {(plan.Repairs.Count == 0 ? Markup.Nothing : StatusConfirmation.Buttons(plan, view.Repairs.Mode))}
        <div id="repair-result" class="result" role="status" data-kept></div>
        """;

    private static Markup List(RepairPlan plan, StatusView view)
    {
        var findings = view.Report.Findings.DistinctBy(finding => finding.Id).ToDictionary(finding => finding.Id, StringComparer.Ordinal);
        var rest = plan.Repairs.Count - MostPlanned;
        return $"""
            <ul id="planned" class="lines" aria-labelledby="planned-title">{plan.Repairs.Take(MostPlanned).Select(repair => Repair(repair, findings.GetValueOrDefault(repair.FindingId)))}</ul>
            {(rest > 0 ? More(rest) : Markup.Nothing)}
            """;
    }

    private static Markup Repair(PlannedRepair repair, Finding? finding)
    {
        var name = RowName.Of(repair.TaskId, repair.ExecutionId, repair.RobotId) ?? repair.FindingId;
        return $"""
            <li id="plan-{repair.Action.Word()}-{name.Replace(' ', '-')}"><details id="why-{repair.Action.Word()}-{name.Replace(' ', '-')}"><summary><code>{repair.Action.Word()}</code> {name}{Change(StatusChange.Of(repair))}<span class="quiet subject">{Subject(repair, finding)}</span></summary>
            <dl><dt>Does</dt><dd>{repair.Text}</dd><dt>Proof</dt><dd><ul>{repair.Evidence.Select(Item)}</ul></dd></dl></details></li>

            """;
    }

    /// <summary>A change of a status, with an arrow that is read as a word.</summary>
    public static Markup Change(StatusChange change) =>
        change.Before is null or "" ? Markup.Nothing : $""": {change.Before} <span role="img" aria-label="becomes">&rarr;</span> {change.After}""";

    private static string Subject(PlannedRepair repair, Finding? finding)
    {
        string[] repositories = [.. (finding?.Blocked.Artifacts ?? []).Select(artifact => artifact.Repository).Distinct(StringComparer.Ordinal)];
        return string.Join(" · ", new[]
        {
            repositories.Length switch { 0 => null, 1 => repositories[0], var many => $"{repositories[0]} and {many - 1} more" },
            repair.TaskId is not null && repair.ExecutionId is { } execution ? $"execution {execution}" : null,
            repair.Type,
            repair.Verdict,
        }.OfType<string>());
    }

    private static Markup Left(RepairPlan plan)
    {
        var left = LeftAlone.Of(plan.Refusals);
        if (left.Count == 0) return Markup.Nothing;
        var (stuck, live) = (left.Where(one => one.IsStuck).Sum(one => one.Count), left.Where(one => !one.IsStuck).Sum(one => one.Count));
        var counts = string.Join(" and ", new[] { stuck > 0 ? Words.Count(stuck, "thing") : null, live > 0 ? Words.Count(live, "live scan") : null }.OfType<string>());
        return $"""
            <details id="left-alone" class="left"><summary>Left alone{(counts.Length > 0 ? $": {counts}" : "")}</summary><ul class="lines">{left.Select(One)}</ul></details>
            """;
    }

    private static Markup One(LeftAlone left) => $"""
        <li><span class="tag">{left.Reason}</span> <b>{left.What}</b>{(left.Who.Length > 0 ? Who(left.Who) : Markup.Nothing)}: {left.Text}</li>

        """;

    private static Markup Who(string who) => $""" <span class="quiet">({who})</span>""";

    private static Markup Item(string sentence) => $"<li>{sentence}</li>";

    private static Markup More(int rest) => $"""<p class="quiet">and {Words.Number(rest)} more.</p>""";

    private static Markup Nothing(RepairPlan plan) => $"""<p id="planned-none">{LeftAlone.NothingDue(plan.Refusals)}</p>""";
}
