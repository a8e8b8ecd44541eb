using HarborScanExporter.Observation;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>Tells of one topic: writes families from what was observed, and reads nothing. The order of collectors means nothing.</summary>
internal interface ICollector
{
    /// <summary>The name of its <see cref="Topic"/>.</summary>
    string Name { get; }

    /// <summary>What its parts of an observation cost the database, for the reference.</summary>
    string Cost { get; }

    /// <summary>Every family it may write.</summary>
    IReadOnlyList<Family> Families { get; }

    /// <summary>Writes its families; called only when all parts that its topic needs were read.</summary>
    void Write(HarborObservation seen, Samples samples);
}
