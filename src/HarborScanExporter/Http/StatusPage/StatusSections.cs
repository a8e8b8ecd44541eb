using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>What stands below the findings: the scan-all, the job service, and the counts.</summary>
internal static class StatusSections
{
    /// <summary>The sections; nothing when Harbor could not be seen.</summary>
    public static Markup Of(StatusView view) => view.Report.Diagnosed is null ? Markup.Nothing : $"""
        <div class="sections">
        {ScanAll(FindingsDocument.ScanAllPart.Of(view.Report))}
        {JobService(view.JobService)}
        {Counts(view.Summary)}
        </div>
        """;

    private static Markup ScanAll(FindingsDocument.ScanAllPart? scanAll) => $"""
        <section id="scan-all" aria-labelledby="scan-all-title">
        <h2 id="scan-all-title">Newest scan-all</h2>
        {(scanAll is null ? None("There was none.") : Progress(scanAll))}
        </section>
        """;

    private static Markup Progress(FindingsDocument.ScanAllPart scanAll) => $"""
        <p><label for="progress">{Words.Number(scanAll.Done)} of {Words.Count(scanAll.Total, "scan")} over{(scanAll.StartedAt is { } at ? $", started {Words.Time(at.ToUnixTimeSeconds())}" : "")}</label>
        <progress id="progress" max="{Math.Max(1, scanAll.Total)}" value="{scanAll.Done}"></progress></p>
        {(scanAll.Tasks.Count > 0 ? Facts([.. scanAll.Tasks.Select(status => (status.Key, Words.Number(status.Value)))]) : Markup.Nothing)}
        """;

    private static Markup JobService(FindingsDocument.JobServicePart service) => $"""
        <section id="job-service" aria-labelledby="job-service-title">
        <h2 id="job-service-title">Job service</h2>
        {(service.Problem is { } problem ? None(problem) : service.Evidence == EvidenceState.NotConfigured.Word()
            ? None("Redis is not configured: verdicts rest on rows alone. HARBOR_REDIS_URL brings proof.") : Markup.Nothing)}
        {(service.Up is null ? Markup.Nothing : Facts(
        [
            ("State", service.Up == true ? "up" : "down: no fresh heartbeat"),
            ("Worker pools", $"{Words.Number(service.AlivePools ?? 0)} alive, {Words.Number(service.DeadPools ?? 0)} dead"),
            ("Workers", $"{Words.Number(service.BusyWorkers ?? 0)} of {Words.Number(service.Workers ?? 0)} busy"),
            ("Held by scans that are over", Words.Number(service.GhostWorkers ?? 0)),
            ("Queue", $"{Words.Count(service.QueueLength ?? 0, "scan")}{(service.QueuePaused == true ? ", paused" : "")}"),
            ("Oldest in the queue", service.QueueOldestAgeSeconds is { } age ? Words.Duration(age) : "none"),
        ]))}
        </section>
        """;

    private static Markup Counts(FindingsDocument.SummaryPart summary)
    {
        (string Type, string Kind, string Word, long Number)[] rows =
        [
            .. from type in summary.StuckTasks from word in type.Value select (type.Key, "stuck", word.Key, (long)word.Value),
            .. from type in summary.LiveTasks from word in type.Value select (type.Key, "live", word.Key, (long)word.Value),
            .. from type in summary.Inconsistencies from word in type.Value select (type.Key, "inconsistent", word.Key, word.Value),
        ];
        return $"""
            <section id="counts" aria-labelledby="counts-title">
            <h2 id="counts-title">Open scans and inconsistencies</h2>
            {(rows.Length == 0 ? None("No scan is open, and no row contradicts another.") : Table(rows))}
            </section>
            """;
    }

    private static Markup Table((string Type, string Kind, string Word, long Number)[] rows) => $"""
        <table class="plain">
        <thead><tr><th scope="col">Type</th><th scope="col">Verdict, state or kind</th><th scope="col" class="number">Number</th></tr></thead>
        <tbody>{rows.OrderBy(row => ScanType.All.ToList().IndexOf(row.Type)).Select(row => Row(row))}</tbody>
        </table>
        """;

    private static Markup Row((string Type, string Kind, string Word, long Number) row) =>
        $"<tr><th scope=\"row\">{row.Type}</th><td><code>{row.Word}</code> <span class=\"quiet\">{row.Kind}</span></td><td class=\"number\">{Words.Number(row.Number)}</td></tr>";

    private static Markup Facts((string Name, string Value)[] facts) => $"<dl class=\"facts\">{facts.Select(fact => Fact(fact.Name, fact.Value))}</dl>";

    private static Markup Fact(string name, string value) => $"<div><dt>{name}</dt><dd>{value}</dd></div>";

    private static Markup None(string sentence) => $"<p>{sentence}</p>";
}
