using System.Text.Json;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>Ends what was intended and never ended, because an exporter died between the intent and its outcome: the rows say what came of it.</summary>
internal static class Intents
{
    /// <summary>A younger one may still be under way in another exporter: a call and its outcome take less.</summary>
    public static readonly TimeSpan LeastAge = TimeSpan.FromMinutes(2);

    /// <summary>Reads the rows of all old intents again and writes their outcomes.</summary>
    /// <returns>How many were ended.</returns>
    public static async Task<int> ResolveAsync(RepairTransaction transaction, CancellationToken cancellationToken)
    {
        var open = await AuditTable.OpenIntentsAsync(transaction, LeastAge, cancellationToken);
        foreach (var intent in open)
        {
            var (state, after) = intent.Action == RepairAction.StopJob.Word() ? await OfStopAsync(transaction, intent, cancellationToken)
                : intent.Action == RepairAction.DeleteRobot.Word() ? await OfRobotAsync(transaction, intent, cancellationToken)
                : intent.Action == RepairAction.Rescan.Word() ? (await OfRescanAsync(transaction, intent, cancellationToken), null)
                : (RepairState.Failed, null);
            await AuditTable.EndAsync(transaction, intent.Id, state, state == RepairState.Failed ? RepairFailure.Interrupted : null, after, cancellationToken);
        }
        return open.Count;
    }

    private static async Task<(string State, string? After)> OfStopAsync(RepairTransaction transaction, PastRepair intent, CancellationToken cancellationToken)
    {
        var now = await TaskRow.ReadAsync(transaction, intent.TaskId!.Value, cancellationToken);
        // A row that is gone or final, or that runs anew, is no longer the one that was stuck.
        var isOver = now is null || !ScanStatus.IsOpen(now.Status) || now.Revision != intent.Revision;
        return (isOver ? RepairState.Done : RepairState.Failed, now is null ? null : AuditLine.Images(now.Image, null));
    }

    /// <summary>
    /// A scan begins with the removal of the reports before it (harbor-facts 5.1), or takes them over where Harbor keeps them (0.2): as long as they are
    /// there and no later task names them, none has begun.
    /// </summary>
    private static async Task<string> OfRescanAsync(RepairTransaction transaction, PastRepair intent, CancellationToken cancellationToken)
    {
        if (await TaskWrite.ImageAsync(transaction, intent.TaskId!.Value, cancellationToken) is not { } image) return RepairState.Failed;
        using var row = JsonDocument.Parse(image);
        var named = TaskAttributes.Parse(row.RootElement.GetProperty("extra_attrs").GetString()).ReportUuids;
        var existing = await ReportRows.ExistingAsync(transaction, named, cancellationToken);
        var sharing = await ReportSharingLookup.ReadAsync(
            transaction.Connection, transaction.Transaction, transaction.Tables, [.. named.Where(existing.Contains).Select(uuid => (intent.TaskId!.Value, uuid))], cancellationToken);
        var hasBegun = named.Any(uuid => uuid.Length > 0 && !existing.Contains(uuid)) || sharing.Values.Any(its => its.NewestExecution is not null);
        return hasBegun ? RepairState.Done : RepairState.Failed;
    }

    private static async Task<(string State, string? After)> OfRobotAsync(RepairTransaction transaction, PastRepair intent, CancellationToken cancellationToken) =>
        (await TaskRow.RobotExistsAsync(transaction, intent.RobotId!.Value, cancellationToken) ? RepairState.Failed : RepairState.Done, null);
}
