using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Observation;

/// <summary>The little that is remembered from one observation to the next beside rows; after a restart it begins anew.</summary>
internal sealed class ObservationMemory
{
    /// <summary>What was seen to be missing in the newest observation that could look.</summary>
    public Sightings Sightings { get; set; } = Sightings.None;

    /// <summary>Since when it has been seen, without interruption, that Redis was emptied under a living pool, by a clock that only rises; null when it is not.</summary>
    public long? EmptiedSince { get; set; }

    /// <summary>What the tasks in doubt name, which never changes: read once while they are in doubt.</summary>
    public IReadOnlyDictionary<(long Task, string Job), TaskAttributes> Named { get; set; } = new Dictionary<(long, string), TaskAttributes>();

    /// <summary>Where the reports of tasks in doubt stood.</summary>
    public RowAddresses<string> ReportAddresses { get; } = new();
}
