using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Observation;

/// <summary>
/// Tasks that are over while their job still stands in the queue or in a list of a pool: when a worker takes it, the row lives again, however
/// long ago it ended (harbor-facts 4.3).
/// </summary>
internal static class ListedTasks
{
    /// <summary>Jobs looked up in one collection; a Redis full of jobs that no row here has must not cost more.</summary>
    private const int Most = 500;

    /// <summary>Reads those that the diagnosis does not know as open, and has them watched.</summary>
    public static async Task ReadAsync(Collection collection, ActiveRows rows, CancellationToken cancellationToken)
    {
        // Before there was an index of jobs, they are found by the next reconciliation once they live.
        if (collection.Diagnosed is not { JobService: { IsUsable: true } service } || collection.Facts.SchemaVersion < HarborSchema.JobIndexSince) return;
        var open = (await collection.OpenTasksAsync(cancellationToken)).Select(task => task.JobId).ToHashSet(StringComparer.Ordinal);
        string[] others = [.. service.Listed.Where(job => !open.Contains(job)).Take(Most)];
        rows.Listed(await collection.ReadAsync((from, token) => ActiveTaskLookup.ByJobAsync(from, others, token), cancellationToken));
    }
}
