using System.Text.Json;

namespace HarborSimulator.Jobs;

/// <summary>The job reaper: tells core again what it has not acknowledged, and ends what is too old.</summary>
internal sealed partial class JobService
{
    private readonly Dictionary<WorkerPool, DateTime> _nextReap = [];

    /// <summary>The first reaping at or after a time, if a pool lives.</summary>
    public DateTime? ReapAfter(DateTime time)
    {
        var ticks = Pools.Where(pool => pool.IsAlive).Select(pool =>
        {
            var next = _nextReap.GetValueOrDefault(pool, Timeline.OfUnix(pool.StartedAt) + TimeSpan.FromMinutes(5));
            return time <= next ? next : next + TimeSpan.FromHours(Math.Ceiling((time - next).TotalHours));
        }).ToList();
        return ticks.Count == 0 ? null : ticks.Min();
    }

    private async Task ReapJobsAsync(WorkerPool by, CancellationToken cancellationToken)
    {
        if (!by.IsAlive) return;
        _nextReap[by] = timeline.Now + TimeSpan.FromHours(1);
        timeline.At(_nextReap[by], token => ReapJobsAsync(by, token));
        foreach (var jobId in (await Keys.HashAsync(JobKeys.Tracked)).Keys.Order(StringComparer.Ordinal))
        {
            var stats = await Keys.HashAsync(JobKeys.Stats(jobId));
            if (!stats.ContainsKey("id"))
            {
                // No record: nothing to tell, and core never learns of it.
                await Keys.HashDeleteAsync(JobKeys.Tracked, jobId);
                continue;
            }
            await ReapAsync(jobId, stats, cancellationToken);
        }
    }

    private async Task ReapAsync(string jobId, Dictionary<string, string> stats, CancellationToken cancellationToken)
    {
        var status = stats.GetValueOrDefault("status", "");
        var revision = Number(stats, "revision");
        var order = OrderOfAck(stats);
        if (order is null || order.Value.CompareTo((revision, HarborStatus.CodeOf(status))) < 0)
        {
            await ResendAsync(jobId, status, revision, cancellationToken);
            return;
        }
        if (HarborStatus.IsFinal(status) || timeline.Unix - Number(stats, "update_time") <= settings.MaxJobDuration.TotalSeconds) return;
        // Too old, were it only queued: Error. A worker that runs it goes on.
        if (await SetStatusAsync(jobId, HarborStatus.Error, revision)) await ResendAsync(jobId, HarborStatus.Error, revision, cancellationToken);
    }

    private async Task ResendAsync(string jobId, string status, long revision, CancellationToken cancellationToken)
    {
        if (await core.HookAsync(jobId, status, revision, cancellationToken)) await AcknowledgeAsync(jobId, status, revision);
    }

    /// <summary>The revision and code that core last acknowledged.</summary>
    public static (long Revision, int Code)? OrderOfAck(Dictionary<string, string> stats)
    {
        if (!stats.TryGetValue("ack", out var text) || text.Length == 0) return null;
        using var ack = JsonDocument.Parse(text);
        return (ack.RootElement.GetProperty("revision").GetInt64(), HarborStatus.CodeOf(ack.RootElement.GetProperty("status").GetString() ?? ""));
    }
}
