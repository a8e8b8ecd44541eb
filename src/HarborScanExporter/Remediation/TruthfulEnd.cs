using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Remediation;

/// <summary>When a scan ended whose reports are stored.</summary>
internal static class TruthfulEnd
{
    /// <summary>
    /// The time of its newest report, in seconds since 1970: on a real Harbor the row's end came 0 to 1 s after it (harbor-facts 0.2). Null when no
    /// report tells, or when the adapter's clock tells a time before the task was made or after the look.
    /// </summary>
    /// <param name="judged">The task with its reports.</param>
    /// <param name="now">The look, in seconds since 1970.</param>
    public static double? Of(JudgedTask judged, double now)
    {
        var task = judged.Task;
        var began = new[] { task.Created ?? task.ExecutionStarted, task.Started }.Max();
        return judged.Reports.Max(report => report.Generated) is { } ended && ended <= now && !(ended < began) ? ended : null;
    }
}
