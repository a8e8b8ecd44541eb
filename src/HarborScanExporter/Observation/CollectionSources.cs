using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.HarborApi;
using HarborScanExporter.JobService;

namespace HarborScanExporter.Observation;

/// <summary>Where a collection reads, and the little that is remembered from one to the next.</summary>
/// <param name="Database">Harbor's database.</param>
/// <param name="Time">Measures; rows are aged by the database's clock.</param>
/// <param name="Evidence">The job service's Redis; null without it.</param>
/// <param name="Api">Harbor's API; null without it.</param>
internal sealed record CollectionSources(HarborDatabase Database, TimeProvider Time, EvidenceReader? Evidence = null, SystemInfoClient? Api = null)
{
    /// <summary>What was seen to be missing in the newest collection that could look.</summary>
    public Sightings Sightings { get; set; } = Sightings.None;

    /// <summary>Since when it has been seen, without interruption, that Redis was emptied under a living pool, by a clock that only rises; null when it is not.</summary>
    public long? EmptiedSince { get; set; }

    /// <summary>What the tasks in doubt name, which never changes: read once while they are in doubt.</summary>
    public IReadOnlyDictionary<(long Task, string Job), TaskAttributes> Named { get; set; } = new Dictionary<(long, string), TaskAttributes>();

    /// <summary>Where the reports of tasks in doubt stood.</summary>
    public RowAddresses<string> ReportAddresses { get; } = new();
}
