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
    /// <summary>Jobs looked up in one observation; a Redis full of jobs that no row here has must not cost more.</summary>
    private const int Most = 500;

    /// <summary>Reads those that the diagnosis does not know as open, and has them watched.</summary>
    /// <param name="seen">The observation with its diagnosis.</param>
    /// <param name="rows">What is remembered.</param>
    /// <param name="reader">The second snapshot.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task ReadAsync(HarborObservation seen, ActiveRows rows, SnapshotReader reader, CancellationToken cancellationToken)
    {
        // Before there was an index of jobs, they are found by the next reconciliation once they live.
        if (seen.Diagnosed is not { JobService: { IsUsable: true } service } || seen.Facts!.SchemaVersion < HarborSchema.JobIndexSince) return;
        var open = seen.OpenTasks!.Value.Select(task => task.JobId).ToHashSet(StringComparer.Ordinal);
        string[] others = [.. service.Listed.Where(job => !open.Contains(job)).Take(Most)];
        rows.Listed(await reader.ReadAsync((from, token) => ActiveTaskLookup.ByJobAsync(from, others, token), cancellationToken));
    }
}
