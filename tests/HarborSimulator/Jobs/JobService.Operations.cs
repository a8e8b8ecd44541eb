namespace HarborSimulator.Jobs;

/// <summary>What people and accidents do to jobs.</summary>
internal sealed partial class JobService
{
    /// <summary>
    /// Stops a job as its API does. False: it is unknown here (404). A final job is left as it is. A worker that runs it looks at the flag every five seconds.
    /// </summary>
    public async Task<bool> StopAsync(string jobId, CancellationToken cancellationToken)
    {
        var stats = await Keys.HashAsync(JobKeys.Stats(jobId));
        if (!stats.ContainsKey("id")) return false;
        var revision = Number(stats, "revision");
        if (HarborStatus.IsFinal(stats.GetValueOrDefault("status", "")) || !await SetStatusAsync(jobId, HarborStatus.Stopped, revision)) return true;
        if (Pools.Find(pool => pool.IsAlive) is { } pool) await SendAsync(jobId, HarborStatus.Stopped, revision, pool, cancellationToken);
        if (RunOf(jobId) is { } run)
        {
            run.IsOver = true;
            timeline.In(TimeSpan.FromSeconds(5), async _ =>
            {
                if (!run.Pool.IsAlive) return;
                await ReleaseAsync(run.Pool, run.Worker, run.Work.Type, run.Item);
                PlanDispatch(20, 300);
            });
        }
        return true;
    }

    /// <summary>Empties a queue and gives the ids of the jobs that were in it, oldest first.</summary>
    public async Task<List<string>> EmptyQueueAsync(string type, bool removeRecords)
    {
        var jobs = (await Keys.ListAsync(JobKeys.Queue(type))).Select(IdOf).Reverse().ToList();
        await Keys.DeleteAsync(JobKeys.Queue(type));
        if (removeRecords) await ForgetAsync(jobs);
        return jobs;
    }

    /// <summary>Removes the records of jobs, and nothing else; a process that runs one of them dies of it.</summary>
    public async Task ForgetAsync(IReadOnlyList<string> jobs)
    {
        if (jobs.Count == 0) return;
        await Keys.DeleteAsync([.. jobs.Select(JobKeys.Stats)]);
        await Keys.HashDeleteAsync(JobKeys.Tracked, [.. jobs]);
        foreach (var job in jobs) _expiries.Remove(JobKeys.Stats(job));
        await NoticeLostRecordsAsync();
    }

    public Task PauseAsync(string type) => Keys.SetAsync(JobKeys.Paused(type), "1");

    public async Task ResumeAsync(string type)
    {
        await Keys.DeleteAsync(JobKeys.Paused(type));
        PlanDispatch(100, 900);
    }

    /// <summary>Removes every trace of one job; a worker that runs it is free at once and tells nobody.</summary>
    public async Task LoseAsync(string jobId)
    {
        await EndSilentlyAsync(jobId);
        if (_work.TryGetValue(jobId, out var work))
        {
            List<string> lists = [JobKeys.Queue(work.Type), .. Pools.Select(pool => JobKeys.InProgress(work.Type, pool.Id))];
            foreach (var list in lists)
            {
                foreach (var item in (await Keys.ListAsync(list)).Where(item => IdOf(item) == jobId)) await Keys.ListRemoveAsync(list, item);
            }
        }
        await ForgetAsync([jobId]);
    }

    /// <summary>Ends the run of a job without a status and without a hook, and frees its worker.</summary>
    public async Task<bool> EndSilentlyAsync(string jobId)
    {
        if (RunOf(jobId) is not { } run) return false;
        run.IsOver = true;
        await ReleaseAsync(run.Pool, run.Worker, run.Work.Type, run.Item);
        PlanDispatch(20, 300);
        return true;
    }

    /// <summary>The final hook of this job and its five minutes of retries get lost; only the reaper can tell core.</summary>
    public void LoseFinalHookOf(string jobId) => _silent.Add(jobId);

    /// <summary>A worker takes the next jobs before their records are written, and drops them.</summary>
    public void DropBeforeSave(int jobs) => _dropBeforeSave += jobs;

    /// <summary>The scanner of a running job never answers.</summary>
    public bool Hang(string jobId)
    {
        if (RunOf(jobId) is not { } run) return false;
        run.EndsAt = null;
        return true;
    }

    /// <summary>The heartbeats of dead pools are evicted: whoever looks finds their lists without knowing what is in them.</summary>
    public Task LoseDeadHeartbeatsAsync() => Keys.DeleteAsync([.. Pools.Where(pool => !pool.IsAlive).Select(pool => JobKeys.Pool(pool.Id))]);

    /// <summary>
    /// Redis is emptied. A living process writes its heartbeat again when it is next due; one that runs a scan dies when the scan next looks at
    /// its stop flag (harbor-facts 0.2).
    /// </summary>
    public async Task FlushAsync()
    {
        _expiries.Clear();
        await Keys.FlushAsync();
        foreach (var pool in Pools.Where(pool => pool.IsAlive)) pool.BeatsAgainAt = LastBeat(pool) + 5;
        await NoticeLostRecordsAsync();
    }

    /// <summary>Called when a process has died of a lost record.</summary>
    public Action? Panicked { get; set; }

    /// <summary>Plans the death of each process that runs a scan whose record is gone: the scan reads its status there, some seconds from now at the latest.</summary>
    public async Task NoticeLostRecordsAsync()
    {
        foreach (var run in Pools.Where(pool => pool.IsAlive).SelectMany(pool => pool.Busy.Values.OfType<Run>())
            .Where(run => !run.IsOver && run.LooksAt is null && run.Work.Type == VendorType.ImageScan).ToList())
        {
            if ((await Keys.HashAsync(JobKeys.Stats(run.JobId))).ContainsKey("status")) continue;
            run.LooksAt = timeline.Now + TimeSpan.FromMilliseconds(random.Next(2000, 8000));
            timeline.At(run.LooksAt.Value, _ =>
            {
                if (run.IsOver || !run.Pool.IsAlive) return Task.CompletedTask;
                Kill(run.Pool);
                core.Count("job service panicked");
                Panicked?.Invoke();
                return Task.CompletedTask;
            });
        }
    }

    /// <summary>When the process will die of a lost record, if nobody intervenes; null when it will not.</summary>
    public static DateTime? DeathOf(WorkerPool pool) =>
        pool.Busy.Values.OfType<Run>().Where(run => !run.IsOver && run.LooksAt is { } looks && !(run.EndsAt < looks)).Min(run => run.LooksAt);
}
