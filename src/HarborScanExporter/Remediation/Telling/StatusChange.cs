using System.Text.Json;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Telling;

/// <summary>What a repair makes of the status of a row, for people.</summary>
/// <param name="Before">The status, with the code where that is what is wrong; empty where no status is changed.</param>
/// <param name="After">The status it gets.</param>
internal readonly record struct StatusChange(string Before, string After)
{
    /// <summary>Of a repair that is planned, or that was done.</summary>
    /// <param name="repair">The repair.</param>
    /// <param name="after">The rows after it, as the audit has them; null while it is only planned.</param>
    public static StatusChange Of(PlannedRepair repair, string? after = null) => repair.Action switch
    {
        RepairAction.StopJob or RepairAction.FinishTask when repair is { Fence: { } fence, Status: { } status } => new(fence.Status, status),
        RepairAction.FixStatusCode when repair.Fence is { } fence => new($"{fence.Status}, code {fence.Code}", "code 3"),
        // Only an execution that is Running is recomputed or ended.
        RepairAction.CloseEmptyExecution => new(ScanStatus.Running, ScanStatus.Error),
        RepairAction.RefreshExecution => new(ScanStatus.Running, StatusOf(after, "execution") ?? "recomputed"),
        _ => default,
    };

    /// <summary>Of a line of the audit; a row that it did not change has no status there.</summary>
    /// <param name="action">The word of the action.</param>
    /// <param name="planned">The status that was to be written.</param>
    /// <param name="before">The rows before, as the audit has them.</param>
    /// <param name="after">The rows after.</param>
    public static StatusChange Of(string action, string? planned, string? before, string? after)
    {
        if (action == RepairAction.FixStatusCode.Word() && StatusOf(before, "task") is { } word) return new($"{word}, code {CodeOf(before)}", $"code {CodeOf(after) ?? "3"}");
        var row = StatusOf(before, "task") is not null ? "task" : "execution";
        return StatusOf(before, row) is { } was ? new(was, planned ?? StatusOf(after, row) ?? was) : default;
    }

    /// <summary>Both with an arrow between them.</summary>
    /// <param name="arrow">The arrow.</param>
    public string Text(string arrow) => string.IsNullOrEmpty(Before) ? "" : $"{Before} {arrow} {After}";

    private static string? StatusOf(string? images, string row) => Read(images, row, "status") is { ValueKind: JsonValueKind.String } status ? status.GetString() : null;

    private static string? CodeOf(string? images) => Read(images, "task", "status_code") is { ValueKind: JsonValueKind.Number } code ? code.GetRawText() : null;

    private static JsonElement? Read(string? images, string row, string column)
    {
        if (images is null) return null;
        using var document = JsonDocument.Parse(images);
        return document.RootElement.TryGetProperty(row, out var its) && its.ValueKind == JsonValueKind.Object && its.TryGetProperty(column, out var value) ? value.Clone() : null;
    }
}
