using System.Text.Json;
using System.Text.Json.Serialization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Http;

/// <summary>The answer of POST /api/v1/alerts: what follows from the delivery, and what is known so far.</summary>
internal sealed record AlertsAnswer
{
    public const string Accepted = "accepted";
    public const string Merged = "merged";
    public const string Ignored = "ignored";
    public const string Paused = "paused";
    public const string Off = "off";

    /// <summary>All words of <see cref="Status"/>.</summary>
    public static IReadOnlyList<string> Statuses { get; } = [Accepted, Merged, Ignored, Paused, Off];

    public required string Status { get; init; }

    /// <summary>The same in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>How far repairs may go: a word of the setting.</summary>
    public required string Mode { get; init; }

    public required KnownPart Known { get; init; }

    /// <summary>The document as text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, AlertsJson.Default.AlertsAnswer);

    /// <summary>What is in memory; nothing was asked for it.</summary>
    internal sealed record KnownPart
    {
        /// <summary>Stuck tasks of the newest look.</summary>
        public required int Stuck { get; init; }

        /// <summary>Findings of the newest look that a repair could end: stuck tasks, and rows that contradict each other.</summary>
        public required int Findings { get; init; }

        /// <summary>Whether a run is under way in this process.</summary>
        public required bool Running { get; init; }

        /// <summary>The newest run; null before the first.</summary>
        public LastRunPart? LastRun { get; init; }

        public static KnownPart Of(VerdictSightings sightings, RepairRun run, RemediationState state)
        {
            var (stuck, findings) = sightings.Counts;
            return new() { Stuck = stuck, Findings = findings, Running = run.IsBusy, LastRun = LastRunPart.Of(state.Newest) };
        }
    }

    /// <summary>The newest run.</summary>
    internal sealed record LastRunPart
    {
        public required string Run { get; init; }

        public required RunEnd End { get; init; }

        public required DateTimeOffset EndedAt { get; init; }

        /// <summary>How many repairs it did.</summary>
        public required int Repairs { get; init; }

        public static LastRunPart? Of(EndedRun? ended) => ended is null ? null : new LastRunPart
        {
            Run = ended.Result.Run,
            End = ended.Result.End,
            EndedAt = ended.At,
            Repairs = ended.Result.Outcomes.Count(outcome => outcome.State == RepairState.Done),
        };
    }
}

/// <summary>How the answer is written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WordOf<RunEnd>)])]
[JsonSerializable(typeof(AlertsAnswer))]
internal sealed partial class AlertsJson : JsonSerializerContext;
