using System.Globalization;
using System.Text;
using System.Text.Json;

namespace HarborScanExporter.HarborApi;

/// <summary>Harbor's words in an answer that refuses: <c>{"errors":[{"code","message"}]}</c> (harbor-facts 9).</summary>
internal static class ApiMessage
{
    /// <summary>A message longer than this is cut.</summary>
    public const int MostCharacters = 500;

    private const string Hidden = "***";

    /// <summary>The messages of a body, or null when it is not Harbor's form.</summary>
    /// <param name="body">What was answered.</param>
    /// <param name="secrets">What must not come out, should what answers repeat the request.</param>
    public static string? Of(byte[] body, params ReadOnlySpan<string> secrets)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("errors", out var errors) || errors.ValueKind != JsonValueKind.Array)
                return null;
            var messages = errors.EnumerateArray()
                .Where(error => error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String)
                .Select(error => error.GetProperty("message").GetString());
            var text = Bounded(string.Join("; ", messages), secrets);
            return text.Length == 0 ? null : text;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not JSON, or a text in it that is no Unicode.
            return null;
        }
    }

    /// <summary>A text in one line, without the secrets and not too long.</summary>
    public static string Bounded(string text, params ReadOnlySpan<string> secrets)
    {
        text = OneLine(text);
        foreach (var secret in secrets)
        {
            if (OneLine(secret) is { Length: > 0 } hidden) text = text.Replace(hidden, Hidden, StringComparison.Ordinal);
        }
        if (text.Length <= MostCharacters) return text;
        return text[..(char.IsHighSurrogate(text[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters)];
    }

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            // Format characters turn the direction of what a terminal or a page shows after them.
            if (char.GetUnicodeCategory(character) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator))
                line.Append(character);
        }
        return line.ToString();
    }
}
