using System.Globalization;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.Support;

/// <summary>Writes the job service's keys as facts about the past, by the clock of Redis; the shapes are those of harbor-facts 8.2.</summary>
internal sealed class JobServiceSeed(RedisServer server)
{
    public const string Prefix = "{harbor_job_service_namespace}:";

    /// <summary>Stands in every secret place of every key; it must never come out.</summary>
    public const string Secret = "planted-robot-secret-8f1b";

    /// <summary>The pool that lives in most situations.</summary>
    public const string Pool = "9f1c000000000000000000a1";

    private static readonly string[] JobTypes = ["IMAGE_SCAN", "EXECUTION_SWEEP", "REPLICATION", "GARBAGE_COLLECTION", "RETENTION"];

    private IDatabase Redis => server.Database;

    /// <summary>Unix seconds so long ago.</summary>
    public static long Ago(TimeSpan age) => DateTimeOffset.UtcNow.ToUnixTimeSeconds() - (long)age.TotalSeconds;

    /// <summary>A job service that has been up: its job types are known and its pool beats.</summary>
    public async Task UpAsync(string pool = Pool, TimeSpan? heartbeat = null, TimeSpan? started = null, int workers = 10)
    {
        await KnownAsync();
        await PoolAsync(pool, heartbeat, started, workers);
    }

    public Task KnownAsync() => Redis.SetAddAsync(Prefix + "known_jobs", [.. JobTypes.Select(type => (RedisValue)type)]);

    /// <summary>A pool's heartbeat, ten minutes ahead unless told otherwise: nobody beats while a test looks, and on a busy machine it looks for long.</summary>
    public async Task PoolAsync(string pool = Pool, TimeSpan? heartbeat = null, TimeSpan? started = null, int workers = 10)
    {
        await Redis.SetAddAsync(Prefix + "worker_pools", pool);
        await Redis.HashSetAsync($"{Prefix}worker_pools:{pool}",
        [
            new("heartbeat_at", Ago(heartbeat ?? TimeSpan.FromMinutes(-10))), new("started_at", Ago(started ?? TimeSpan.FromDays(2))),
            new("job_names", string.Join(',', JobTypes)), new("concurrency", workers),
            new("worker_ids", string.Join(',', Enumerable.Range(0, workers).Select(i => Worker(pool, i)))), new("host", "jobservice-1"), new("pid", "1"),
        ]);
    }

    public static string Worker(string pool, int number) => $"{pool[..20]}{number.ToString("x4", CultureInfo.InvariantCulture)}";

    /// <summary>Puts jobs at the back of the queue.</summary>
    public async Task QueueAsync(TimeSpan enqueued, params string[] jobs)
    {
        foreach (var job in jobs) await Redis.ListLeftPushAsync(Prefix + "jobs:IMAGE_SCAN", Item(job, enqueued));
    }

    /// <summary>A pool's list in progress holds the job.</summary>
    public async Task InProgressAsync(string job, TimeSpan enqueued, string pool = Pool)
    {
        await Redis.ListLeftPushAsync($"{Prefix}jobs:IMAGE_SCAN:{pool}:inprogress", Item(job, enqueued));
        await Redis.HashIncrementAsync(Prefix + "jobs:IMAGE_SCAN:lock_info", pool);
    }

    /// <summary>A worker tells that it runs the job since then.</summary>
    public Task WorkerAsync(string job, TimeSpan started, string pool = Pool, int number = 0) =>
        Redis.HashSetAsync($"{Prefix}worker:{Worker(pool, number)}",
            [new("job_name", "IMAGE_SCAN"), new("job_id", job), new("started_at", Ago(started)), new("args", $$"""{"robotAccount":"{{Secret}}"}""")]);

    /// <summary>The job's record, tracked as the job service tracks it.</summary>
    /// <param name="job">Its id.</param>
    /// <param name="status">Harbor's word.</param>
    /// <param name="updated">How long ago its status changed.</param>
    /// <param name="revision">How long ago its run began; as <paramref name="updated"/> when not given.</param>
    /// <param name="acknowledged">The status core has taken; null for none.</param>
    public async Task RecordAsync(string job, string status, TimeSpan updated, TimeSpan? revision = null, string? acknowledged = null)
    {
        var run = Ago(revision ?? updated);
        await Redis.HashSetAsync($"{Prefix}job_stats:{job}",
        [
            new("id", job), new("name", "IMAGE_SCAN"), new("kind", "Generic"), new("unique", "0"), new("status", status), new("ref_link", $"/api/v1/jobs/{job}"),
            new("enqueue_time", run), new("run_at", "0"), new("web_hook_url", "http://core:8080/service/notifications/tasks/1"), new("numeric_policy_id", "0"),
            new("update_time", Ago(updated)), new("revision", run), new("parameters", $$"""{"robotAccount":"{{Secret}}"}"""),
        ]);
        if (acknowledged is not null)
            await Redis.HashSetAsync($"{Prefix}job_stats:{job}", "ack", $$"""{"status":"{{acknowledged}}","revision":{{run}},"check_in_at":0}""");
        await Redis.HashSetAsync(Prefix + "job_track:inprogress", job, "2");
    }

    /// <summary>Many jobs that wait, each with its record, in the order of their ids.</summary>
    public async Task BacklogAsync(TimeSpan enqueued, IReadOnlyList<string> jobs, string? acknowledged = "Pending")
    {
        foreach (var chunk in jobs.Chunk(500))
        {
            await Redis.ListLeftPushAsync(Prefix + "jobs:IMAGE_SCAN", [.. chunk.Select(job => (RedisValue)Item(job, enqueued))]);
            await Task.WhenAll(chunk.Select(job => RecordAsync(job, "Pending", enqueued, acknowledged: acknowledged)));
        }
    }

    public Task PauseAsync(string type = "IMAGE_SCAN") => Redis.StringSetAsync($"{Prefix}jobs:{type}:paused", "1");

    private static string Item(string job, TimeSpan enqueued) =>
        $$$"""{"name":"IMAGE_SCAN","id":"{{{job}}}","t":{{{Ago(enqueued)}}},"args":{"authType":"Bearer","registration":"{\"uuid\":\"r\"}","robotAccount":"{\"secret\":\"{{{Secret}}}\"}"}}""";
}
