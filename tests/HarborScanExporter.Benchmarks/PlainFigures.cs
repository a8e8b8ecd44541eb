namespace HarborScanExporter.Benchmarks;

/// <summary>What an exporter of plain queries costs at one size.</summary>
/// <param name="Round">One scrape, or one round of its queries.</param>
/// <param name="Pages">Pages of tables and indexes in one round.</param>
/// <param name="DatabaseMilliseconds">Planning and running its statements in one round.</param>
internal sealed record PlainFigures(Spread Round, double Pages, double DatabaseMilliseconds);
