using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>What was missing of a task, and the row it was missed for: the same evidence of the same row is equal.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Status">The row's status.</param>
/// <param name="Revision">The row's revision.</param>
/// <param name="Updated">The row's update time.</param>
/// <param name="Absence">What is missing.</param>
internal readonly record struct Sighting(long TaskId, string Status, long Revision, double? Updated, Absence Absence)
{
    public static Sighting Of(ScanTask task, Absence absence) => new(task.Id, task.Status, task.StatusRevision, task.Updated, absence);
}

/// <summary>What is missing of a job in Redis; one look may have fallen between two steps of the job service.</summary>
internal enum Absence
{
    None,

    /// <summary>There is no record of it.</summary>
    Record,

    /// <summary>Its record is open and no list holds it.</summary>
    Place,

    /// <summary>Only the list of a pool holds it that left no heartbeat.</summary>
    Pool,
}

/// <summary>
/// Since when the same absence has been seen without interruption. Bounded by the tasks judged in one collection; made anew by each, so that
/// what was not seen this time is forgotten.
/// </summary>
internal sealed class Sightings
{
    private readonly Dictionary<Sighting, double> _since;

    private Sightings(Dictionary<Sighting, double> since) => _since = since;

    /// <summary>Nothing was seen before: after a start, and after a collection that could not look.</summary>
    public static Sightings None { get; } = new([]);

    public int Count => _since.Count;

    /// <summary>What is seen now, with the time of the first sighting kept.</summary>
    /// <param name="seen">The absences of this collection.</param>
    /// <param name="clock">Seconds of a clock that only rises.</param>
    public Sightings Next(IEnumerable<Sighting> seen, double clock) =>
        new(seen.Distinct().ToDictionary(sighting => sighting, sighting => _since.GetValueOrDefault(sighting, clock)));

    /// <summary>For how many seconds it has been seen; 0 at the first look.</summary>
    public double SeenFor(Sighting sighting, double clock) => _since.TryGetValue(sighting, out var since) ? clock - since : 0;
}
