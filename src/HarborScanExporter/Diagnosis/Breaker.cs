namespace HarborScanExporter.Diagnosis;

/// <summary>
/// Stops all repairs when too many of them failed, lost a race or did not hold: then something is other than the diagnosis thinks
/// (conventions 5.7). It closes by itself as they grow older.
/// </summary>
internal static class Breaker
{
    /// <summary>Fewer failures than this open nothing.</summary>
    public const long LeastFailures = 5;

    /// <summary>This many repairs that did not hold open it.</summary>
    public const long MostReverted = 3;

    /// <summary>Whether it is open.</summary>
    /// <param name="repaired">Repairs of the last hour that did not fail.</param>
    /// <param name="failed">Those of the last hour that did; a held lock is no failure, nor is an act that a pause or the end of the exporter came before.</param>
    /// <param name="reverted">Repairs of the last three hours that were found reverted.</param>
    public static bool IsOpen(long repaired, long failed, long reverted) =>
        reverted >= MostReverted || (failed >= LeastFailures && failed >= repaired);
}
