namespace HarborScanExporter.Remediation;

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

/// <summary>Why a repair changed nothing: the closed set of <c>reason</c> of harbor_scan_remediation_repair_failures_total.</summary>
internal static class RepairFailure
{
    /// <summary>The row had moved on.</summary>
    public const string LostRace = "lost_race";

    /// <summary>Another transaction held the row or its execution.</summary>
    public const string Locked = "locked";

    public const string Timeout = "timeout";
    public const string Connect = "connect";
    public const string Permission = "permission";
    public const string Constraint = "constraint";
    public const string ApiDenied = "api_denied";
    public const string ApiRefused = "api_refused";
    public const string ApiUnreachable = "api_unreachable";

    /// <summary>The exporter ended between the intent and its outcome, and the row shows no effect.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>The audit could not be written; counted by the process alone.</summary>
    public const string Audit = "audit";

    public const string Other = "other";

    public static IReadOnlyList<string> All { get; } =
        [LostRace, Locked, Timeout, Connect, Permission, Constraint, ApiDenied, ApiRefused, ApiUnreachable, Interrupted, Audit, Other];
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

    /// <summary>Whether Harbor is read-only; null where the role cannot see it.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Whether this connection is to a standby, or may not write.</summary>
    public bool Standby { get; init; }

    /// <summary>Nothing was ever repaired.</summary>
    public static RepairHistory None { get; } = new() { Now = 0 };
}
