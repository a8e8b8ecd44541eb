using System.Globalization;
using System.Text.Json;
using HarborSimulator.Core;
using HarborSimulator.Storage;

namespace HarborSimulator.Jobs;

/// <summary>Harbor's job service: queues and records in Redis, workers, status hooks and their retries, the reapers.</summary>
internal sealed partial class JobService(IKeyStore keys, Timeline timeline, Random random, HarborCore core, SimulationSettings settings)
{
    /// <summary>The life of a finished job's record, by its status.</summary>
    private static readonly TimeSpan FinalLife = TimeSpan.FromDays(1);
    private static readonly TimeSpan ErrorLife = TimeSpan.FromDays(7);

    /// <summary>For so long the enqueuer of a process remembers that it has announced a job type.</summary>
    private static readonly TimeSpan AnnouncementIsRemembered = TimeSpan.FromSeconds(300);

    private readonly Dictionary<string, Work> _work = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTime> _expiries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _silent = new(StringComparer.Ordinal);
    private readonly List<string> _types = [];
    private int _poolNumber;
    private int _dropBeforeSave;
    private bool _dispatchIsPlanned;

    /// <summary>Every pool that ever was, the living ones last.</summary>
    public List<WorkerPool> Pools { get; } = [];

    public IKeyStore Keys { get; private set; } = keys;

    /// <summary>Keys that will be gone, and when.</summary>
    public IReadOnlyDictionary<string, DateTime> Expiries => _expiries;

    public bool IsUp => Pools.Exists(pool => pool.IsAlive);

    public IReadOnlyList<string> Types => _types;

    /// <summary>From now on the keys live in another store, which must already hold a copy of them.</summary>
    public void MoveTo(IKeyStore store) => Keys = store;

    /// <summary>Takes a job of core: first the queue, then the record, as two separate steps. False when no job service answers.</summary>
    public async Task<bool> SubmitAsync(string jobId, string arguments, Work work)
    {
        if (Pools.Find(pool => pool.IsAlive) is not { } taker) return false;
        Register(work.Type);
        _work[jobId] = work;
        var now = timeline.Unix;
        if (!taker.Announced.TryGetValue(work.Type, out var remembered) || remembered <= timeline.Now)
        {
            await Keys.SetAddAsync(JobKeys.KnownJobs, work.Type);
            taker.Announced[work.Type] = timeline.Now + AnnouncementIsRemembered;
        }
        if (_dropBeforeSave > 0) _dropBeforeSave--;
        else await Keys.PushLeftAsync(JobKeys.Queue(work.Type), $$"""{"name":"{{work.Type}}","id":"{{jobId}}","t":{{now}},"args":{{arguments}}}""");
        await Keys.HashSetAsync(JobKeys.Stats(jobId),
            ("id", jobId), ("name", work.Type), ("kind", "Generic"), ("unique", "0"), ("status", HarborStatus.Pending), ("ref_link", $"/api/v1/jobs/{jobId}"),
            ("enqueue_time", Text(now)), ("run_at", "0"), ("cron_spec", ""), ("web_hook_url", $"http://core:8080/service/notifications/tasks/{Text(work.TaskId)}"),
            ("numeric_policy_id", "0"), ("update_time", Text(now)), ("revision", Text(now)), ("parameters", arguments));
        await Keys.HashSetAsync(JobKeys.Tracked, (jobId, "2"));
        PlanDispatch(100, 900);
        return true;
    }

    /// <summary>Free workers take what waits in the queues that nobody paused.</summary>
    public async Task DispatchAsync(CancellationToken cancellationToken)
    {
        foreach (var pool in Pools.Where(pool => pool.IsAlive).ToList())
        {
            foreach (var type in _types)
            {
                if (pool.Busy.Count >= pool.Workers.Count) break;
                if (await Keys.ExistsAsync(JobKeys.Paused(type))) continue;
                while (pool.Busy.Count < pool.Workers.Count
                    && await Keys.PopRightPushLeftAsync(JobKeys.Queue(type), JobKeys.InProgress(type, pool.Id)) is { } item)
                {
                    await Keys.IncrementAsync(JobKeys.Lock(type), 1);
                    await Keys.HashIncrementAsync(JobKeys.LockInfo(type), pool.Id, 1);
                    await StartAsync(pool, type, item, cancellationToken);
                }
            }
        }
    }

    public static string IdOf(string item)
    {
        using var document = JsonDocument.Parse(item);
        return document.RootElement.GetProperty("id").GetString() ?? "";
    }

    /// <summary>The run of a job on a live worker, if there is one.</summary>
    public Run? RunOf(string jobId) => Pools.Where(pool => pool.IsAlive).SelectMany(pool => pool.Busy.Values).FirstOrDefault(run => run?.JobId == jobId && !run.IsOver);

    private async Task StartAsync(WorkerPool pool, string type, string item, CancellationToken cancellationToken)
    {
        var jobId = IdOf(item);
        var worker = pool.Workers.First(free => !pool.Busy.ContainsKey(free));
        pool.Busy[worker] = null;
        var stats = await Keys.HashAsync(JobKeys.Stats(jobId));
        if (!stats.ContainsKey("id") || !_work.TryGetValue(jobId, out var work))
        {
            // The worker looks six times and then drops the item for good.
            timeline.In(TimeSpan.FromSeconds(6), async token =>
            {
                if (!pool.IsAlive) return;
                await ReleaseAsync(pool, worker, type, item);
                await DispatchAsync(token);
            });
            return;
        }
        var status = stats.GetValueOrDefault("status", "");
        if (status is HarborStatus.Stopped or HarborStatus.Success)
        {
            await ReleaseAsync(pool, worker, type, item);
            return;
        }
        var revision = Number(stats, "revision");
        if (status is HarborStatus.Running or HarborStatus.Error)
        {
            revision = Math.Max(timeline.Unix, revision + 1);
            await Keys.HashSetAsync(JobKeys.Stats(jobId), ("status", HarborStatus.Pending), ("revision", Text(revision)), ("update_time", Text(timeline.Unix)));
            await Keys.HashDeleteAsync(JobKeys.Stats(jobId), "ack");
            await Keys.PersistAsync(JobKeys.Stats(jobId));
            _expiries.Remove(JobKeys.Stats(jobId));
            await Keys.HashSetAsync(JobKeys.Tracked, (jobId, "2"));
        }
        if (core.IsDown)
        {
            // A job begins with core's configuration; without an answer it has failed before it ran.
            if (await SetStatusAsync(jobId, HarborStatus.Error, revision)) await SendAsync(jobId, HarborStatus.Error, revision, pool, cancellationToken);
            timeline.In(TimeSpan.FromMilliseconds(random.Next(100, 900)), async token =>
            {
                if (!pool.IsAlive) return;
                await ReleaseAsync(pool, worker, type, item);
                await DispatchAsync(token);
            });
            return;
        }
        var run = new Run { JobId = jobId, Item = item, Work = work, Pool = pool, Worker = worker, Revision = revision, StartedAt = timeline.Now };
        pool.Busy[worker] = run;
        await SetStatusAsync(jobId, HarborStatus.Running, revision);
        await Keys.HashSetAsync(JobKeys.Worker(worker),
            ("job_name", type), ("job_id", jobId), ("started_at", Text(timeline.Unix)), ("args", stats.GetValueOrDefault("parameters", "{}")));
        await ExpireAsync(JobKeys.Worker(worker), TimeSpan.FromSeconds(86400));
        await SendAsync(jobId, HarborStatus.Running, revision, pool, cancellationToken);
        if (work.Duration() is not { } duration) return;
        run.EndsAt = timeline.Now + duration;
        timeline.At(run.EndsAt.Value, token => EndAsync(run, token));
    }

    private async Task EndAsync(Run run, CancellationToken cancellationToken)
    {
        if (run.IsOver || !run.Pool.IsAlive || run.EndsAt != timeline.Now) return;
        run.IsOver = true;
        var status = await run.Work.EndAsync(cancellationToken);
        if (await SetStatusAsync(run.JobId, status, run.Revision)) await SendAsync(run.JobId, status, run.Revision, run.Pool, cancellationToken);
        await ReleaseAsync(run.Pool, run.Worker, run.Work.Type, run.Item);
        PlanDispatch(20, 300);
    }

    private async Task ReleaseAsync(WorkerPool pool, string worker, string type, string item)
    {
        pool.Busy.Remove(worker);
        await Keys.ListRemoveAsync(JobKeys.InProgress(type, pool.Id), item);
        await Keys.IncrementAsync(JobKeys.Lock(type), -1);
        await Keys.HashIncrementAsync(JobKeys.LockInfo(type), pool.Id, -1);
        await Keys.DeleteAsync(JobKeys.Worker(worker));
        _expiries.Remove(JobKeys.Worker(worker));
    }

    /// <summary>Sets the record's status under its fence; a record that is gone comes back as debris without an id.</summary>
    private async Task<bool> SetStatusAsync(string jobId, string status, long revision)
    {
        var stats = await Keys.HashAsync(JobKeys.Stats(jobId));
        var stored = Number(stats, "revision");
        var word = stats.GetValueOrDefault("status", "");
        if (stored > revision || (stored == revision && word != status && HarborStatus.CodeOf(word) >= HarborStatus.CodeOf(status))) return false;
        await Keys.HashSetAsync(JobKeys.Stats(jobId), ("status", status), ("revision", Text(revision)), ("update_time", Text(timeline.Unix)));
        if (!HarborStatus.IsFinal(status)) return true;
        await ExpireAsync(JobKeys.Stats(jobId), status == HarborStatus.Error ? ErrorLife : FinalLife);
        await UntrackOneAsync(jobId);
        return true;
    }

    private async Task AcknowledgeAsync(string jobId, string status, long revision)
    {
        await Keys.HashSetAsync(JobKeys.Stats(jobId), ("ack", $$"""{"status":"{{status}}","revision":{{revision}},"check_in_at":0}"""));
        if (HarborStatus.IsFinal(status)) await UntrackOneAsync(jobId);
    }

    private async Task UntrackOneAsync(string jobId)
    {
        if (await Keys.HashIncrementAsync(JobKeys.Tracked, jobId, -1) <= 0) await Keys.HashDeleteAsync(JobKeys.Tracked, jobId);
    }

    private async Task ExpireAsync(string key, TimeSpan life)
    {
        // Redis counts real seconds; the simulation removes the key itself when its simulated life is over.
        await Keys.ExpireAsync(key, life);
        var end = timeline.Now + life;
        _expiries[key] = end;
        timeline.At(end, async _ =>
        {
            if (_expiries.GetValueOrDefault(key) != end) return;
            _expiries.Remove(key);
            await Keys.DeleteAsync(key);
        });
    }

    private void PlanDispatch(int fromMilliseconds, int toMilliseconds)
    {
        if (_dispatchIsPlanned) return;
        _dispatchIsPlanned = true;
        timeline.In(TimeSpan.FromMicroseconds(random.Next(fromMilliseconds * 1000, toMilliseconds * 1000)), async token =>
        {
            _dispatchIsPlanned = false;
            await DispatchAsync(token);
        });
    }

    private void Register(string type)
    {
        if (_types.Contains(type)) return;
        _types.Add(type);
        // Scans last: what runs rarely is not starved by them.
        _types.Sort((left, right) => (left == VendorType.ImageScan, left).CompareTo((right == VendorType.ImageScan, right)));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(Dictionary<string, string> hash, string field) =>
        hash.TryGetValue(field, out var text) && long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
