using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace HarborScanExporter.HarborApi;

/// <summary>Harbor's words in an answer that refuses: <c>{"errors":[{"code","message"}]}</c> (harbor-facts 9).</summary>
internal static partial class ApiMessage
{
    /// <summary>A message longer than this is cut.</summary>
    public const int MostCharacters = 500;

    /// <summary>As much of a page of somebody else is shown.</summary>
    private const int MostOfPage = 120;

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

    /// <summary>Whether a body looks like a document of JSON.</summary>
    public static bool IsJson(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..];

    /// <summary>What another program than Harbor says in its answer, a page or a line: its title, else its first words; null when it says nothing.</summary>
    /// <param name="body">What was answered.</param>
    /// <param name="secrets">What must not come out.</param>
    public static string? PageOf(byte[] body, params ReadOnlySpan<string> secrets)
    {
        var page = Encoding.UTF8.GetString(body);
        var words = Title().Match(page) is { Success: true } title ? title.Groups["words"].Value : Element().Replace(page, " ");
        var text = Bounded(string.Join(' ', words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), secrets);
        if (text.Length > MostOfPage) text = text[..(char.IsHighSurrogate(text[MostOfPage - 1]) ? MostOfPage - 1 : MostOfPage)] + "...";
        return text.Length == 0 || text is "{}" or "[]" ? null : text;
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

    [GeneratedRegex("<title[^>]*>(?<words>[^<]*)</title", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Title();

    [GeneratedRegex("<(style|script)[^>]*>[^<]*</(style|script)>|<[^>]*>", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Element();

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
