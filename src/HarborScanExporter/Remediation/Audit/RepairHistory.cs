using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Remediation.Audit;

/// <summary>The states of a line of the audit.</summary>
internal static class RepairState
{
    /// <summary>Written ahead of an act of Harbor's API.</summary>
    public const string Intended = "intended";

    /// <summary>Rows were changed, or Harbor took the act.</summary>
    public const string Done = "done";

    /// <summary>Nothing was changed.</summary>
    public const string Failed = "failed";

    /// <summary>Harbor took the act, and the row is as it was.</summary>
    public const string NoEffect = "no_effect";

    /// <summary>Taken back by a person.</summary>
    public const string Undone = "undone";

    public static IReadOnlyList<string> All { get; } = [Intended, Done, Failed, NoEffect, Undone];
}

/// <summary>One line of the audit, as far as a plan needs it. Times are seconds since 1970 by the database's clock.</summary>
internal sealed record PastRepair
{
    public long Id { get; init; }

    /// <summary>The word of a <see cref="RepairAction"/>, or undo.</summary>
    public string Action { get; init; } = "";

    public string State { get; init; } = "";

    public string? Failure { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public long? RobotId { get; init; }

    public long? ArtifactId { get; init; }

    public string? Type { get; init; }

    public long Revision { get; init; }

    /// <summary>Whether an execution whose repair a person took back has been written since; of a task its revision tells.</summary>
    public bool HasMovedOn { get; init; }

    public double At { get; init; }

    public double? EndedAt { get; init; }

    public string? Verification { get; init; }
}

/// <summary>What the audit says when a plan is made.</summary>
internal sealed record RepairHistory
{
    /// <summary>The database's clock.</summary>
    public required double Now { get; init; }

    /// <summary>Lines that speak of the candidates.</summary>
    public IReadOnlyList<PastRepair> OfCandidates { get; init; } = [];

    /// <summary>Repairs of the last hour and of the last day, those under way among them.</summary>
    public long LastHour { get; init; }

    public long LastDay { get; init; }

    /// <summary>Failures of the last hour.</summary>
    public long FailedLastHour { get; init; }

    /// <summary>Repairs of the last three hours that were found reverted.</summary>
    public long RevertedLately { get; init; }

    /// <summary>When a repair of the last day last wrote Success; such a row is no sign that a scan came to its end. Null when none did.</summary>
    public double? NewestOwnSuccess { get; init; }

    /// <summary>Whether Harbor is read-only; null where the role cannot see it.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Whether this connection is to a standby, or may not write.</summary>
    public bool Standby { get; init; }

    /// <summary>Nothing was ever repaired.</summary>
    public static RepairHistory None { get; } = new() { Now = 0 };
}
