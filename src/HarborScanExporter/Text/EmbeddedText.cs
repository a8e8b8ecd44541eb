namespace HarborScanExporter.Text;

/// <summary>Text files that the program carries in itself.</summary>
internal static class EmbeddedText
{
    /// <summary>The text of one.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static string Of(string name)
    {
        using var stream = typeof(EmbeddedText).Assembly.GetManifestResourceStream(name) ?? throw new ArgumentException($"There is no text {name}.", nameof(name));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
