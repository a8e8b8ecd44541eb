using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>What the log says of observations: each trouble once, and what becomes stuck.</summary>
internal sealed class ObservationLog(FailureLog log, StuckLog stuckLog, VerdictSightings sightings)
{
    private const string All = "The collection";

    /// <summary>The database was reached.</summary>
    public void Begun(DatabaseFacts facts)
    {
        SayAbsent("sbom_report", facts.HasSbomReport, facts.CanReadSbomReport, "SBOMs of stuck tasks are not seen");
        SayAbsent("job_queue_status", facts.HasQueueStatus, facts.CanReadQueueStatus, "paused queues are not seen (harbor_scan_queue_paused is absent)");
        if (facts.SchemaVersion > HarborSchema.NewestKnown)
        {
            log.Absent("schema version",
                $"Harbor's schema version is {facts.SchemaVersion}; the newest known to this version is {HarborSchema.NewestKnown}. Rows are read as usual: look for a newer exporter.");
        }
        else
        {
            log.Succeeded("schema version");
        }
    }

    /// <summary>It came to its end.</summary>
    /// <param name="seen">What was read.</param>
    /// <param name="isAwaited">Whether somebody still waits for it: what is cut off because nobody does is no trouble, and clients that come and go must not fill the log.</param>
    public void Ended(HarborObservation seen, bool isAwaited)
    {
        foreach (var outcome in isAwaited ? seen.Outcomes : [])
        {
            var part = $"The collector {outcome.Topic.Name}";
            if (outcome.Failure is not { } failure) log.Succeeded(part);
            // That a start has not come to the whole tables yet is no trouble.
            else if (failure is not NotReconciledException { InnerException: null }) log.Failed(part, FailureReason.Of(failure), failure);
        }
        if (seen.Diagnosed is not { } diagnosed) return;
        stuckLog.Tell(diagnosed);
        sightings.Tell(diagnosed);
        SayEvidence(diagnosed.JobService);
    }

    /// <summary>It came to its end in time; one that was given up must not look like a recovery.</summary>
    /// <param name="reason">The first for which it failed in part; null when it did not.</param>
    public void InTime(string? reason)
    {
        // A slow database lets now the statement run out, now the whole observation: it is one trouble.
        if (reason != FailureReason.Timeout) log.Succeeded(All);
    }

    /// <summary>It did not come to its end.</summary>
    public void GivenUp(Exception error) => log.Failed(All, FailureReason.Of(error), error);

    /// <summary>A Redis that cannot be reached or refuses fails its collector; one that answers and shows no job service fails nothing.</summary>
    private void SayEvidence(JobServiceEvidence service)
    {
        const string part = "The evidence of the job service";
        if (service.State == EvidenceState.Empty) log.Absent(part, service.Problem!);
        else if (service.IsUsable) log.Succeeded(part);
        const string whole = "Reading all of Redis";
        if (service.LeftOut is { } leftOut) log.Absent(whole, leftOut);
        else if (service.IsUsable) log.Succeeded(whole);
    }

    private void SayAbsent(string table, bool exists, bool readable, string effect)
    {
        // A Harbor that has no such table misses nothing.
        if (exists && !readable) log.Absent(table, $"The role may not read {table}: {effect}. {FailureReason.Mend(FailureReason.Permission)}");
        else log.Succeeded(table);
    }
}
