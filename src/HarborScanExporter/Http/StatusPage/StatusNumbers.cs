using System.Globalization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>The numbers at the top of the status page.</summary>
internal static class StatusNumbers
{
    /// <summary>The row of numbers; nothing when Harbor could not be seen.</summary>
    public static Markup Of(StatusView view)
    {
        var report = view.Report;
        if (report.Diagnosed is not { } diagnosed) return Markup.Nothing;
        var document = view.Summary;
        var stuck = diagnosed.Tasks.Count(task => task.Judgement.IsStuck);
        var service = view.JobService;
        var manual = ManualScanAll.Of(diagnosed);
        Markup[] numbers =
        [
            Number("Open scans", Words.Number(document.OpenTasks)),
            Number("Stuck", Words.Number(stuck), stuck > 0),
            Number("Artifacts blocked", Words.Number(document.BlockedArtifacts), document.BlockedArtifacts > 0),
            Number("Manual scan-all", manual.IsRefused ? "refused" : "allowed", manual.IsBlocked, manual.Reason),
            .. service.QueueLength is { } length
                ? new[]
                {
                    Number("In the queue", Words.Number(length) + (service.QueuePaused == true ? ", paused" : ""), service.QueuePaused == true),
                    Number("Workers busy", $"{Words.Number(service.BusyWorkers ?? 0)} of {Words.Number(service.Workers ?? 0)}", service.Up == false),
                }
                : [],
            .. view.Repairs.Plan is { } plan ? new[] { Due(plan.Repairs.Count) } : [],
        ];
        return $"""
            <dl class="numbers" id="numbers">{numbers}</dl>
            """;
    }

    /// <summary>A time as machines read it.</summary>
    public static string Instant(double epoch) => FindingsDocument.TimeOf(epoch)!.Value.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Hours, minutes and seconds.</summary>
    public static string Clock(double epoch) => FindingsDocument.TimeOf(epoch)!.Value.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Year, month and day.</summary>
    public static string Day(double epoch) => FindingsDocument.TimeOf(epoch)!.Value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static Markup Number(string name, string value, bool isBad = false, string? why = null) => $"""
        <div{(isBad ? Bad : Markup.Nothing)}><dt>{name}</dt><dd>{value}</dd>{(why is null ? Markup.Nothing : Why(why))}</div>
        """;

    private static Markup Why(string text) => $"""<dd class="why">{text}</dd>""";

    private static Markup Due(long due) => $"""
        <div><dt>Repairs due</dt><dd>{(due > 0 ? Link(due) : Markup.Trusted("0"))}</dd></div>
        """;

    private static Markup Link(long due) => $"""<a id="due" href="#repairs">{Words.Number(due)}</a>""";

    private static Markup Bad { get; } = Markup.Trusted(" class=\"bad\"");
}
