using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using HarborScanExporter.HarborApi;
using HarborScanExporter.JobService;

namespace HarborScanExporter.Observation;

/// <summary>Asks Redis and Harbor's API, after the first snapshot has ended.</summary>
/// <param name="memory">Since when Redis has been seen emptied.</param>
/// <param name="time">Measures.</param>
/// <param name="evidence">The job service's Redis; null without it.</param>
/// <param name="api">Harbor's API; null without it.</param>
internal sealed class JobServiceLook(ObservationMemory memory, TimeProvider time, EvidenceReader? evidence, SystemInfoClient? api)
{
    /// <summary>The part of the observation's time that Redis may take: the second snapshot comes after it.</summary>
    private const double Share = 0.4;

    /// <summary>Redis has so long in any case: whoever asked for less time may not be the only one who waits.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <summary>Asks both; from here on reads see a second, later snapshot. Never fails for the sake of Redis.</summary>
    /// <param name="reader">The first snapshot, which ends here.</param>
    /// <param name="seen">What was read in it.</param>
    /// <param name="awaited">How much longer somebody waits.</param>
    /// <param name="counts">Whether what the first snapshot read is to be counted.</param>
    /// <param name="cancellationToken">Cancels what is under way.</param>
    public async Task<(Part<JobServiceEvidence> Evidence, bool? ReadOnly)> ReadAsync(
        SnapshotReader reader, HarborObservation seen, Func<TimeSpan> awaited, bool counts, CancellationToken cancellationToken)
    {
        if (evidence is null && api is null) return (Part<JobServiceEvidence>.Of(JobServiceEvidence.Without(EvidenceState.NotConfigured)), null);
        bool? readOnly = null;
        return (await Part<JobServiceEvidence>.ReadAsync(time, async () =>
        {
            await reader.EndAsync(counts, cancellationToken);
            var open = seen.OpenTasks is { Failure: null } known ? known.Value : [];
            var asked = api?.ReadOnlyAsync(cancellationToken) ?? Task.FromResult<bool?>(null);
            var read = evidence?.ReadAsync([.. Diagnoser.OldestFirst(open).Select(task => task.JobId)], PatienceOf(awaited(), reader.Left), cancellationToken)
                ?? Task.FromResult(JobServiceEvidence.Without(EvidenceState.NotConfigured));
            // Neither is left behind when the other fails.
            await Task.WhenAll(asked, read);
            readOnly = await asked;
            return await BesideRowsAsync(await read, open, reader, seen, cancellationToken);
        }), readOnly);
    }

    /// <summary>Jobs whose hooks nobody takes and that no task names; null where that cannot be asked.</summary>
    /// <param name="reader">The second snapshot.</param>
    /// <param name="facts">The database's.</param>
    /// <param name="service">What Redis says.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<IReadOnlyList<string>?> OrphanHooksAsync(SnapshotReader reader, DatabaseFacts facts, JobServiceEvidence service, CancellationToken cancellationToken)
    {
        if (!service.IsUsable || facts.SchemaVersion < HarborSchema.JobIndexSince) return null;
        var named = await reader.ReadAsync((from, token) => TaskLookup.NamedJobsAsync(from, [.. service.UnclaimedHooks], token), cancellationToken);
        return [.. service.UnclaimedHooks.Where(job => !named.Contains(job))];
    }

    private static TimeSpan PatienceOf(TimeSpan awaited, TimeSpan left)
    {
        var patience = awaited * Share;
        return patience > Least ? patience : left * Share < Least ? left * Share : Least;
    }

    private async Task<JobServiceEvidence> BesideRowsAsync(
        JobServiceEvidence read, IReadOnlyList<ScanTask> open, SnapshotReader reader, HarborObservation seen, CancellationToken cancellationToken)
    {
        if (await IsForeignAsync(read, reader, cancellationToken)) return read.OfAnotherHarbor();
        memory.EmptiedSince = read.EmptiedUnderPools ? memory.EmptiedSince ?? time.GetTimestamp() : null;
        var newestSuccess = seen.Tasks is { Failure: null } counted ? counted.Value.NewestSuccess : null;
        return (read with { EmptiedFor = memory.EmptiedSince is { } since ? time.GetElapsedTime(since).TotalSeconds : 0 })
            .Beside(RowFreshness.OfWork(open, newestSuccess, seen.Facts!.Now));
    }

    /// <summary>Whether Redis shows jobs and not one of them is a task here. Asked only when it knows no open task either, as before 2.5 it reads the table.</summary>
    private static async Task<bool> IsForeignAsync(JobServiceEvidence read, SnapshotReader reader, CancellationToken cancellationToken) =>
        read.MayBeForeign && (await reader.ReadAsync((from, token) => TaskLookup.NamedJobsAsync(from, [.. read.SomeJobs], token), cancellationToken)).Count == 0;
}
