using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Http;
using HarborScanExporter.Text;

namespace HarborScanExporter.Cli.Check;

/// <summary>The few numbers beside the findings, a line each; what is not known is left out.</summary>
internal static class CheckNumbers
{
    /// <summary>Label and text of each line.</summary>
    public static IReadOnlyList<(string Label, string Text)> Of(FindingsReport report)
    {
        List<(string, string)> lines = [("Open", Open(report))];
        var numbers = FindingsDocument.Of(report, [], 1, 1);
        var service = numbers.JobService;
        if (service.QueueLength is { } length)
        {
            var oldest = service.QueueOldestAgeSeconds is { } age ? $", the oldest for {Words.Duration(age)}" : "";
            lines.Add(("Queue", $"{Words.Count(length, "job waits", "jobs wait")} in {JobType.Scan}{oldest}{(service.QueuePaused == true ? "; it is paused" : "")}"));
            lines.Add(("Workers", $"{Words.Number(service.BusyWorkers ?? 0)} of {Words.Number(service.Workers ?? 0)} busy, in {Words.Count(service.AlivePools ?? 0, "live pool")}"
                + $"{(service.DeadPools is > 0 and var dead ? $"; {Words.Count(dead, "dead pool")}" : "")}"));
        }
        else
        {
            lines.Add(("Queue", service.Evidence == "not_configured" ? "unknown: HARBOR_REDIS_URL is not set, verdicts rest on rows alone" : "unknown: Redis cannot be read"));
        }
        if (numbers.ScanAll is { Total: > 0 } scanAll)
        {
            var statuses = string.Join(", ", scanAll.Tasks.Select(status => $"{Words.Number(status.Value)} {status.Key}"));
            lines.Add(("Scan-all", $"{Words.Number(scanAll.Done)} of {Words.Number(scanAll.Total)} done ({statuses}), started {Words.Time(scanAll.StartedAt!.Value.ToUnixTimeSeconds())}"));
        }
        if (report.Diagnosed is { } diagnosed) lines.Add((numbers.ScanAll is { Total: > 0 } ? "" : "Scan-all", $"a manual one is {ManualScanAll.Of(diagnosed).Text}"));
        var harbor = report.Facts is { } facts ? $"; Harbor {HarborSchema.Releases(facts.SchemaVersion)} (schema {facts.SchemaVersion}){(facts.Standby ? ", a standby" : "")}" : "";
        lines.Add(("Seen", $"{Words.Time(report.Now ?? 0)}{harbor}"));
        return lines;
    }

    private static string Open(FindingsReport report)
    {
        var tasks = report.Diagnosed?.Tasks ?? [];
        if (tasks.Count == 0) return "no scan";
        Judgement[] order = [.. Judgement.Verdicts, .. Judgement.States];
        return string.Join("; ", tasks.GroupBy(task => task.Task.Type).OrderBy(type => type.Key, StringComparer.Ordinal).Select(type =>
            $"{type.Key} " + string.Join(", ", type.GroupBy(task => task.Judgement).OrderBy(group => Array.IndexOf(order, group.Key))
                .Select(group => $"{Words.Number(group.Count())} {group.Key.Word}"))));
    }
}
