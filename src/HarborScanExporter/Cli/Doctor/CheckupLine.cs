namespace HarborScanExporter.Cli.Doctor;

/// <summary>How one check of <c>doctor</c> ended.</summary>
internal enum CheckupResult
{
    Ok,

    /// <summary>It works, and should be looked at.</summary>
    Warning,

    /// <summary>The exporter cannot do its work, or not all of it.</summary>
    Failed,

    /// <summary>It was not tried, for the reason that is told.</summary>
    Skipped,
}

/// <summary>One check of <c>doctor</c>.</summary>
/// <param name="Name">What was checked.</param>
/// <param name="Result">How it ended.</param>
/// <param name="Reason">What was found, in a sentence without secrets.</param>
/// <param name="Mend">What to do; null when there is nothing to do.</param>
internal sealed record CheckupLine(string Name, CheckupResult Result, string Reason, string? Mend = null)
{
    public static CheckupLine Ok(string name, string reason) => new(name, CheckupResult.Ok, reason);

    public static CheckupLine Warning(string name, string reason, string mend) => new(name, CheckupResult.Warning, reason, mend);

    public static CheckupLine Failed(string name, string reason, string mend) => new(name, CheckupResult.Failed, reason, mend);

    public static CheckupLine Skipped(string name, string reason, string? mend = null) => new(name, CheckupResult.Skipped, reason, mend);
}
