namespace HarborScanExporter.Benchmarks;

/// <summary>What is measured, one after the other, so that no measurement runs beside another.</summary>
/// <param name="sizes">Sizes of Harbor's tables, in tasks.</param>
/// <param name="scrapes">Scrapes in the steady state at each size, and of the long queue.</param>
/// <param name="memoryScrapes">Scrapes for the memory.</param>
/// <param name="native">The published binary.</param>
internal sealed class BenchmarkPlan(IReadOnlyList<int> sizes, int scrapes, int memoryScrapes, string native)
{
    private const int EmptyStarts = 10;

    private readonly List<SizeFigures> _figures = [];
    private readonly string _loadBefore = Machine.Load();
    private BenchmarkReport? _report;
    private Goals? _goals;

    /// <summary>The long queue, with and without Redis.</summary>
    public JobServiceBenchmark Queue { get; } = new(native, scrapes);

    /// <summary>What is beyond its goal or limit.</summary>
    public IReadOnlyList<string> Missed => [.. _goals?.Missed ?? [], .. Queue.Missed];

    /// <summary>Measures all of it.</summary>
    public async Task RunAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        var empty = await EmptyStartAsync(server, cancellationToken);
        var memory = new MemoryBenchmark(native, memoryScrapes);
        var memoryFigures = await memory.RunAsync(server, cancellationToken);
        await Queue.RunAsync(server, cancellationToken);
        var benchmark = new SizeBenchmark(native, scrapes);
        foreach (var size in sizes.Order()) _figures.Add(await benchmark.RunAsync(server, size, cancellationToken));
        _goals = new Goals(_figures, memoryFigures, Queue);
        _report = new BenchmarkReport(_figures, empty, memoryFigures, (memory.EarlyScrapes, memory.LateScrapes, memory.LookedAt), _goals, await server.VersionAsync(), _loadBefore);
    }

    /// <summary>The document without the part on Redis, which can be measured alone; empty when only that was.</summary>
    public string ToMarkdown() => _report?.ToMarkdown() ?? "";

    /// <summary>The drawing; null when nothing was measured for it.</summary>
    public string? ToSvg() => _figures.Count > 0 ? CostPlot.ToSvg(_figures) : null;

    private async Task<Start> EmptyStartAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        Progress.Say($"an empty Harbor: starting {EmptyStarts} times");
        var harbor = await FilledHarbor.CreateAsync(server, "harbor_empty");
        List<Start> starts = [];
        for (var start = 0; start < EmptyStarts; start++)
        {
            await using var exporter = MeasuredExporter.Start(native, harbor);
            starts.Add(await exporter.CompleteAsync(cancellationToken));
        }
        return Start.MedianOf(starts);
    }
}
