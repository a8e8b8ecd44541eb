using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics.Collectors;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Metrics;

/// <summary>One collection: one snapshot of the database, every chosen collector over it, one after the other.</summary>
internal sealed class CollectionRun(
    CollectionSources sources, ExporterSettings settings, ProcessCounters counters, FailureLog log, StuckLog stuckLog, VerdictSightings sightings,
    CollectorRun collectors, Remembering? remembering = null)
{
    /// <summary>A scrape waits so long for the first reconciliation; what takes longer is told, so that a start answers at once.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<ICollector> _collectors = CollectorSet.Chosen(settings);

    private readonly Limits _limits = Limits.From(settings);

    /// <summary>Collects; the failure of a collector is part of the answer.</summary>
    /// <param name="awaited">How much longer somebody waits for it; that may become more while it runs, up to the timeout of the settings.</param>
    /// <param name="ended">Where each collector is put that comes to its end.</param>
    /// <param name="cancellationToken">Cancels the running statement on the server too.</param>
    /// <exception cref="Npgsql.NpgsqlException">The database is away or refuses.</exception>
    /// <exception cref="UnreadableSchemaException">It is no database that can be read.</exception>
    public async Task<Exposition> CollectAsync(Func<TimeSpan> awaited, EndedCollectors ended, CancellationToken cancellationToken)
    {
        if (remembering is not null)
        {
            var half = awaited() / 2;
            await remembering.Reconciliation.KnownAsync(Patience < half ? Patience : half, cancellationToken);
        }
        await using var collection = await BeginAsync(awaited, cancellationToken);
        TellWhatIsAbsent(collection.Facts);
        var samples = new Samples();
        RanCollector? firstFailed = null;
        foreach (var collector in _collectors)
        {
            var ran = await RunAsync(collector, collection, cancellationToken);
            ran.Write(samples);
            ended.Add(ran);
            if (collector.CountsForUp && ran.Failure is not null) firstFailed ??= ran;
        }
        if (remembering is not null) await TellWorkAsync(collection, samples, cancellationToken);
        if (collection.Diagnosed is { } diagnosed)
        {
            stuckLog.Tell(diagnosed);
            sightings.Tell(diagnosed);
            TellEvidence(diagnosed.JobService);
        }
        return new Exposition(firstFailed?.Failure, samples) { Trouble = firstFailed?.Trouble, Diagnosed = collection.Diagnosed, Facts = collection.Facts };
    }

    private async Task<Collection> BeginAsync(Func<TimeSpan> awaited, CancellationToken cancellationToken)
    {
        // Whoever asked for less time must not let a statement run out on those who join.
        var timeout = settings.ScrapeTimeout;
        for (var isFresh = false; ; isFresh = true)
        {
            var (snapshot, facts) = await OpenAsync(timeout, cancellationToken);
            var collection = new Collection(sources, snapshot, facts, _limits, settings.AgeThresholds, timeout, remembering?.Rows, awaited: awaited);
            try
            {
                await collection.ReadActiveAsync(cancellationToken);
                return collection;
            }
            catch (OutdatedSnapshotException)
            {
                // A reconciliation was faster. A snapshot that is still behind was taken after it, of a server that has lost what that one had.
                if (isFresh) remembering!.Rows.Forget();
                await collection.DisposeAsync();
                if (isFresh) throw new NotReconciledException();
            }
            catch
            {
                await collection.DisposeAsync();
                throw;
            }
        }
    }

    private async Task<RanCollector> RunAsync(ICollector collector, Collection collection, CancellationToken cancellationToken) =>
        remembering is null || !collector.ReadsWholeTables
            ? await collectors.RunAsync(collector, collection, cancellationToken)
            : remembering.Reconciliation.Carried(collector) ?? RanCollector.NotYet(collector);

    /// <summary>What only the end of a collection knows: what it read, and which finished tasks stay listed in Redis.</summary>
    private async Task TellWorkAsync(Collection collection, Samples samples, CancellationToken cancellationToken)
    {
        try
        {
            await ListedTasks.ReadAsync(collection, remembering!.Rows, cancellationToken);
            foreach (var work in await collection.WorkAsync(cancellationToken))
            {
                samples.Add(ReconciliationFamilies.RowsRead, work.Rows, work.Table);
                samples.Add(ReconciliationFamilies.WholeReads, work.WholeReads, work.Table);
            }
        }
        catch (Exception error) when (error is Npgsql.NpgsqlException or OperationCanceledException)
        {
            // Whatever it was, the collectors have told it; what they read in time is answered.
        }
        if (remembering!.Rows.WantsReconciliation) remembering.Reconciliation.Want();
    }

    private async Task<(Snapshot Snapshot, DatabaseFacts Facts)> OpenAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var snapshot = await sources.Database.BeginAsync(timeout, cancellationToken, remembering is null ? Access.Any : Access.ByKey);
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
        return Nothing(reason) with { Trouble = FailureReason.Told(error) };
    }

    /// <summary>An answer without a single row.</summary>
    private Exposition Nothing(string reason) => Only([], reason);

    /// <summary>The answer for whoever waits no longer: of the collectors that have come to their end.</summary>
    public Exposition SoFar(EndedCollectors ended) => Only(ended.All, FailureReason.Timeout);

    private Exposition Only(IReadOnlyList<RanCollector> ended, string reason)
    {
        var samples = new Samples();
        foreach (var ran in ended) ran.Write(samples);
        foreach (var collector in _collectors.Except(ended.Select(ran => ran.Collector))) samples.Add(ScrapeFamilies.CollectorSuccess, 0, collector.Name);
        return new Exposition(reason, samples);
    }

    /// <summary>The answer of a collection that came to its end in time; one that was given up must not look like a recovery in the log.</summary>
    public Exposition InTime(Exposition exposition)
    {
        // A slow database lets now the statement run out, now the whole collection: it is one trouble.
        if (exposition.Failure != FailureReason.Timeout) log.Succeeded(Whole);
        return Counted(exposition);
    }

    /// <summary>Counts a failed collection once, by its first reason.</summary>
    public Exposition Counted(Exposition exposition)
    {
        if (exposition.Failure is { } reason) counters.CollectionFailed(reason);
        return exposition;
    }

    private const string Whole = "The collection";

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
        const string whole = "Reading all of Redis";
        if (service.LeftOut is { } leftOut) log.Absent(whole, leftOut);
        else if (service.IsUsable) log.Succeeded(whole);
    }

    private void Tell(string table, bool exists, bool readable, string effect)
    {
        // A Harbor that has no such table misses nothing.
        if (exists && !readable) log.Absent(table, $"The role may not read {table}: {effect}. {FailureReason.Mend(FailureReason.Permission)}");
        else log.Succeeded(table);
    }
}
