using System.Buffers;

namespace HarborScanExporter.Harbor;

/// <summary>The id that the job service gives a job: 24 lower-case hex digits (harbor-facts 9).</summary>
internal static class JobIdForm
{
    private const int Length = 24;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Whether a text is the id of one job. Other texts are other routes of Harbor's API: the word all stops every job.</summary>
    public static bool Is(string text) => text.Length == Length && !text.AsSpan().ContainsAnyExcept(HexDigits);
}
