using System.Text.Json;

namespace HarborScanExporter.Harbor;

/// <summary>
/// What a scan task's extra_attrs names: the scanned artifact, the robot account made for the scan, and the reports it fills. Every
/// member may be missing: a row that another tool wrote must not stop a scrape.
/// </summary>
internal sealed record TaskAttributes(long? ArtifactId, long? RobotId, IReadOnlyList<string> ReportUuids)
{
    /// <summary>The length of the uuid column: a longer text names no report.</summary>
    private const int UuidLength = 64;

    private static readonly TaskAttributes None = new(null, null, []);

    /// <summary>Reads the column's text; whatever is not as Harbor writes it counts as missing.</summary>
    public static TaskAttributes Parse(string? text)
    {
        if (text is null) return None;
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return None;
            return new TaskAttributes(Number(document.RootElement, "artifact_id"), Number(document.RootElement, "robot_id"), Uuids(document.RootElement));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with half a surrogate pair cannot be read as text.
            return None;
        }
    }

    private static long? Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private static List<string> Uuids(JsonElement root)
    {
        List<string> uuids = [];
        if (!root.TryGetProperty("report_uuids", out var array) || array.ValueKind != JsonValueKind.Array) return uuids;
        foreach (var element in array.EnumerateArray())
        {
            // An element that cannot be a uuid stays in the list as one that no report answers to: the scan's result is then not complete.
            var uuid = element.ValueKind == JsonValueKind.String ? element.GetString()! : "";
            uuids.Add(uuid.Length <= UuidLength && uuid.All(char.IsAscii) && !uuid.Any(char.IsControl) ? uuid : "");
        }
        return uuids;
    }
}
