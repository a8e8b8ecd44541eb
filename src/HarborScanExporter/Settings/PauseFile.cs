namespace HarborScanExporter.Settings;

/// <summary>The switch that pauses repairs: a file whose text is the reason (conventions 5.13). Looked at before every step of a run.</summary>
/// <param name="path">The file; null when there is no such switch.</param>
internal sealed class PauseFile(string? path)
{
    /// <summary>As much of the text as is shown.</summary>
    private const int MostCharacters = 500;

    /// <summary>The reason; empty when the file has no readable text, null while there is no file.</summary>
    public string? Reason()
    {
        if (path is null || !File.Exists(path)) return null;
        try
        {
            // What has no length may be a pipe, whose opening waits for ever.
            if (new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length == 0) return "";
            using var file = new StreamReader(path);
            var text = new char[MostCharacters];
            var read = file.ReadBlock(text);
            return string.Join(' ', new string(text, 0, read).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It exists: that alone pauses.
            return File.Exists(path) ? "" : null;
        }
    }
}
