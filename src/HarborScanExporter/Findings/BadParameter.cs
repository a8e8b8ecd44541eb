namespace HarborScanExporter.Findings;

/// <summary>A parameter that cannot be used, and the mend.</summary>
/// <param name="Name">The parameter.</param>
/// <param name="Detail">What is wrong with it and what to give.</param>
internal sealed record BadParameter(string Name, string Detail);
