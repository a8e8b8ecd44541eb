using HarborScanExporter.Diagnosis;
using HarborScanExporter.Text;

namespace HarborScanExporter.Findings;

/// <summary>How scanning does, in one word; the worst first.</summary>
internal enum ScanningLevel
{
    /// <summary>It cannot be said: nobody could look, or what was seen proves neither.</summary>
    Unknown,

    /// <summary>Scanning, pulls or sweeping are blocked now.</summary>
    Critical,

    /// <summary>Something is wrong.</summary>
    Warning,

    /// <summary>Nothing is wrong.</summary>
    Ok,
}

/// <summary>The state of scanning in one word and one sentence, for the top of a page.</summary>
/// <param name="Level">The word.</param>
/// <param name="Sentence">The sentence.</param>
internal sealed record ScanningState(ScanningLevel Level, string Sentence)
{
    /// <summary>The state after a diagnosis.</summary>
    public static ScanningState Of(Diagnosed diagnosed, IReadOnlyList<Finding> findings)
    {
        var stuck = diagnosed.Tasks.Count(task => task.Judgement.IsStuck);
        var running = Live(diagnosed, Judgement.Running);
        var waiting = Live(diagnosed, Judgement.Queued) + Live(diagnosed, Judgement.Requeued) + Live(diagnosed, Judgement.Paused);
        var unjudged = Live(diagnosed, Judgement.Unjudged);
        var settling = Live(diagnosed, Judgement.Settling);
        var counts = $"{(stuck == 0 ? "none is stuck" : $"{Words.Number(stuck)} {(stuck == 1 ? "is" : "are")} stuck")}, {Words.Number(running)} run{(running == 1 ? "s" : "")}, "
            + $"{Words.Number(waiting)} wait{(waiting == 1 ? "s" : "")}{(settling == 0 ? "" : $", {Words.Number(settling)} settle{(settling == 1 ? "s" : "")}")}{(unjudged == 0 ? "" : $", {Words.Number(unjudged)} cannot be judged")}";
        var level = findings.Any(finding => finding.Severity == Severity.Critical) ? ScanningLevel.Critical
            : findings.Any(finding => finding.Severity == Severity.Warning) ? ScanningLevel.Warning
            : diagnosed.Undecided.Any() ? ScanningLevel.Unknown
            : ScanningLevel.Ok;
        var first = findings.FirstOrDefault(finding => finding is { Kind: FindingKind.System, Severity: Severity.Critical })
            ?? findings.FirstOrDefault(finding => finding is { Kind: FindingKind.System, Severity: Severity.Warning });
        var opening = (first is null ? "" : first.What.TrimEnd('.') + ". ") + (level == ScanningLevel.Ok ? "Scanning works. " : Undecided(diagnosed, level));
        return new ScanningState(level, diagnosed.Tasks.Count == 0
            ? $"{opening}No scan is open."
            : $"{opening}Of {Words.Count(diagnosed.Tasks.Count, "open scan")} {counts}.");
    }

    private static string Undecided(Diagnosed diagnosed, ScanningLevel level)
    {
        var missing = diagnosed.Missing.Count();
        var unjudged = Live(diagnosed, Judgement.Unjudged);
        // What cannot be judged where something is wrong is in the counts; what may be lost is not kept back.
        if (missing == 0 && (unjudged == 0 || level != ScanningLevel.Unknown)) return "";
        var of = $"of {Words.Count(diagnosed.Tasks.Count, "open scan")}";
        var what = missing == 0 ? $"{Words.Number(unjudged)} {of} cannot be judged"
            : $"{Words.Number(missing)} {of} {(missing == 1 ? "is" : "are")} missing from Redis, which one look does not prove";
        return $"{(level == ScanningLevel.Unknown ? "Not decided: " : "")}{what}. ";
    }

    private static int Live(Diagnosed diagnosed, Judgement state) => diagnosed.Tasks.Count(task => task.Judgement == state);
}
