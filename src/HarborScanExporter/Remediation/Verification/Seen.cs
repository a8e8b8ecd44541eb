using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>What became of a repair.</summary>
internal enum Seen
{
    /// <summary>The row is over as the repair left it, or gone, which only a row that is over goes.</summary>
    Held,

    /// <summary>The row is open again, or its code below 3 again, without a new run of its job: the repair was wrong, or somebody works against it.</summary>
    Reverted,

    /// <summary>All its reports came after it: it was made Success.</summary>
    Promoted,

    /// <summary>Harbor wrote it since: a new run of the job, or another end (harbor-facts 7.3: the row heals itself).</summary>
    Superseded,

    /// <summary>Harbor took a stop, and the row did not change.</summary>
    NoEffect,
}

/// <summary>What rows say of a repair.</summary>
internal static class SeenRows
{
    /// <summary>The word of the audit's <c>verification</c>; null where the state of the line says it.</summary>
    public static string? Word(this Seen seen) => seen switch
    {
        Seen.Held => "held",
        Seen.Reverted => "reverted",
        Seen.Promoted => "promoted",
        Seen.Superseded => "superseded",
        _ => null,
    };

    /// <summary>What a task's row says.</summary>
    /// <param name="line">The repair.</param>
    /// <param name="now">The row; null when it is gone.</param>
    public static Seen Of(DueCheck line, TaskNow? now)
    {
        if (now is null) return Seen.Held;
        var isStop = line.Action == RepairAction.StopJob.Word();
        // Each run of a job has a larger revision than the one before; a hook of the run that was repaired has none.
        var isNewRun = now.Revision > line.Revision;
        if (!ScanStatus.IsFinal(now.Status)) return isNewRun ? Seen.Superseded : isStop ? Seen.NoEffect : Seen.Reverted;
        if (now.Status != line.Status) return Seen.Superseded;
        // A stop is Harbor's own write: whichever run it ended, the row is Stopped.
        if (isStop) return Seen.Held;
        return isNewRun ? Seen.Superseded : now.Code == ScanStatus.CodeOf(now.Status) ? Seen.Held : Seen.Reverted;
    }

    /// <summary>What an execution's row says.</summary>
    /// <param name="line">The repair.</param>
    /// <param name="now">The row; null when it is gone.</param>
    public static Seen Of(DueCheck line, ExecutionNow? now)
    {
        if (now is null || now.Status == line.Status) return Seen.Held;
        if (now.Status != ScanStatus.Running) return Seen.Superseded;
        // Running is the truth again where a task is open anew, and for an execution that was empty where one has come.
        var isTrue = line.Action == RepairAction.CloseEmptyExecution.Word() ? now.Tasks is not null : now.Tasks == ScanStatus.Running;
        return isTrue ? Seen.Superseded : Seen.Reverted;
    }
}
