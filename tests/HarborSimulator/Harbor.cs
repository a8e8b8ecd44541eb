namespace HarborSimulator;

/// <summary>Harbor's status words and their codes.</summary>
internal static class HarborStatus
{
    public const string Pending = "Pending";
    public const string Scheduled = "Scheduled";
    public const string Running = "Running";
    public const string Stopped = "Stopped";
    public const string Error = "Error";
    public const string Success = "Success";

    public static int CodeOf(string status) => status switch
    {
        Pending => 0,
        Scheduled => 1,
        Running => 2,
        Stopped or Error or Success => 3,
        _ => -1,
    };

    public static bool IsFinal(string status) => CodeOf(status) == 3;
}

/// <summary>Harbor's vendor types that the simulation plays.</summary>
internal static class VendorType
{
    public const string ImageScan = "IMAGE_SCAN";
    public const string ScanAll = "SCAN_ALL";
    public const string Sbom = "SBOM";
    public const string Scheduler = "SCHEDULER";
    public const string Sweep = "EXECUTION_SWEEP";
    public const string Replication = "REPLICATION";
    public const string GarbageCollection = "GARBAGE_COLLECTION";
    public const string Retention = "RETENTION";

    public static bool IsScan(string vendorType) => vendorType is ImageScan or ScanAll or Sbom;

    /// <summary>All three kinds of scan run as one job type.</summary>
    public static string JobTypeOf(string vendorType) => IsScan(vendorType) ? ImageScan : vendorType;
}

/// <summary>A task row that the simulation wrote.</summary>
internal sealed class HarborTask
{
    public required long Id { get; init; }
    public required long ExecutionId { get; init; }
    public required string VendorType { get; init; }
    public required string JobId { get; init; }
    public HarborArtifact? Artifact { get; init; }
    public long? RobotId { get; init; }
    public IReadOnlyList<string> Reports { get; init; } = [];

    /// <summary>When its row was made; its scan begins after it.</summary>
    public DateTime Created { get; set; }

    /// <summary>Deleted with the final status; a second run of the same job cannot log in without it.</summary>
    public bool RobotIsGone { get; set; }

    /// <summary>Its own scan stored its result.</summary>
    public bool HasFinished { get; set; }

    /// <summary>The report that it names was stored since its creation, by its own scan or a later one of the same digest.</summary>
    public bool IsStored { get; set; }
}
