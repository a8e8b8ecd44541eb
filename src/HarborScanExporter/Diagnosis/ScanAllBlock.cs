using HarborScanExporter.Harbor;

namespace HarborScanExporter.Diagnosis;

/// <summary>Whether Harbor refuses a manual scan-all for the sake of one that is not alive.</summary>
internal static class ScanAllBlock
{
    /// <summary>
    /// Harbor refuses a manual scan-all while the newest execution of type SCAN_ALL and trigger MANUAL is Running. That run is alive while
    /// one of its tasks is open and not stuck, and while it may still be enumerating or refreshing.
    /// </summary>
    /// <param name="newestManual">The newest manual scan-all, by start; null when there is none.</param>
    /// <param name="inconsistency">What <see cref="ExecutionJudge"/> says of it.</param>
    /// <param name="itsOpenTasks">The judgements of its open tasks.</param>
    public static bool Holds(ScanExecution? newestManual, string? inconsistency, IReadOnlyList<Judgement> itsOpenTasks) =>
        newestManual is { IsRunning: true }
        && (itsOpenTasks.Count == 0 ? inconsistency is not null : itsOpenTasks.All(task => task.IsStuck));
}
