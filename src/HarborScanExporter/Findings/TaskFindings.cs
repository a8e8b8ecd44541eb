using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Findings;

/// <summary>Puts a stuck task into words (harbor-facts 6.2, failure-modes 2).</summary>
internal static class TaskFindings
{
    /// <summary>The finding of a stuck task.</summary>
    /// <param name="judged">A task whose judgement is a verdict.</param>
    /// <param name="artifacts">The repositories that hold what it scans.</param>
    /// <param name="diagnosed">The whole diagnosis.</param>
    /// <param name="limits">The limits of the settings.</param>
    public static Finding Of(JudgedTask judged, IReadOnlyList<BlockedArtifact> artifacts, Diagnosed diagnosed, Limits limits)
    {
        var task = judged.Task;
        return new Finding
        {
            Id = FindingId.OfTask(task.Id),
            Kind = FindingKind.Task,
            Verdict = judged.Judgement.Word,
            Severity = task.AgeAt(diagnosed.Now) > limits.Never ? Severity.Critical : Severity.Warning,
            Type = task.Type,
            Status = task.Status,
            TaskId = task.Id,
            ExecutionId = task.ExecutionId,
            JobId = task.JobId.Length == 0 ? null : task.JobId,
            Since = diagnosed.Now - task.AgeAt(diagnosed.Now),
            What = What(judged),
            Evidence = [.. Evidence(judged, diagnosed)],
            Blocked = BlockedBy(judged, artifacts, diagnosed),
            Healing = Heals(judged, diagnosed, limits),
            Repair = TaskAdvice.Repair(judged, diagnosed),
            Avoid = [.. TaskAdvice.Avoid(judged)],
        };
    }

    private static string What(JudgedTask judged) => judged.Judgement switch
    {
        Judgement.Lost => "The job service no longer knows this scan: nothing will ever end it.",
        Judgement.Unreported => judged.Stored ? "The scan is over and its reports are stored; only its status never reached the row." : "The job is over for the job service; its status never reached the row.",
        Judgement.Hung => "A worker holds this scan and does not get on: its scanner keeps answering that it is not ready.",
        Judgement.NotQueued => "The job service has a record of this scan, but it stands in no queue and no worker holds it.",
        Judgement.Overdue => "This scan runs longer than one may, and rows alone cannot say why.",
        Judgement.Queued or Judgement.Running or Judgement.Paused or Judgement.Requeued or Judgement.Settling or Judgement.Unjudged => throw NotStuck(judged),
    };

    private static ArgumentException NotStuck(JudgedTask judged) => new($"A scan that is {judged.Judgement.Word} is not stuck.", nameof(judged));

    private static IEnumerable<string> Evidence(JudgedTask judged, Diagnosed diagnosed)
    {
        var task = judged.Task;
        yield return task.IsRunning
            ? $"The row is Running, for {Words.Duration(task.RunningAge(diagnosed.Now))}, revision {task.StatusRevision}."
            : $"The row is {task.Status}, for {Words.Duration(task.WaitingAge(diagnosed.Now))}, {(task.IsAcknowledged ? $"revision {task.StatusRevision}" : "and core never heard of the job (revision 0)")}.";
        foreach (var sentence in OfRedis(judged, diagnosed.JobService)) yield return sentence;
        if (judged.Named is { ReportUuids.Count: > 0 } named)
        {
            yield return judged.Stored
                ? $"Every report it names is stored ({named.ReportUuids.Count})."
                : judged.Reports.Count == 0 ? "None of the reports it names exists any more." : $"{judged.Reports.Count(report => report.Stored) - judged.EarlierResults} of its {named.ReportUuids.Count} reports are stored.";
            if (judged.EarlierResults > 0)
                yield return $"{Words.Count(judged.EarlierResults, "report holds", "reports hold")} the result of an earlier scan, which proves nothing of this one.";
        }
    }

    private static IEnumerable<string> OfRedis(JudgedTask judged, JobServiceEvidence service)
    {
        if (service.State == EvidenceState.NotConfigured)
        {
            yield return "Redis is not configured: this rests on rows alone.";
            yield break;
        }
        if (!service.IsUsable || judged.Job is not { } job)
        {
            yield return service.IsUsable ? "Redis was not asked about this job." : "Redis cannot be used: this rests on rows alone.";
            yield break;
        }
        if (judged.Task.JobId.Length == 0) yield return "The row has no job id.";
        else yield return job.IsQueued ? "Its job waits in the queue." : service.ListsReadWhole ? "Its job is not in the queue." : "Its job is not at either end of the queue.";
        yield return job.Holder switch
        {
            null => "No worker and no list in progress holds it.",
            { } pool when pool.IsAliveAt(service.Now) => $"A worker of pool {pool.Id}{(pool.Host is { } host ? $" on {host}" : "")} holds it"
                + $"{(job.WorkerStarted is { } started ? $", since {Words.Time(started)}" : "")}; the pool's heartbeat is fresh.",
            { Heartbeat: { } heartbeat } pool => $"The list of pool {pool.Id} holds it, which has not beaten since {Words.Time(heartbeat)}.",
            { } pool => $"The list of pool {pool.Id} holds it, which has left no heartbeat.",
        };
        yield return job.Record switch
        {
            null => "The job service has no record of it.",
            { } record => $"Its record says {record.Status ?? "nothing"}{(record.Updated is { } updated ? $" since {Words.Time(updated)}" : "")}, "
                + $"{(record.IsAcknowledged ? "which core has acknowledged" : "which core has not acknowledged")}.",
        };
        if (judged.SeenFor >= 1) yield return $"The same was seen for {Words.Duration(judged.SeenFor)} without interruption.";
    }

    private static Blocked BlockedBy(JudgedTask judged, IReadOnlyList<BlockedArtifact> artifacts, Diagnosed diagnosed)
    {
        var scanAll = diagnosed.BlockingScanAll?.Id == judged.Task.ExecutionId;
        var sweep = diagnosed.SweepBlocked.GetValueOrDefault(judged.Task.Type)?.Contains(judged.Task.ExecutionId) ?? false;
        var rescan = judged.RefusesRescan;
        bool? pulls = !rescan || artifacts.Count == 0 ? false
            : artifacts.Any(artifact => artifact.PreventsVulnerable == true) ? true
            : artifacts.Any(artifact => artifact.PreventsVulnerable is null) ? null : false;
        List<string> text = [];
        if (rescan)
        {
            var digests = judged.Reports.Select(report => report.Digest).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
            text.Add(digests.Length == 0
                ? "Harbor refuses to scan its artifact again."
                : $"Harbor refuses to scan {string.Join(", ", digests)} again, in every repository that holds it{(artifacts.Count == 0 ? "" : $": {Repositories(artifacts)}")}.");
            text.Add(pulls switch
            {
                true => $"Pulls are refused in {string.Join(", ", artifacts.Where(artifact => artifact.PreventsVulnerable == true).Select(artifact => artifact.Project).Distinct(StringComparer.Ordinal))}, which prevents vulnerable images.",
                null => "Pulls are refused where the project prevents vulnerable images.",
                false => "No pull is refused for it.",
            });
        }
        if (judged.RefusesSbom)
        {
            text.Add($"Harbor refuses to generate the SBOM of {(artifacts is [var artifact] ? $"{artifact.Digest} in {artifact.Repository}" : "its artifact")} again.");
            text.Add("Vulnerability scans of it, SBOMs in other repositories and pulls are not refused.");
        }
        if (scanAll) text.Add("A manual scan-all is refused.");
        if (sweep) text.Add($"Harbor's sweep fails for every {judged.Task.Type} execution.");
        return text.Count == 0
            ? Blocked.Nobody
            : new Blocked { Rescan = rescan, Sbom = judged.RefusesSbom, Pulls = pulls, ScanAll = scanAll, Sweep = sweep, Artifacts = artifacts, Text = string.Join(' ', text) };
    }

    private static string Repositories(IReadOnlyList<BlockedArtifact> artifacts)
    {
        string[] names = [.. artifacts.Select(artifact => artifact.Repository).Distinct(StringComparer.Ordinal)];
        return names.Length <= 5 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(5))} and {names.Length - 5} more";
    }

    private static Healing Heals(JudgedTask judged, Diagnosed diagnosed, Limits limits) => judged.Judgement switch
    {
        Judgement.Lost => new Healing(false, null, "Never: Harbor does not compare its rows with the job service's Redis."),
        Judgement.Hung => FailedByLimit(judged.Job?.Record?.Updated ?? diagnosed.Now - judged.Task.RunningAge(diagnosed.Now), "its worker stays held", limits),
        Judgement.NotQueued when judged.Job is { Record: null } => new Healing(false, null, "Never: without its record no worker takes the job up again, and nobody fails it."),
        Judgement.NotQueued => FailedByLimit(judged.Job?.Record?.Updated ?? diagnosed.Now, "the scan is not done", limits),
        Judgement.Unreported when judged.Job?.Record is { IsFinal: true, IsAcknowledged: false } =>
            new Healing(null, null, "Only if core takes the status at one of the reaper's hourly rounds before the record expires; it did not so far."),
        // Without Redis nobody knows whether the record is still there; beyond its limit Harbor has ended whatever it was.
        Judgement.Unreported when judged.Job is null && judged.Task.AgeAt(diagnosed.Now) <= limits.Never =>
            new Healing(null, null, "Only while the job service still has its record: its reaper sends the status again hourly."),
        Judgement.Unreported => new Healing(false, null, "Never: nobody will send the status again."),
        Judgement.Overdue => judged.Task.AgeAt(diagnosed.Now) > limits.Never
            ? new Healing(false, null, $"No: whatever Harbor still tracks it ends within {Words.Duration(limits.Never)}.")
            : new Healing(null, null, $"If the job service still tracks it, it becomes Error when it is {Words.Duration(limits.MaxJobDuration)} old."),
        Judgement.Queued or Judgement.Running or Judgement.Paused or Judgement.Requeued or Judgement.Settling or Judgement.Unjudged => throw NotStuck(judged),
    };

    private static Healing FailedByLimit(double since, string but, Limits limits)
    {
        var end = since + limits.MaxJobDuration + 3600;
        return new Healing(true, end, $"The row becomes Error by {Words.Time(end)}, when the job is {Words.Duration(limits.MaxJobDuration)} old; {but}.");
    }
}
