namespace HarborScanExporter.Tests.Dashboards;

/// <summary>What a Harbor looks like to the exporter: counts by the labels of each family; what is not named is 0.</summary>
internal sealed record ScanSituation
{
    public IReadOnlyDictionary<(string Type, string Status), int> Tasks { get; init; } = new Dictionary<(string, string), int>();

    public IReadOnlyDictionary<(string Type, string Status), int> Executions { get; init; } = new Dictionary<(string, string), int>();

    /// <summary>Age of the oldest open task in seconds.</summary>
    public IReadOnlyDictionary<(string Type, string Status), int> OldestTask { get; init; } = new Dictionary<(string, string), int>();

    public IReadOnlyDictionary<(string Type, string Status), int> OldestExecution { get; init; } = new Dictionary<(string, string), int>();

    /// <summary>How many open tasks are older than 1m, 5m, 15m, 1h, 3h, 6h, 1d and 7d.</summary>
    public IReadOnlyDictionary<(string Type, string Status), int[]> OlderThan { get; init; } = new Dictionary<(string, string), int[]>();

    public IReadOnlyDictionary<(string Type, string Status, string Verdict), int> Stuck { get; init; } =
        new Dictionary<(string, string, string), int>();

    public IReadOnlyDictionary<(string Type, string Verdict), int> OldestStuck { get; init; } = new Dictionary<(string, string), int>();

    public IReadOnlyDictionary<(string Type, string State), int> Live { get; init; } = new Dictionary<(string, string), int>();

    public IReadOnlyDictionary<(string Type, string Kind), int> Inconsistencies { get; init; } = new Dictionary<(string, string), int>();

    public int BlockedArtifacts { get; init; }

    public bool ScanAllBlocked { get; init; }

    public int LeakedRobots { get; init; }

    public IReadOnlyDictionary<string, int> ScanAllTasks { get; init; } = new Dictionary<string, int>();

    public IReadOnlyDictionary<string, int> ScanAllSummary { get; init; } = new Dictionary<string, int>();

    /// <summary>Final executions beyond retention by type; null while the collector is off.</summary>
    public IReadOnlyDictionary<string, int>? Sweepable { get; init; }

    /// <summary>Null where the optional view is not there.</summary>
    public bool? ReadOnly { get; init; }

    public IReadOnlySet<string> PausedQueues { get; init; } = new HashSet<string>();

    /// <summary>A queue that moves: everything open waits its turn or runs.</summary>
    public static ScanSituation Healthy { get; } = new()
    {
        Tasks = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "Pending")] = 6, [("IMAGE_SCAN", "Running")] = 3, [("IMAGE_SCAN", "Success")] = 5120,
            [("IMAGE_SCAN", "Error")] = 17,
            [("SCAN_ALL", "Success")] = 3950, [("SCAN_ALL", "Error")] = 4,
            [("SBOM", "Running")] = 1, [("SBOM", "Success")] = 288,
        },
        Executions = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "Running")] = 9, [("IMAGE_SCAN", "Success")] = 5120, [("IMAGE_SCAN", "Error")] = 17,
            [("SCAN_ALL", "Error")] = 1, [("SBOM", "Running")] = 1, [("SBOM", "Success")] = 288,
        },
        OldestTask = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "Pending")] = 70, [("IMAGE_SCAN", "Running")] = 45, [("SBOM", "Running")] = 12,
        },
        OldestExecution = new Dictionary<(string, string), int> { [("IMAGE_SCAN", "Running")] = 82, [("SBOM", "Running")] = 14 },
        OlderThan = new Dictionary<(string, string), int[]> { [("IMAGE_SCAN", "Pending")] = [2, 0, 0, 0, 0, 0, 0, 0] },
        Live = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "queued")] = 6, [("IMAGE_SCAN", "running")] = 3, [("SBOM", "running")] = 1,
        },
        ScanAllTasks = new Dictionary<string, int> { ["Success"] = 3950, ["Error"] = 4 },
        ScanAllSummary = new Dictionary<string, int> { ["total"] = 3960, ["submitted"] = 3954, ["unsupported"] = 6 },
    };

    /// <summary>Every verdict, state, kind and switch that there is.</summary>
    public static ScanSituation Faulty { get; } = new()
    {
        Tasks = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "Pending")] = 40, [("IMAGE_SCAN", "Scheduled")] = 1, [("IMAGE_SCAN", "Running")] = 9,
            [("IMAGE_SCAN", "Success")] = 5200, [("IMAGE_SCAN", "Error")] = 31, [("IMAGE_SCAN", "Stopped")] = 12,
            [("IMAGE_SCAN", "other")] = 1,
            [("SCAN_ALL", "Pending")] = 120, [("SCAN_ALL", "Running")] = 10, [("SCAN_ALL", "Success")] = 3870,
            [("SCAN_ALL", "Stopped")] = 300,
            [("SBOM", "Pending")] = 4, [("SBOM", "Running")] = 2, [("SBOM", "Success")] = 310, [("SBOM", "Error")] = 4,
        },
        Executions = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "Running")] = 52, [("IMAGE_SCAN", "Success")] = 5198, [("IMAGE_SCAN", "Error")] = 31,
            [("IMAGE_SCAN", "Stopped")] = 12,
            [("SCAN_ALL", "Running")] = 3, [("SCAN_ALL", "Success")] = 1, [("SBOM", "Running")] = 6, [("SBOM", "Success")] = 310,
            [("SBOM", "Error")] = 4,
        },
        OldestTask = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "Pending")] = 432_000, [("IMAGE_SCAN", "Scheduled")] = 240, [("IMAGE_SCAN", "Running")] = 57_600,
            [("SCAN_ALL", "Pending")] = 36_000, [("SCAN_ALL", "Running")] = 93_600, [("SBOM", "Pending")] = 300,
            [("SBOM", "Running")] = 100_800,
        },
        OldestExecution = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "Running")] = 432_000, [("SCAN_ALL", "Running")] = 691_200, [("SBOM", "Running")] = 100_800,
        },
        OlderThan = new Dictionary<(string, string), int[]>
        {
            [("IMAGE_SCAN", "Pending")] = [38, 30, 22, 14, 8, 5, 3, 0], [("IMAGE_SCAN", "Scheduled")] = [1, 0, 0, 0, 0, 0, 0, 0],
            [("IMAGE_SCAN", "Running")] = [7, 4, 3, 3, 3, 2, 0, 0],
            [("SCAN_ALL", "Pending")] = [120, 120, 118, 110, 90, 40, 0, 0], [("SCAN_ALL", "Running")] = [8, 5, 5, 5, 5, 5, 5, 0],
            [("SBOM", "Pending")] = [3, 0, 0, 0, 0, 0, 0, 0], [("SBOM", "Running")] = [2, 1, 1, 1, 1, 1, 1, 0],
        },
        Stuck = new Dictionary<(string, string, string), int>
        {
            [("IMAGE_SCAN", "Pending", "lost")] = 3, [("IMAGE_SCAN", "Running", "unreported")] = 2, [("IMAGE_SCAN", "Running", "hung")] = 1,
            [("SCAN_ALL", "Pending", "not_queued")] = 4, [("SCAN_ALL", "Running", "lost")] = 5, [("SBOM", "Running", "overdue")] = 1,
        },
        OldestStuck = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "lost")] = 432_000, [("IMAGE_SCAN", "unreported")] = 25_000, [("IMAGE_SCAN", "hung")] = 57_600,
            [("SCAN_ALL", "not_queued")] = 30_000, [("SCAN_ALL", "lost")] = 93_600, [("SBOM", "overdue")] = 100_800,
        },
        Live = new Dictionary<(string, string), int>
        {
            [("IMAGE_SCAN", "queued")] = 31, [("IMAGE_SCAN", "running")] = 6, [("IMAGE_SCAN", "paused")] = 5,
            [("IMAGE_SCAN", "requeued")] = 1, [("IMAGE_SCAN", "settling")] = 1,
            [("SCAN_ALL", "queued")] = 110, [("SCAN_ALL", "running")] = 5, [("SCAN_ALL", "settling")] = 2, [("SCAN_ALL", "unjudged")] = 4,
            [("SBOM", "queued")] = 4, [("SBOM", "running")] = 1,
        },
        Inconsistencies = new Dictionary<(string, string), int>
        {
            [("SCAN_ALL", "execution_not_refreshed")] = 1, [("SCAN_ALL", "execution_without_tasks")] = 1,
            [("IMAGE_SCAN", "execution_final_with_open_task")] = 2,
            [("SCAN_ALL", "final_status_wrong_code")] = 300, [("IMAGE_SCAN", "sweep_blocked")] = 2, [("SBOM", "orphan_report")] = 7,
        },
        BlockedArtifacts = 14,
        ScanAllBlocked = true,
        LeakedRobots = 1375,
        ScanAllTasks = new Dictionary<string, int> { ["Pending"] = 120, ["Running"] = 10, ["Success"] = 3870 },
        ScanAllSummary = new Dictionary<string, int>
        {
            ["total"] = 4030, ["submitted"] = 4000, ["conflict"] = 14, ["precondition"] = 2, ["unsupported"] = 11, ["unknown"] = 3,
        },
        Sweepable = new Dictionary<string, int> { ["IMAGE_SCAN"] = 4100, ["SCAN_ALL"] = 2 },
        ReadOnly = true,
        PausedQueues = new HashSet<string> { "IMAGE_SCAN" },
    };
}
