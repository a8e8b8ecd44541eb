using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>When a scan ended whose reports are stored.</summary>
internal static class TruthfulEnd
{
    /// <summary>
    /// The time of its newest report, in seconds since 1970: on a real Harbor the row's end came 0 to 1 s after it (harbor-facts 0.2). Null when no
    /// report tells, or when the adapter's clock tells a time before the task was made or after the look.
    /// </summary>
    /// <param name="judged">The task with its reports.</param>
    /// <param name="now">The look, in seconds since 1970.</param>
    public static double? Of(JudgedTask judged, double now) =>
        Of(judged.Reports.Max(report => report.Generated), new[] { judged.Task.Created ?? judged.Task.ExecutionStarted, judged.Task.Started }.Max(), now);

    /// <summary>The same of a task of which this much is known.</summary>
    /// <param name="made">When its newest report was made; null when none tells. All times are in seconds since 1970.</param>
    /// <param name="began">When its row was made, or its job enqueued.</param>
    /// <param name="now">The look.</param>
    public static double? Of(double? made, double? began, double now) => made <= now && !(made < began) ? made : null;
}
