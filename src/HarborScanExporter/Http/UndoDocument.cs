using System.Text.Json;

namespace HarborScanExporter.Http;

/// <summary>The answer of POST /api/v1/repairs/{id}/undo: the rows are as they were before the repair.</summary>
/// <param name="Id">The line of the repair.</param>
/// <param name="State">The state of that line now.</param>
/// <param name="AuditId">The line that says that it was taken back.</param>
internal sealed record UndoDocument(long Id, string State, long? AuditId)
{
    /// <summary>The document as text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, RequestsJson.Default.UndoDocument);
}
