using System.Text;
using System.Text.Unicode;

namespace HarborScanExporter.Settings;

/// <summary>What a file of a secret holds, read as one line of UTF-8.</summary>
internal static class SecretText
{
    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    private static ReadOnlySpan<byte> Utf16LittleMark => [0xFF, 0xFE];

    private static ReadOnlySpan<byte> Utf16BigMark => [0xFE, 0xFF];

    /// <summary>The text without a mark of UTF-8 and without line breaks at its end; null when it cannot be used.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="path">Its name, for the message.</param>
    /// <param name="problem">What is wrong and the mend, without the text itself; null when nothing is.</param>
    public static string? Of(ReadOnlySpan<byte> bytes, string path, out string? problem)
    {
        problem = null;
        if (bytes.StartsWith(Utf16LittleMark) || bytes.StartsWith(Utf16BigMark) || bytes.Contains((byte)0))
            problem = $"{path} is written in UTF-16 or holds zero bytes. Save it as UTF-8.";
        else if (!Utf8.IsValid(bytes))
            problem = $"{path} holds bytes that are no UTF-8. Save it as UTF-8.";
        if (problem is not null) return null;
        var text = Encoding.UTF8.GetString(bytes.StartsWith(Utf8Mark) ? bytes[Utf8Mark.Length..] : bytes).TrimEnd('\r', '\n');
        if (text.Trim().Length == 0) problem = $"{path} is empty. Write the secret into it.";
        // An editor and a shell leave them behind; no header, no URL and no sign-in takes them.
        else if (text.Trim().Any(character => char.IsControl(character) || character == '\uFEFF'))
            problem = $"{path} holds a line break or another control character within its text. Write the secret alone into it, on one line.";
        return problem is null ? text : null;
    }
}
