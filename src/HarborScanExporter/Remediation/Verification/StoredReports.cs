using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>Whether the results of scans are stored, as the repairing role may read it.</summary>
internal static class StoredReports
{
    /// <summary>
    /// Those of these tasks whose every report holds the result of their own scan, and when the newest of them was made; a task that names none is not
    /// among them.
    /// </summary>
    public static async Task<IReadOnlyDictionary<long, double?>> OfAsync(RepairTransaction transaction, IReadOnlyCollection<TaskNow> tasks, CancellationToken cancellationToken)
    {
        var named = tasks.ToDictionary(task => task, task => TaskAttributes.Parse(task.ExtraAttributes).ReportUuids);
        var stored = await ReportRows.StoredAsync(transaction, named.SelectMany(its => its.Value), cancellationToken);
        // The task is over, so that a later scan may have stored its result in a report that both name.
        (long, string)[] asked = [.. from its in named from uuid in its.Value where stored.ContainsKey(uuid) select (its.Key.Id, uuid)];
        var sharing = await ReportSharingLookup.ReadAsync(transaction.Connection, transaction.Transaction, transaction.Tables, [.. asked.Distinct()], cancellationToken);
        return named.Where(its => its.Value.Count > 0 && its.Value.All(uuid => IsResultOf(its.Key, uuid)))
            .ToDictionary(its => its.Key.Id, its => its.Value.Max(uuid => stored[uuid].Generated));

        bool IsResultOf(TaskNow task, string uuid) => stored.GetValueOrDefault(uuid) is { } report
            && report.IsResultOf(Epoch.Usable(task.Created), sharing.GetValueOrDefault((task.Id, uuid), ReportSharing.None));
    }
}
