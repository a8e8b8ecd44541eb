using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Audit;

/// <summary>Who or what asked for a run.</summary>
/// <param name="Source">One of <see cref="RunSource"/>.</param>
/// <param name="Actor">The alerts, or the name that a person gave.</param>
/// <param name="Note">What a person gave as reason, and what was overridden; null when nothing was.</param>
internal sealed record Asker(string Source, string Actor, string? Note = null);

/// <summary>The ways in; the closed set of the audit's <c>source</c>.</summary>
internal static class RunSource
{
    public const string Alert = "alert";
    public const string Api = "api";
    public const string Command = "command";

    /// <summary>The look at whether a repair held.</summary>
    public const string Verification = "verification";
}

/// <summary>A line of the audit that is to be written.</summary>
internal sealed record AuditLine
{
    /// <summary>The run that it belongs to.</summary>
    public required string Run { get; init; }

    public required Asker Asker { get; init; }

    /// <summary>The word of a <see cref="RepairAction"/>, or <see cref="Undo"/>.</summary>
    public required string Action { get; init; }

    public required string State { get; init; }

    public string? Failure { get; init; }

    public required string Verdict { get; init; }

    public required IReadOnlyList<string> Evidence { get; init; }

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public string? JobId { get; init; }

    public long? RobotId { get; init; }

    public long? ArtifactId { get; init; }

    public long? Revision { get; init; }

    public string? Status { get; init; }

    /// <summary>The rows before, as JSON.</summary>
    public string? Before { get; init; }

    /// <summary>The rows after, as JSON.</summary>
    public string? After { get; init; }

    public long? UndoOf { get; init; }

    /// <summary>The word of the audit for a repair taken back.</summary>
    public const string Undo = "undo";

    /// <summary>The line of a planned repair.</summary>
    public static AuditLine Of(PlannedRepair repair, string run, Asker asker, string state) => new()
    {
        Run = run,
        Asker = asker,
        Action = repair.Action.Word(),
        State = state,
        Verdict = repair.Verdict,
        Evidence = repair.Evidence,
        Type = repair.Type,
        TaskId = repair.TaskId,
        ExecutionId = repair.ExecutionId,
        JobId = repair.JobId,
        RobotId = repair.RobotId,
        ArtifactId = repair.ArtifactId,
        Revision = repair.Fence?.Revision ?? 0,
        Status = repair.Status,
    };

    /// <summary>Rows as the audit holds them.</summary>
    /// <param name="task">The row of task as JSON; null when none is meant.</param>
    /// <param name="execution">The row of execution as JSON; null when none is meant.</param>
    public static string Images(string? task, string? execution) => $$"""{"task": {{task ?? "null"}}, "execution": {{execution ?? "null"}}}""";
}
