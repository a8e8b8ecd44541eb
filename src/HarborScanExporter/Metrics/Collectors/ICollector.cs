using HarborScanExporter.Observation;

namespace HarborScanExporter.Metrics.Collectors;

/// <summary>One topic: what it reads and the families it writes. A failure of one hides no other.</summary>
internal interface ICollector
{
    /// <summary>The label value of <c>collector</c>, and the word of the settings.</summary>
    string Name { get; }

    /// <summary>What one collection costs the database, for the reference.</summary>
    string Cost { get; }

    /// <summary>Whether it runs unless the settings say otherwise.</summary>
    bool OnByDefault { get; }

    /// <summary>Whether its failure makes harbor_scan_up 0, which speaks of the database alone.</summary>
    bool CountsForUp => true;

    /// <summary>Whether it needs whole tables: where rows are remembered from scrape to scrape, the reconciliation runs it.</summary>
    bool ReadsWholeTables => false;

    /// <summary>Every family it may write.</summary>
    IReadOnlyList<Family> Families { get; }

    /// <summary>Reads what it needs, then writes its families. It writes nothing that it did not just read.</summary>
    Task CollectAsync(Collection collection, Samples samples, CancellationToken cancellationToken);
}
