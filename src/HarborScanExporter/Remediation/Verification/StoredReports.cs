using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>Whether the results of scans are stored, as the repairing role may read it.</summary>
internal static class StoredReports
{
    /// <summary>Those of these tasks whose every report is stored; a task that names none is not among them.</summary>
    public static async Task<IReadOnlySet<long>> OfAsync(RepairTransaction transaction, IReadOnlyCollection<TaskNow> tasks, CancellationToken cancellationToken)
    {
        var named = tasks.ToDictionary(task => task.Id, task => TaskAttributes.Parse(task.ExtraAttributes).ReportUuids);
        var stored = await ReportRows.StoredAsync(transaction, named.SelectMany(its => its.Value), cancellationToken);
        return named.Where(its => its.Value.Count > 0 && its.Value.All(stored.Contains)).Select(its => its.Key).ToHashSet();
    }
}
