namespace HarborScanExporter.Benchmarks;

/// <summary>A look at the exporter during the soak.</summary>
/// <param name="Scrapes">Scrapes until then.</param>
/// <param name="Use">What the process holds.</param>
/// <param name="Connections">Sessions of its roles in PostgreSQL.</param>
/// <param name="Scrape">The scrapes since the look before.</param>
/// <param name="Failed">Of these, those that were no success by their own word.</param>
/// <param name="Tasks">Tasks in Harbor's table.</param>
internal sealed record SoakSample(int Scrapes, ProcessUse Use, long Connections, Spread Scrape, int Failed, long Tasks);
