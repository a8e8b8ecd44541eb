namespace HarborScanExporter.Database.Session;

/// <summary>What a session found of Harbor's tables when it began.</summary>
/// <param name="Schema">The schema that they stand in; public where there are none.</param>
/// <param name="AreFound">Whether there are any.</param>
/// <param name="GuardsAttributes">
/// Whether the functions of deploy/sql, which show the attributes of scans alone, are there for this role. Without them, as for Harbor's own user, the
/// columns themselves are read.
/// </param>
internal sealed record HarborTables(string Schema, bool AreFound, bool GuardsAttributes);
