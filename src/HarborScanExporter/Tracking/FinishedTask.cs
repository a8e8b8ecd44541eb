using HarborScanExporter.Database.Queries;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tracking;

/// <summary>A task that is over and may come to life again.</summary>
/// <param name="ExecutionId">Its execution.</param>
/// <param name="Type">Its vendor type.</param>
/// <param name="Status">How it ended, as a label value.</param>
/// <param name="IsLowCode">Whether its code is below that of a row that is over.</param>
/// <param name="Until">Watched until then, by the database's clock; seconds since 1970.</param>
internal readonly record struct FinishedTask(long ExecutionId, string Type, string Status, bool IsLowCode, double Until)
{
    /// <summary>From a row.</summary>
    public static FinishedTask Of(ScanTask task, double until) => new(task.ExecutionId, task.Type, task.Status, task.IsLowCode, until);

    /// <summary>From a read of the whole table.</summary>
    public static FinishedTask Of(FinishedRow row, double until) => new(row.ExecutionId, row.Type, ScanStatus.Label(row.Status), row.IsLowCode, until);

    /// <summary>Whether the row still says the same.</summary>
    public bool IsThatOf(ScanTask task) => Status == task.Status && IsLowCode == task.IsLowCode && ExecutionId == task.ExecutionId && Type == task.Type;
}
