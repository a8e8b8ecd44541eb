using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Remediation.Undo;

/// <summary>What came of taking a repair back.</summary>
/// <param name="Done">Whether the rows are as they were before it.</param>
/// <param name="Problem">Why not, in a sentence with the mend where there is one; null when it is done.</param>
/// <param name="Reason">One of <see cref="UndoReason"/>, or of <see cref="RepairFailure"/> for an error of the database; null when it is done.</param>
internal sealed record UndoResult(bool Done, string? Problem, string? Reason)
{
    /// <summary>The line of the audit that says so; null when nothing was written.</summary>
    public long? Audit { get; init; }
}

/// <summary>Why a repair cannot be taken back.</summary>
internal static class UndoReason
{
    /// <summary>The audit has no such line.</summary>
    public const string NotFound = "not_found";

    /// <summary>It changed nothing, is not over, or was taken back already.</summary>
    public const string NotDone = "not_done";

    /// <summary>What it did cannot be taken back: Harbor itself did it.</summary>
    public const string NotUndoable = "not_undoable";

    /// <summary>The row is no longer as the repair left it.</summary>
    public const string MovedOn = "moved_on";

    /// <summary>The settings allow no writes.</summary>
    public const string Off = "off";

    public const string Standby = "standby";

    /// <summary>A run, another undo or a hook of Harbor's holds what it needs; it can be tried again at once.</summary>
    public const string Busy = "busy";
}
