using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Findings;

/// <summary>What to do about a stuck task and what not (harbor-facts 6.2, 6.3 and 9; failure-modes 4).</summary>
internal static class TaskAdvice
{
    /// <summary>The smallest safe repair: a stop that Harbor's API knows while the job may live, a whole write when it is over.</summary>
    /// <param name="judged">A stuck task.</param>
    /// <param name="diagnosed">The whole diagnosis.</param>
    public static string Repair(JudgedTask judged, Diagnosed diagnosed)
    {
        var whyNot = judged.Task.JobId.Length == 0 ? "the row has no job to stop"
            : diagnosed.SchemaVersion < HarborSchema.StopByJobSince ? "this Harbor cannot stop a job by its id"
            // It would be another route, and what is printed here is copied.
            : !JobIdForm.Is(judged.Task.JobId) ? "what the row names is no id of a job"
            : null;
        var stop = whyNot is null ? $"Stop the job by Harbor's API: PUT /api/v2.0/jobservice/jobs/{judged.Task.JobId}" : null;
        // The stop of an artifact finds no task of a scan-all.
        var stopWhole = $"{(judged.Task.Type == ScanType.ScanAll ? "Stop the scan-all" : "Stop the scan of its artifact")} ({whyNot})";
        return judged.Judgement switch
        {
            // Whatever its job was: what is stored is the scan's result.
            Judgement.Lost or Judgement.Unreported when judged.Stored => $"{Write("as Success with")}. The report stays.",
            Judgement.NotQueued when judged.IsOverWithResult => $"{Write("as Success with")}. The report stays.",
            Judgement.Lost when stop is not null => $"{stop}. The row becomes final and can be scanned again; its robot account {Robot(judged)}must then be removed by DELETE /api/v2.0/robots.",
            Judgement.Lost => $"{Write("as Error with")}: {whyNot}.",
            Judgement.Hung when stop is not null => $"Mend the scanner. {stop}: the worker looks at the stop within seconds. If it does not let go, restart the job service.",
            Judgement.Hung => $"Mend the scanner. {stopWhole}. If the worker does not let go, restart the job service.",
            Judgement.NotQueued when stop is not null => $"{stop}, then scan again.",
            Judgement.NotQueued => $"{stopWhole}, then scan again.",
            Judgement.Unreported when judged.Job?.Record is { Status: ScanStatus.Error or ScanStatus.Stopped } record => $"{Write($"with the status of the job's record ({record.Status}),")}.",
            Judgement.Unreported => $"{Write("as Error with")}: the job's record says Success, but its reports are not stored. Then scan again.",
            Judgement.Overdue when diagnosed.JobService.State == EvidenceState.NotConfigured => "Set HARBOR_REDIS_URL and look again: Redis tells whether a worker holds it. Until then change nothing.",
            Judgement.Overdue => "Mend the connection to Redis and look again (HARBOR_REDIS_URL): Redis tells whether a worker holds it. Until then change nothing.",
            Judgement.Queued or Judgement.Running or Judgement.Paused or Judgement.Requeued or Judgement.Settling or Judgement.Unjudged => throw new ArgumentException($"A scan that is {judged.Judgement.Word} is not stuck.", nameof(judged)),
        };
    }

    /// <summary>What would do harm, a sentence each.</summary>
    /// <param name="judged">A stuck task.</param>
    public static IEnumerable<string> Avoid(JudgedTask judged)
    {
        yield return "Do not set the status alone: without status_code 3 the row can never be swept.";
        if (judged is { Task.Type: ScanType.ScanAll, Judgement: Judgement.Lost or Judgement.Hung or Judgement.NotQueued })
            yield return "Do not use the stop of its artifact: it finds no task of a scan-all.";
        if (judged.Stored && (judged.Judgement != Judgement.NotQueued || judged.IsOverWithResult)) yield return "Do not write Error or Stopped over it: that hides a good report.";
        if (judged is { Judgement: Judgement.Unreported, Stored: false }) yield return "Do not write Success over it: its reports are not stored.";
        yield return judged.Judgement switch
        {
            Judgement.Unreported => "Do not stop the job: it is over, and the stop does nothing or writes Stopped.",
            Judgement.Hung => "Do not write the row while the worker holds the job: it may end later.",
            Judgement.NotQueued when judged.IsOverWithResult => "Do not stop the job: that writes Stopped over it.",
            Judgement.NotQueued => "Do not write the row while the record is open: it flips back within the hour.",
            Judgement.Lost => "Do not delete its execution, and do not empty Redis.",
            Judgement.Overdue or Judgement.Queued or Judgement.Running or Judgement.Paused or Judgement.Requeued or Judgement.Settling or Judgement.Unjudged => "Do not write the row: a worker may be at it.",
        };
    }

    private static string Write(string status) => $"Write the row {status} status_code 3 and end_time, under its old values, and recompute the execution";

    private static string Robot(JudgedTask judged) => judged.Named?.RobotId is { } robot ? $"{robot} " : "";
}
