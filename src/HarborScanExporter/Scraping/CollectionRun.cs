using HarborScanExporter.Collectors;
using HarborScanExporter.Database;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Scraping;

/// <summary>One collection: one snapshot of the database, every chosen collector over it, one after the other.</summary>
internal sealed class CollectionRun(CollectionSources sources, ExporterSettings settings, ProcessCounters counters, FailureLog log, StuckLog stuckLog, VerdictSightings sightings)
{
    private readonly IReadOnlyList<ICollector> _collectors = CollectorSet.Chosen(settings);

    private readonly Limits _limits = settings.Limits;

    /// <summary>Collects; the failure of a collector is part of the answer.</summary>
    /// <param name="timeout">How long the collection may take.</param>
    /// <param name="cancellationToken">Cancels the running statement on the server too.</param>
    /// <exception cref="Npgsql.NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="UnreadableSchemaException">It is no database that can be read.</exception>
    public async Task<Exposition> CollectAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var (snapshot, facts) = await BeginAsync(timeout, cancellationToken);
        await using var collection = new Collection(sources, snapshot, facts, _limits, settings.AgeThresholds, timeout);
        TellWhatIsAbsent(facts);
        var samples = new Samples();
        string? firstFailure = null;
        foreach (var collector in _collectors)
        {
            var failure = await RunAsync(collector, collection, samples, cancellationToken);
            if (collector.CountsForUp) firstFailure ??= failure;
        }
        if (collection.Diagnosed is { } diagnosed)
        {
            stuckLog.Tell(diagnosed);
            sightings.Tell(diagnosed);
            TellEvidence(diagnosed.JobService);
        }
        return new Exposition(firstFailure, samples) { Diagnosed = collection.Diagnosed, Facts = facts };
    }

    private async Task<(Snapshot Snapshot, DatabaseFacts Facts)> BeginAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var snapshot = await sources.Database.BeginAsync(timeout, cancellationToken);
        try
        {
            return (snapshot, await SchemaProbe.ReadAsync(snapshot, cancellationToken));
        }
        catch
        {
            await snapshot.DisposeAsync();
            throw;
        }
    }

    /// <summary>The answer when the collection did not come to its end; says why in the log.</summary>
    public Exposition GivenUp(Exception error)
    {
        var reason = FailureReason.Of(error);
        log.Failed(Whole, reason, error);
        return Nothing(reason);
    }

    /// <summary>An answer without a single row.</summary>
    public Exposition Nothing(string reason)
    {
        var samples = new Samples();
        foreach (var collector in _collectors) samples.Add(ScrapeFamilies.CollectorSuccess, 0, collector.Name);
        return new Exposition(reason, samples);
    }

    /// <summary>The answer of a collection that came to its end in time; one that was given up must not look like a recovery in the log.</summary>
    public Exposition InTime(Exposition exposition)
    {
        log.Succeeded(Whole);
        return Counted(exposition);
    }

    /// <summary>Counts a failed collection once, by its first reason.</summary>
    public Exposition Counted(Exposition exposition)
    {
        if (exposition.Failure is { } reason) counters.CollectionFailed(reason);
        return exposition;
    }

    private const string Whole = "The collection";

    private async Task<string?> RunAsync(ICollector collector, Collection collection, Samples samples, CancellationToken cancellationToken)
    {
        var part = $"The collector {collector.Name}";
        var its = new Samples();
        var start = sources.Time.GetTimestamp();
        string? failure = null;
        try
        {
            await collector.CollectAsync(collection, its, cancellationToken);
            foreach (var sample in its.All) samples.Add(sample.Family, sample.Value, sample.Labels);
            if (its.Failure is { } told) failure = Failed(part, told);
            else log.Succeeded(part);
        }
        catch (Exception error)
        {
            failure = Failed(part, error);
        }
        samples.Add(ScrapeFamilies.CollectorDuration, sources.Time.GetElapsedTime(start).TotalSeconds, collector.Name);
        samples.Add(ScrapeFamilies.CollectorSuccess, failure is null ? 1 : 0, collector.Name);
        return failure;
    }

    private string Failed(string part, Exception error)
    {
        var reason = FailureReason.Of(error);
        log.Failed(part, reason, error);
        return reason;
    }

    private void TellWhatIsAbsent(DatabaseFacts facts)
    {
        Tell("sbom_report", facts.HasSbomReport, facts.CanReadSbomReport, "SBOMs of stuck tasks are not seen");
        Tell("job_queue_status", facts.HasQueueStatus, facts.CanReadQueueStatus, "paused queues are not seen (harbor_scan_queue_paused is absent)");
        if (facts.SchemaVersion > Harbor.HarborSchema.NewestKnown)
        {
            log.Absent("schema version",
                $"Harbor's schema version is {facts.SchemaVersion}; the newest known to this version is {Harbor.HarborSchema.NewestKnown}. Rows are read as usual: look for a newer exporter.");
        }
        else
        {
            log.Succeeded("schema version");
        }
    }

    /// <summary>A Redis that cannot be reached or refuses fails its collector; one that answers and shows no job service fails nothing.</summary>
    private void TellEvidence(JobServiceEvidence service)
    {
        const string part = "The evidence of the job service";
        if (service.State == EvidenceState.Empty) log.Absent(part, service.Problem!);
        else if (service.IsUsable) log.Succeeded(part);
    }

    private void Tell(string table, bool exists, bool readable, string effect)
    {
        // A Harbor that has no such table misses nothing.
        if (exists && !readable) log.Absent(table, $"The role may not read {table}: {effect}. {FailureReason.Mend(FailureReason.Permission)}");
        else log.Succeeded(table);
    }
}
