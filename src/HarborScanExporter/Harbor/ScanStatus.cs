namespace HarborScanExporter.Harbor;

/// <summary>Harbor's status words; their codes are Pending 0, Scheduled 1, Running 2, and 3 for the three final ones.</summary>
internal static class ScanStatus
{
    public const string Pending = "Pending";
    public const string Scheduled = "Scheduled";
    public const string Running = "Running";
    public const string Success = "Success";
    public const string Error = "Error";
    public const string Stopped = "Stopped";

    /// <summary>The label value of NULL and of every word that is none of Harbor's, such as <c>Succeed</c> of 2.2.0.</summary>
    public const string Other = "other";

    /// <summary>The words of a row that is not over.</summary>
    public static IReadOnlyList<string> Open { get; } = [Pending, Scheduled, Running];

    /// <summary>The words of a row that is over.</summary>
    public static IReadOnlyList<string> Final { get; } = [Success, Error, Stopped];

    /// <summary>All label values.</summary>
    public static IReadOnlyList<string> Labels { get; } = [.. Open, .. Final, Other];

    public static bool IsOpen(string? status) => status is Pending or Scheduled or Running;

    public static bool IsFinal(string? status) => status is Success or Error or Stopped;

    /// <summary>Harbor's code of the word; -1 for a word that is none of Harbor's.</summary>
    public static int CodeOf(string? status) => status switch
    {
        Pending => 0,
        Scheduled => 1,
        Running => 2,
        Success or Error or Stopped => 3,
        _ => -1,
    };

    /// <summary>The word itself, or <see cref="Other"/>.</summary>
    public static string Label(string? status) => IsOpen(status) || IsFinal(status) ? status! : Other;
}
