using System.Text.Json;
using System.Text.Json.Serialization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Operations;
using HarborScanExporter.Remediation.Telling;

namespace HarborScanExporter.Remediation.Command;

/// <summary>A plan or a run as JSON: the answer of <c>repair --output json</c>.</summary>
internal sealed record RepairDocument
{
    /// <summary>Its id in the audit; absent of a plan.</summary>
    public string? Run { get; init; }

    /// <summary>plan, dry-run or execute.</summary>
    public required string Mode { get; init; }

    public required RunEnd End { get; init; }

    public string? Problem { get; init; }

    public int Batches { get; init; }

    public required IReadOnlyList<PlanBlock> Blocks { get; init; }

    public required IReadOnlyList<RepairPart> Repairs { get; init; }

    public required IReadOnlyList<RefusalPart> Refusals { get; init; }

    /// <summary>Makes the document.</summary>
    public static RepairDocument Of(ToldRun told) => new()
    {
        Run = told.Run,
        Mode = told.Run is null ? "plan" : told.DryRun ? "dry-run" : "execute",
        End = told.Run is null && !told.IsSomethingLeft && told.End == RunEnd.Left ? RunEnd.Clean : told.End,
        Problem = told.Problem,
        Batches = told.Batches,
        Blocks = told.Blocks,
        Repairs = [.. told.Outcomes.Select(RepairPart.Of)],
        Refusals = [.. told.Refusals.Select(RefusalPart.Of)],
    };

    /// <summary>The document as text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, RepairDocumentJson.Default.RepairDocument);

    /// <summary>One repair; without a state it is only planned.</summary>
    internal sealed record RepairPart
    {
        public required string Action { get; init; }

        public required string Finding { get; init; }

        public required string Verdict { get; init; }

        public string? Type { get; init; }

        public long? TaskId { get; init; }

        public long? ExecutionId { get; init; }

        public long? RobotId { get; init; }

        public string? Status { get; init; }

        public string? State { get; init; }

        public string? Failure { get; init; }

        public long? AuditId { get; init; }

        public required string Text { get; init; }

        public required IReadOnlyList<string> Evidence { get; init; }

        public static RepairPart Of(RepairOutcome outcome) => new()
        {
            Action = outcome.Repair.Action.Word(),
            Finding = outcome.Repair.FindingId,
            Verdict = outcome.Repair.Verdict,
            Type = outcome.Repair.Type,
            TaskId = outcome.Repair.TaskId,
            ExecutionId = outcome.Repair.ExecutionId,
            RobotId = outcome.Repair.RobotId,
            Status = outcome.Repair.Status,
            State = outcome.State.Length == 0 ? null : outcome.State,
            Failure = outcome.Failure,
            AuditId = outcome.Audit,
            Text = outcome.Repair.Text,
            Evidence = outcome.Repair.Evidence,
        };
    }

    /// <summary>What is left alone.</summary>
    internal sealed record RefusalPart
    {
        public string? Finding { get; init; }

        public required string Verdict { get; init; }

        public required string Reason { get; init; }

        public required string Text { get; init; }

        public required long Count { get; init; }

        public static RefusalPart Of(Refusal refusal) => new()
        {
            Finding = refusal.FindingId,
            Verdict = refusal.Verdict,
            Reason = refusal.Reason,
            Text = refusal.Text,
            Count = refusal.Count,
        };
    }
}

/// <summary>How it is written: snake_case, words for enumerations, absent instead of null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WordOf<RunEnd>)],
    WriteIndented = true)]
[JsonSerializable(typeof(RepairDocument))]
internal sealed partial class RepairDocumentJson : JsonSerializerContext;
