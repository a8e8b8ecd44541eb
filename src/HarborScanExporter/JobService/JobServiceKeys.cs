namespace HarborScanExporter.JobService;

/// <summary>The keys of the job service that are read (harbor-facts 8.2). The namespace stands in braces, a cluster's hash tag.</summary>
internal sealed class JobServiceKeys(string ns)
{
    private readonly string _prefix = $"{{{ns}}}:";

    public string KnownJobs => $"{_prefix}known_jobs";

    public string Pools => $"{_prefix}worker_pools";

    public string Tracked => $"{_prefix}job_track:inprogress";

    public string Queue(string type) => $"{_prefix}jobs:{type}";

    public string Paused(string type) => $"{_prefix}jobs:{type}:paused";

    public string Running(string type) => $"{_prefix}jobs:{type}:lock_info";

    public string InProgress(string type, string pool) => $"{_prefix}jobs:{type}:{pool}:inprogress";

    public string Pool(string pool) => $"{_prefix}worker_pools:{pool}";

    public string Worker(string worker) => $"{_prefix}worker:{worker}";

    public string Record(string job) => $"{_prefix}job_stats:{job}";
}
