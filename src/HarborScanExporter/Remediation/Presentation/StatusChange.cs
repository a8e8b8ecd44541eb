using System.Text.Json;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Presentation;

/// <summary>What a repair makes of the status of a row, for people.</summary>
/// <param name="Before">The status, with the code where that is what is wrong; empty where no status is changed.</param>
/// <param name="After">The status it gets.</param>
internal readonly record struct StatusChange(string Before, string After)
{
    private const string Recomputed = "recomputed";

    /// <summary>Of a repair that is planned, or that was done.</summary>
    /// <param name="repair">The repair.</param>
    /// <param name="after">The rows after it, as the audit has them; null while it is only planned.</param>
    public static StatusChange Of(PlannedRepair repair, string? after = null) => repair.Action switch
    {
        RepairAction.StopJob or RepairAction.FinishTask when repair is { Fence: { } fence, Status: { } status } => new(fence.Status, status),
        RepairAction.FixStatusCode when repair.Fence is { } fence => new($"{fence.Status}, code {fence.Code}", "code 3"),
        // Only an execution that is Running is recomputed or ended.
        RepairAction.CloseEmptyExecution => new(ScanStatus.Running, ScanStatus.Error),
        RepairAction.RefreshExecution => new(ScanStatus.Running, ExecutionOf(after) ?? Recomputed),
        _ => default,
    };

    /// <summary>Of a line of the audit.</summary>
    public static StatusChange Of(AuditRow line) =>
        line.Action == RepairAction.FixStatusCode.Word() ? new("a lower code", "code 3")
        : line is { StatusBefore: { } before, Status: { } status } ? new(before, status)
        : line.Action == RepairAction.RefreshExecution.Word() && line.StatusBefore is { } was ? new(was, Recomputed)
        : default;

    /// <summary>Both with an arrow between them.</summary>
    /// <param name="arrow">The arrow.</param>
    public string Text(string arrow) => string.IsNullOrEmpty(Before) ? "" : $"{Before} {arrow} {After}";

    private static string? ExecutionOf(string? images)
    {
        if (images is null) return null;
        using var document = JsonDocument.Parse(images);
        return document.RootElement.TryGetProperty("execution", out var row) && row.ValueKind == JsonValueKind.Object && row.TryGetProperty("status", out var status)
            ? status.GetString()
            : null;
    }
}
