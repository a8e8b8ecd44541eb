namespace HarborScanExporter.Metrics;

/// <summary>The collectors of a collection that have come to their end while it goes on.</summary>
internal sealed class EndedCollectors
{
    private readonly Lock _lock = new();
    private readonly List<RanCollector> _all = [];

    public IReadOnlyList<RanCollector> All
    {
        get { lock (_lock) return [.. _all]; }
    }

    public void Add(RanCollector ran)
    {
        lock (_lock) _all.Add(ran);
    }
}
