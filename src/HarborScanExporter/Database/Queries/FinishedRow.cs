namespace HarborScanExporter.Database.Queries;

/// <summary>A row that is over and whose last change is not long ago: Harbor may bring it to life again.</summary>
/// <param name="Id">Its primary key.</param>
/// <param name="ExecutionId">The execution of a task; the id itself of an execution.</param>
/// <param name="Type">The vendor type.</param>
/// <param name="Status">Harbor's word, null for none.</param>
/// <param name="IsLowCode">A task whose code is below that of its status.</param>
internal sealed record FinishedRow(long Id, long ExecutionId, string Type, string? Status, bool IsLowCode);
