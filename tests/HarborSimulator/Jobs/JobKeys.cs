namespace HarborSimulator.Jobs;

/// <summary>The job service's keys, with the namespace that Harbor sets by default.</summary>
internal static class JobKeys
{
    public const string Prefix = "{harbor_job_service_namespace}:";
    public const string KnownJobs = Prefix + "known_jobs";
    public const string Pools = Prefix + "worker_pools";
    public const string Tracked = Prefix + "job_track:inprogress";
    public const string Policies = Prefix + "period:policies";

    public static string Queue(string type) => $"{Prefix}jobs:{type}";

    public static string InProgress(string type, string pool) => $"{Prefix}jobs:{type}:{pool}:inprogress";

    public static string Lock(string type) => $"{Prefix}jobs:{type}:lock";

    public static string LockInfo(string type) => $"{Prefix}jobs:{type}:lock_info";

    public static string MaxConcurrency(string type) => $"{Prefix}jobs:{type}:max_concurrency";

    public static string Paused(string type) => $"{Prefix}jobs:{type}:paused";

    public static string Pool(string pool) => $"{Prefix}worker_pools:{pool}";

    public static string Worker(string worker) => $"{Prefix}worker:{worker}";

    public static string Stats(string job) => $"{Prefix}job_stats:{job}";
}
