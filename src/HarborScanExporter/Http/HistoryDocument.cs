using System.Text.Json;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Remediation;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Undo;

namespace HarborScanExporter.Http;

/// <summary>The answer of GET /api/v1/repairs: a page of the audit, the newest line first. Its shape is described in openapi.yaml.</summary>
internal sealed record HistoryDocument
{
    public string Version { get; init; } = FindingsDocument.CurrentVersion;

    /// <summary>How many lines fit the filter, on all pages.</summary>
    public required long Total { get; init; }

    public required int Page { get; init; }

    public required int PageSize { get; init; }

    public required IReadOnlyList<LinePart> Repairs { get; init; }

    public static HistoryDocument Of(AuditPage page, int number, int size) => new()
    {
        Total = page.Total,
        Page = number,
        PageSize = size,
        Repairs = [.. page.Lines.Select(LinePart.Of)],
    };

    /// <summary>The document as text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, RequestsJson.Default.HistoryDocument);

    /// <summary>One line.</summary>
    internal sealed record LinePart
    {
        public required long Id { get; init; }

        public DateTimeOffset? At { get; init; }

        /// <summary>When it ended; null while it is under way.</summary>
        public DateTimeOffset? EndedAt { get; init; }

        public required string Run { get; init; }

        /// <summary>One of <see cref="RunSource"/>.</summary>
        public required string Source { get; init; }

        public required string Actor { get; init; }

        public string? Note { get; init; }

        /// <summary>The word of a <see cref="RepairAction"/>, or undo.</summary>
        public required string Action { get; init; }

        /// <summary>One of <see cref="RepairState"/>.</summary>
        public required string State { get; init; }

        /// <summary>One of <see cref="RepairFailure"/>; null when it did not fail.</summary>
        public string? Failure { get; init; }

        public required string Verdict { get; init; }

        public required IReadOnlyList<string> Evidence { get; init; }

        public string? Type { get; init; }

        public long? TaskId { get; init; }

        public long? ExecutionId { get; init; }

        public string? JobId { get; init; }

        public long? RobotId { get; init; }

        public long? ArtifactId { get; init; }

        public string? StatusBefore { get; init; }

        public string? Status { get; init; }

        /// <summary>held, reverted, promoted or superseded; null before the first look back.</summary>
        public string? Verification { get; init; }

        /// <summary>The repair that this line took back.</summary>
        public long? UndoOf { get; init; }

        /// <summary>Whether it can be taken back as far as the line tells; the rows are asked when it is.</summary>
        public required bool Undoable { get; init; }

        public static LinePart Of(AuditRow row) => new()
        {
            Id = row.Id,
            At = FindingsDocument.TimeOf(row.At),
            EndedAt = FindingsDocument.TimeOf(row.EndedAt),
            Run = row.Run,
            Source = row.Source,
            Actor = row.Actor,
            Note = row.Note,
            Action = row.Action,
            State = row.State,
            Failure = row.Failure,
            Verdict = row.Verdict,
            Evidence = JsonSerializer.Deserialize(row.Evidence, RepairJson.Default.IReadOnlyListString) ?? [],
            Type = row.Type,
            TaskId = row.TaskId,
            ExecutionId = row.ExecutionId,
            JobId = row.JobId,
            RobotId = row.RobotId,
            ArtifactId = row.ArtifactId,
            StatusBefore = row.StatusBefore,
            Status = row.Status,
            Verification = row.Verification,
            UndoOf = row.UndoOf,
            Undoable = Undoing.IsPossible(row.Action, row.State),
        };
    }
}
