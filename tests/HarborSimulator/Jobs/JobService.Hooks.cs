namespace HarborSimulator.Jobs;

/// <summary>How the job service tells core: at once, and when core does not take it, again from the memory of the process (harbor-facts 6.1).</summary>
internal sealed partial class JobService
{
    private static readonly TimeSpan FirstGap = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestGap = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan GivesUpAfter = TimeSpan.FromMinutes(5);

    /// <summary>Whether a living process will still try to tell core how this job ended.</summary>
    public bool WillTellEndOf(string jobId) =>
        Pools.Exists(pool => pool.IsAlive && pool.Untold.Any(hook => hook.JobId == jobId && HarborStatus.IsFinal(hook.Status)));

    private async Task SendAsync(string jobId, string status, long revision, WorkerPool sender, CancellationToken cancellationToken)
    {
        if (_silent.Contains(jobId) && HarborStatus.IsFinal(status)) return;
        if (await core.HookAsync(jobId, status, revision, cancellationToken))
        {
            await AcknowledgeAsync(jobId, status, revision);
            return;
        }
        var hook = new Hook(jobId, status, revision);
        sender.Untold.Add(hook);
        sender.Waiting.Enqueue(hook);
        StartRetries(sender);
    }

    /// <summary>A process tries as many hooks at a time as it has workers; the others wait, and their five minutes begin when they are tried.</summary>
    private void StartRetries(WorkerPool pool)
    {
        for (; pool.Retrying < pool.Workers.Count && pool.Waiting.TryDequeue(out var hook); pool.Retrying++)
        {
            var (next, began) = (hook, timeline.Now);
            timeline.In(TimeSpan.Zero, token => RetryAsync(pool, next, began, FirstGap, token));
        }
    }

    private async Task RetryAsync(WorkerPool pool, Hook hook, DateTime began, TimeSpan gap, CancellationToken cancellationToken)
    {
        if (!pool.IsAlive) return;
        var wait = gap * (0.5 + random.NextDouble());
        // Success during the retries writes no acknowledgement: the reaper will send once more.
        if (!await core.HookAsync(hook.JobId, hook.Status, hook.Revision, cancellationToken) && timeline.Now + wait - began <= GivesUpAfter)
        {
            timeline.In(wait, token => RetryAsync(pool, hook, began, gap * 2 < LongestGap ? gap * 2 : LongestGap, token));
            return;
        }
        pool.Untold.Remove(hook);
        pool.Retrying--;
        StartRetries(pool);
    }
}
