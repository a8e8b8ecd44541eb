using System.Text.Json;

namespace HarborScanExporter.Harbor;

/// <summary>What the extra_attrs of a scan of one artifact name (harbor-facts 3.2). Before 2.9 vendor_id is the scanner's, so that only they tell the artifact.</summary>
internal static class ExecutionAttributes
{
    /// <summary>artifact.id; null when the text names none.</summary>
    public static long? ArtifactOf(string? text)
    {
        if (text is null) return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("artifact", out var artifact) && artifact.ValueKind == JsonValueKind.Object
                && artifact.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out var number)
                ? number
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
