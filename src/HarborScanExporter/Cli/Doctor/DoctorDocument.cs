using System.Text.Json;
using System.Text.Json.Serialization;
using HarborScanExporter.Http;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>The checks as JSON: what <c>doctor --output json</c> prints.</summary>
internal sealed record DoctorDocument
{
    public string Version { get; init; } = "v1";

    /// <summary>The worst result; skipped checks count for nothing.</summary>
    public required CheckupResult Result { get; init; }

    public required IReadOnlyList<CheckupLine> Checks { get; init; }

    public static DoctorDocument Of(IReadOnlyList<CheckupLine> lines) => new() { Result = WorstOf(lines), Checks = lines };

    public static CheckupResult WorstOf(IReadOnlyList<CheckupLine> lines) =>
        lines.Any(line => line.Result == CheckupResult.Failed) ? CheckupResult.Failed
        : lines.Any(line => line.Result == CheckupResult.Warning) ? CheckupResult.Warning
        : CheckupResult.Ok;

    public string ToJson() => JsonSerializer.Serialize(this, DoctorJson.Default.DoctorDocument);
}

/// <summary>Written as the findings are: snake_case, words, absent instead of null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WordOf<CheckupResult>)],
    WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
internal sealed partial class DoctorJson : JsonSerializerContext;
