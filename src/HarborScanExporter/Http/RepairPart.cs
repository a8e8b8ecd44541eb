using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Http;

/// <summary>One planned repair, and in the answer of a run what became of it.</summary>
internal sealed record RepairPart
{
    /// <summary>The word of a <see cref="RepairAction"/>.</summary>
    public required string Action { get; init; }

    /// <summary>The finding that it ends.</summary>
    public required string Finding { get; init; }

    public required string Verdict { get; init; }

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public string? JobId { get; init; }

    public long? RobotId { get; init; }

    /// <summary>The status that the row had when it was judged; null when no row of task is meant.</summary>
    public string? StatusBefore { get; init; }

    /// <summary>The status that it gets.</summary>
    public string? Status { get; init; }

    /// <summary>One of <see cref="RepairState"/>; null in a plan.</summary>
    public string? State { get; init; }

    /// <summary>One of <see cref="RepairFailure"/>; null when it did not fail.</summary>
    public string? Failure { get; init; }

    /// <summary>The line of the audit; null in a plan and in a dry run.</summary>
    public long? AuditId { get; init; }

    /// <summary>What is done and why.</summary>
    public required string Text { get; init; }

    public required IReadOnlyList<string> Evidence { get; init; }

    public static RepairPart Of(PlannedRepair repair) => new()
    {
        Action = repair.Action.Word(),
        Finding = repair.FindingId,
        Verdict = repair.Verdict,
        Type = repair.Type,
        TaskId = repair.TaskId,
        ExecutionId = repair.ExecutionId,
        JobId = repair.JobId,
        RobotId = repair.RobotId,
        StatusBefore = repair.Fence?.Status,
        Status = repair.Status,
        Text = repair.Text,
        Evidence = repair.Evidence,
    };

    public static RepairPart Of(RepairOutcome outcome) =>
        Of(outcome.Repair) with { State = outcome.State, Failure = outcome.Failure, AuditId = outcome.Audit };
}
