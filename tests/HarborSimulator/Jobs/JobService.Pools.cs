using System.Globalization;

namespace HarborSimulator.Jobs;

/// <summary>Pools: how they start, beat, die and give their work to others.</summary>
internal sealed partial class JobService
{
    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(10);

    /// <summary>Starts one instance: heartbeats, dead-pool reaping after 10 s and then every 10 minutes, the job reaper after 5 minutes and then hourly.</summary>
    public async Task StartPoolAsync()
    {
        var pool = new WorkerPool
        {
            Id = core.Hex(24),
            StartedAt = timeline.Unix,
            Number = ++_poolNumber,
            Workers = [.. Enumerable.Range(0, settings.WorkersPerPool).Select(_ => core.Hex(24))],
        };
        Pools.Add(pool);
        foreach (var type in (string[])[VendorType.ImageScan, VendorType.Sweep, VendorType.Replication, VendorType.GarbageCollection, VendorType.Retention])
        {
            Register(type);
            await Keys.SetAddAsync(JobKeys.KnownJobs, type);
            await Keys.SetAsync(JobKeys.MaxConcurrency(type), type == VendorType.ImageScan ? "0" : "1");
        }
        await BeatAsync();
        timeline.In(TimeSpan.FromSeconds(5), token => RequeueUnknownPoolsAsync(pool, token));
        timeline.In(TimeSpan.FromSeconds(10), token => ReapDeadPoolsAsync(pool, token));
        timeline.In(TimeSpan.FromMinutes(5), token => ReapJobsAsync(pool, token));
        PlanDispatch(100, 900);
    }

    /// <summary>Whether a start is still to come that looks for pools which nobody knows: each start does so once, after five seconds.</summary>
    public bool LooksForUnknownPools => !IsUp || Pools.Exists(pool => pool.IsAlive && timeline.Unix - pool.StartedAt < 5);

    /// <summary>The processes are gone at once: runs, hook retries and heartbeats end; their keys stay.</summary>
    /// <param name="most">How many, the oldest first.</param>
    public void Kill(int most = int.MaxValue)
    {
        foreach (var pool in Pools.Where(pool => pool.IsAlive).Take(most).ToList()) Kill(pool);
    }

    /// <summary>The process that runs this job is gone at once. False: none runs it.</summary>
    public bool KillPoolOf(string jobId)
    {
        if (RunOf(jobId) is not { } run) return false;
        Kill(run.Pool);
        return true;
    }

    /// <summary>The processes get SIGTERM: what they run ends in Error at once and core is told once; they take their heartbeats away, and the queue stays.</summary>
    /// <param name="most">How many, the oldest first.</param>
    /// <param name="cancellationToken">Ends it half done.</param>
    public async Task TerminateAsync(int most, CancellationToken cancellationToken)
    {
        foreach (var pool in Pools.Where(pool => pool.IsAlive).Take(most).ToList())
        {
            foreach (var run in pool.Busy.Values.OfType<Run>().Where(run => !run.IsOver).ToList())
            {
                if (await SetStatusAsync(run.JobId, HarborStatus.Error, run.Revision)) await SendAsync(run.JobId, HarborStatus.Error, run.Revision, pool, cancellationToken);
                await ReleaseAsync(pool, run.Worker, run.Work.Type, run.Item);
            }
            Kill(pool);
            await Keys.DeleteAsync(JobKeys.Pool(pool.Id));
            await Keys.SetRemoveAsync(JobKeys.Pools, pool.Id);
        }
    }

    private static void Kill(WorkerPool pool)
    {
        pool.IsAlive = false;
        foreach (var run in pool.Busy.Values.OfType<Run>()) run.IsOver = true;
    }

    /// <summary>Writes the heartbeat that every living pool last wrote, at the last multiple of five seconds.</summary>
    public async Task BeatAsync()
    {
        var now = timeline.Unix;
        foreach (var pool in Pools.Where(pool => pool.IsAlive && pool.BeatsAgainAt <= now))
        {
            await Keys.SetAddAsync(JobKeys.Pools, pool.Id);
            await Keys.HashSetAsync(JobKeys.Pool(pool.Id),
                ("heartbeat_at", Text(LastBeat(pool))), ("started_at", Text(pool.StartedAt)), ("job_names", string.Join(',', _types)),
                ("concurrency", Text(pool.Workers.Count)), ("worker_ids", string.Join(',', pool.Workers)),
                ("host", $"jobservice-{pool.Number.ToString(CultureInfo.InvariantCulture)}"), ("pid", "1"));
        }
    }

    private long LastBeat(WorkerPool pool) => timeline.Unix - (timeline.Unix - pool.StartedAt) % 5;

    private async Task ReapDeadPoolsAsync(WorkerPool by, CancellationToken cancellationToken)
    {
        if (!by.IsAlive) return;
        await BeatAsync();
        foreach (var id in await Keys.SetMembersAsync(JobKeys.Pools))
        {
            var heartbeat = await Keys.HashAsync(JobKeys.Pool(id));
            if (heartbeat.Count > 0 && timeline.Unix - Number(heartbeat, "heartbeat_at") <= DeadAfter.TotalSeconds) continue;
            // Without its heartbeat a pool's job types are unknown, so nothing of it is requeued.
            foreach (var type in heartbeat.GetValueOrDefault("job_names", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
                await RequeueAsync(type, id);
            await Keys.DeleteAsync(JobKeys.Pool(id));
            await Keys.SetRemoveAsync(JobKeys.Pools, id);
            foreach (var type in _types) await CleanLockAsync(type, id);
        }
        PlanDispatch(20, 300);
        timeline.In(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(random.Next(30)), token => ReapDeadPoolsAsync(by, token));
    }

    /// <summary>Once, five seconds after a start: what is in progress of pools that nobody knows goes back to the queue.</summary>
    private async Task RequeueUnknownPoolsAsync(WorkerPool by, CancellationToken cancellationToken)
    {
        if (!by.IsAlive) return;
        var known = await Keys.SetMembersAsync(JobKeys.Pools);
        foreach (var type in _types)
        {
            foreach (var (pool, running) in (await Keys.HashAsync(JobKeys.LockInfo(type))).OrderBy(pool => pool.Key, StringComparer.Ordinal))
            {
                if (known.Contains(pool) || long.Parse(running, CultureInfo.InvariantCulture) <= 0) continue;
                await RequeueAsync(type, pool);
                await CleanLockAsync(type, pool);
            }
        }
        PlanDispatch(20, 300);
    }

    private async Task RequeueAsync(string type, string pool)
    {
        while (await Keys.PopRightPushLeftAsync(JobKeys.InProgress(type, pool), JobKeys.Queue(type)) is not null)
        {
            // Each item goes to the back of the queue.
        }
    }

    private async Task CleanLockAsync(string type, string pool)
    {
        var running = Number(await Keys.HashAsync(JobKeys.LockInfo(type)), pool);
        if (running != 0) await Keys.IncrementAsync(JobKeys.Lock(type), -running);
        await Keys.HashDeleteAsync(JobKeys.LockInfo(type), pool);
    }
}
