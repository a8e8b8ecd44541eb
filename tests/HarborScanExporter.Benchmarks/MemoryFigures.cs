namespace HarborScanExporter.Benchmarks;

/// <summary>What a long life does to the process, and what many scrapes at the same time do to the database.</summary>
/// <param name="Early">The highest resident memory in the second half of the first tenth of the scrapes, in bytes.</param>
/// <param name="Late">The highest among as many at the end, in bytes.</param>
/// <param name="Scrapes">The scrapes between the two.</param>
/// <param name="Failed">Of all scrapes, those that were no success by their own word.</param>
/// <param name="Collections">Collections for the scrapes at the same time.</param>
/// <param name="Answered">Of those scrapes, the ones that were answered with success.</param>
internal sealed record MemoryFigures(long Early, long Late, Spread Scrapes, int Failed, double Collections, int Answered);
