using System.Text.Json.Serialization;

namespace HarborScanExporter.Remediation;

/// <summary>The small documents of the audit.</summary>
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class RepairJson : JsonSerializerContext;
