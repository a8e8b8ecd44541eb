using System.Text.Json.Serialization;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Http;

/// <summary>How the documents are written: snake_case, words for enumerations, absent instead of null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WordOf<RunEnd>)],
    WriteIndented = true)]
[JsonSerializable(typeof(PlanDocument))]
[JsonSerializable(typeof(RunDocument))]
[JsonSerializable(typeof(HistoryDocument))]
[JsonSerializable(typeof(UndoDocument))]
internal sealed partial class RequestsJson : JsonSerializerContext;
