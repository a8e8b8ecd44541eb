
namespace HarborScanExporter.Harbor;

/// <summary>
/// How new rows are, beside the evidence of Redis: what stood still before a row was written proves nothing of it. Times are seconds since 1970.
/// </summary>
internal static class RowFreshness
{
    /// <summary>The clocks of core, the job service and the database may differ by this much, in seconds.</summary>
    public const double Difference = 60;

    /// <summary>
    /// Rows that went on for longer than this after Redis' newest sign of life show that it stands still, in seconds: a job service that is down leaves no newer
    /// rows, but the clocks of core and of the job service may differ by some minutes.
    /// </summary>
    public const double WentOn = 3 * 60;

    /// <summary>Core writes a row some seconds before the job service has its job, in seconds.</summary>
    public const double Enqueuing = 5;

    /// <summary>The newest time that a task's row holds; null when it holds none.</summary>
    public static double? Of(ScanTask task) => new[] { task.Created ?? task.ExecutionStarted, task.Updated, task.IsAcknowledged ? task.StatusRevision : null }.Max();

    /// <summary>
    /// The newest time at which rows show that a job service worked: it took a job, or core accepted a status of one. Rows of the future, and those without a
    /// job, show nothing.
    /// </summary>
    /// <param name="open">The open tasks.</param>
    /// <param name="newestSuccess">The newest end of a scan that succeeded.</param>
    /// <param name="now">The database's clock.</param>
    public static double? OfWork(IEnumerable<ScanTask> open, double? newestSuccess, double now) =>
        open.Where(task => task.JobId.Length > 0).Select(Of).Append(newestSuccess).Where(time => time <= now + Difference).Max();
}
