using System.Text.Json;

namespace HarborScanExporter.Harbor;

/// <summary>The <c>summary</c> that a scan-all writes into its extra_attrs when it has submitted everything.</summary>
internal sealed record ScanAllSummary(long Total, long Submitted, long Conflict, long Precondition, long Unsupported, long Unknown)
{
    /// <summary>Reads the summary; null when there is none or when the text is not what Harbor writes.</summary>
    public static ScanAllSummary? Parse(string? extraAttributes)
    {
        if (extraAttributes is null) return null;
        try
        {
            using var document = JsonDocument.Parse(extraAttributes);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("summary", out var summary)
                || summary.ValueKind != JsonValueKind.Object)
                return null;
            return new ScanAllSummary(
                Count(summary, "total_count"), Count(summary, "submit_count"), Count(summary, "conflict_count"),
                Count(summary, "precondition_count"), Count(summary, "unsupport_count"), Count(summary, "unknow_count"));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static long Count(JsonElement summary, string name) =>
        summary.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var count) ? count : 0;
}
