using System.Text.Json;
using HarborScanExporter.Tests.Support;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.Recordings;

/// <summary>Puts the keys of a recording into a Redis.</summary>
/// <param name="recorded">The keys.</param>
/// <param name="moment">The whole second that the recording's moment becomes, since 1970.</param>
/// <param name="redis">The job service's database.</param>
internal sealed class RecordedKeys(RecordedRedis recorded, long moment, IDatabase redis)
{
    /// <summary>Takes the place of what stands there.</summary>
    public async Task WriteAsync()
    {
        await redis.ExecuteAsync("FLUSHDB");
        List<Task> written = [];
        if (recorded.KnownJobs.Length > 0) written.Add(redis.SetAddAsync(Key("known_jobs"), [.. recorded.KnownJobs.Select(type => (RedisValue)type)]));
        written.AddRange(recorded.Pools.Select(pool => redis.SetAddAsync(Key("worker_pools"), pool.Id)));
        written.AddRange(recorded.Pools.Select(pool => redis.HashSetAsync(Key($"worker_pools:{pool.Id}"),
        [
            new("heartbeat_at", moment + pool.Heartbeat), new("started_at", moment + pool.Started), new("concurrency", pool.Concurrency), new("host", "jobservice"), new("pid", "1"),
            new("job_names", string.Join(',', pool.Jobs ?? recorded.KnownJobs)), new("worker_ids", string.Join(',', pool.Workers)),
        ])));
        written.Add(ListAsync("jobs:IMAGE_SCAN", recorded.Queue));
        written.AddRange(recorded.InProgress.Select(list => ListAsync($"jobs:IMAGE_SCAN:{list.Key}:inprogress", list.Value)));
        written.AddRange(recorded.LockInfo.Select(pool => redis.HashSetAsync(Key("jobs:IMAGE_SCAN:lock_info"), pool.Key, pool.Value)));
        written.AddRange(recorded.Workers.Select(worker => redis.HashSetAsync(Key($"worker:{worker.Key}"),
            [new("job_name", worker.Value.Type), new("job_id", worker.Value.Job), new("started_at", moment + worker.Value.Started)])));
        written.AddRange(recorded.Records.Select(record => redis.HashSetAsync(Key($"job_stats:{record.Key}"), RecordOf(record.Key, record.Value))));
        written.AddRange(recorded.Tracked.Select(job => redis.HashSetAsync(Key("job_track:inprogress"), job, "2")));
        written.AddRange(recorded.Paused.Select(type => redis.StringSetAsync(Key($"jobs:{type}:paused"), "1")));
        await Task.WhenAll(written);
    }

    /// <summary>The pools that live beat now; those that were killed have not done so for longer than in the recording.</summary>
    /// <param name="silent">By how much longer.</param>
    public Task BeatAsync(TimeSpan silent)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return Task.WhenAll(recorded.Pools.Select(pool =>
            redis.HashSetAsync(Key($"worker_pools:{pool.Id}"), "heartbeat_at", pool.Dead ? now + pool.Heartbeat - (long)silent.TotalSeconds : now)));
    }

    private HashEntry[] RecordOf(string job, RecordedJob record)
    {
        HashEntry[] fields =
        [
            new("id", job), new("name", record.Type), new("kind", "Generic"), new("unique", "0"), new("status", record.Status), new("ref_link", $"/api/v1/jobs/{job}"), new("run_at", "0"),
            new("enqueue_time", moment + record.Revision), new("update_time", moment + record.Updated), new("revision", moment + record.Revision),
            new("web_hook_url", $"http://core:8080/service/notifications/tasks/{record.Task}"),
        ];
        return record.Ack is [var status, var revision]
            ? [.. fields, new("ack", $$"""{"status":"{{status.GetString()}}","revision":{{moment + revision.GetInt64()}},"check_in_at":0}""")]
            : fields;
    }

    private Task ListAsync(string key, JsonElement[][] items) => items.Length == 0
        ? Task.CompletedTask
        : redis.ListRightPushAsync(Key(key), [.. items.Select(item => (RedisValue)$$$"""{"name":"IMAGE_SCAN","id":"{{{item[0].GetString()}}}","t":{{{moment + item[1].GetInt64()}}},"args":{}}""")]);

    private static string Key(string name) => JobServiceSeed.Prefix + name;
}
