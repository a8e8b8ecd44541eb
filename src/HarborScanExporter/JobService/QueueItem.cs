using System.Text.Json;

namespace HarborScanExporter.JobService;

/// <summary>
/// One entry of a job list: its id and the time of its enqueuing. The rest of the entry holds a robot's secret in clear text and is skipped
/// where it stands, without ever becoming a string.
/// </summary>
/// <param name="Id">The job's id.</param>
/// <param name="Enqueued">Unix seconds; null when the entry has none.</param>
internal readonly record struct QueueItem(string Id, double? Enqueued)
{
    /// <summary>Reads an entry; null when it is no entry of the job service.</summary>
    public static QueueItem? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json.Span);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            string? id = null;
            double? enqueued = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                var isTime = reader.ValueTextEquals("t"u8);
                reader.Read();
                if (isId && reader.TokenType == JsonTokenType.String) id = reader.GetString();
                else if (isTime && reader.TokenType == JsonTokenType.Number) enqueued = reader.GetDouble();
                else reader.Skip();
            }
            return id is null ? null : new QueueItem(id, enqueued);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
