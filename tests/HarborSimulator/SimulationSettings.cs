namespace HarborSimulator;

/// <summary>How a simulated Harbor is built and what it does by itself.</summary>
public sealed record SimulationSettings
{
    /// <summary>Simulated UTC at which it starts.</summary>
    public DateTime Start { get; init; } = new(2026, 9, 21, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Same seed, same calls, same rows.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Worker pools (job service instances).</summary>
    public int Pools { get; init; } = 1;

    /// <summary>Workers of each pool; Harbor's own default.</summary>
    public int WorkersPerPool { get; init; } = 10;

    /// <summary>Mean duration of a scan; single ones vary from a third to three times as long.</summary>
    public TimeSpan MeanScan { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Share of scans that end in Error.</summary>
    public double ErrorShare { get; init; } = 0.02;

    /// <summary>Share of pushes that are image indexes with two or three children.</summary>
    public double IndexShare { get; init; } = 0.1;

    /// <summary>Share of pushes that also get an SBOM, from 2.11 on.</summary>
    public double SbomShare { get; init; } = 0.1;

    /// <summary>Pushes with auto-scan that happen by themselves; 0 = none.</summary>
    public double PushesPerHour { get; init; }

    /// <summary>When those pushes begin, in simulated UTC; null = at once.</summary>
    public DateTime? PushesFrom { get; init; }

    /// <summary>Time of day (UTC) of a scheduled scan-all; null = none.</summary>
    public TimeOnly? ScanAllAt { get; init; }

    /// <summary>Replications, garbage collection and retention run by their schedules.</summary>
    public bool BackgroundJobs { get; init; }

    /// <summary>EXECUTION_SWEEP runs by its schedule, from 2.8 on.</summary>
    public bool Sweeps { get; init; } = true;

    /// <summary>How long before its start the day began, which sets the hours of all schedules; null = by its clock.</summary>
    public TimeSpan? SinceMidnight { get; init; }

    /// <summary>How long after its death by a lost record a job service runs again: the restart policy of Docker or Kubernetes.</summary>
    public TimeSpan RestartAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A rescan keeps the report and its uuid, which stays readable until the new one is stored over it, as harbor-next 2.15.6 and
    /// goharbor/harbor#23319 do. Else it deletes the report and makes an empty one with a new uuid.
    /// </summary>
    public bool KeepsReports { get; init; }

    /// <summary>Whether a stored report says when it was made.</summary>
    public bool ReportsTellTime { get; init; } = true;

    /// <summary>Harbor's max_job_duration_hours.</summary>
    public TimeSpan MaxJobDuration { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Harbor's reaper.max_dangling_hours.</summary>
    public TimeSpan MaxDangling { get; init; } = TimeSpan.FromHours(168);
}
