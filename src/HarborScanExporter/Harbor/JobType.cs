namespace HarborScanExporter.Harbor;

/// <summary>The jobs of Harbor's job service that this program follows; each waits in a queue of its name (harbor-facts 8).</summary>
internal static class JobType
{
    /// <summary>Scans of all vendor types.</summary>
    public const string Scan = "IMAGE_SCAN";

    /// <summary>Harbor's own sweep of old executions, since 2.8.0; its vendor type has the same name.</summary>
    public const string Sweep = "EXECUTION_SWEEP";
}
