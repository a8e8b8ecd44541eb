using System.Globalization;
using System.Text;
using System.Text.Json;

namespace HarborScanExporter.Harbor;

/// <summary>
/// When a stored result was made: <c>generated_at</c> of a vulnerability report, <c>end_time</c> of an SBOM, by the adapter's clock (harbor-facts 0.2).
/// A report may be large where its vulnerabilities stand in it: its beginning suffices, as Harbor writes <c>generated_at</c> first, and of an SBOM the keys in
/// the order of the alphabet.
/// </summary>
internal static class ReportTime
{
    /// <summary>The time in seconds since 1970; null when the beginning does not say one.</summary>
    /// <param name="beginning">The first characters of the column's text; null when nothing is stored.</param>
    public static double? Of(string? beginning)
    {
        if (beginning is null) return null;
        // The text may end within a value: whatever stands before that is read.
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(beginning), isFinalBlock: false, default);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isTime = reader.ValueTextEquals("generated_at"u8) || reader.ValueTextEquals("end_time"u8);
                if (!reader.Read()) return null;
                if (isTime) return reader.TokenType == JsonTokenType.String ? Parse(reader.GetString()) : null;
                if (!reader.TrySkip()) return null;
            }
            return null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Go writes the year 1 where no time was set.</summary>
    private static double? Parse(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time >= DateTimeOffset.UnixEpoch
            ? (time - DateTimeOffset.UnixEpoch).TotalSeconds
            : null;
}
