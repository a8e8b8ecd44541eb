using System.Globalization;
using System.Text.Json;
using HarborScanExporter.Harbor;
using StackExchange.Redis;

namespace HarborScanExporter.JobService;

/// <summary>
/// Reads from the job service's Redis what proves a verdict: queue, then lists in progress, then records, in this order, so that a job on its
/// way from one to the next is seen in one of them at least (harbor-facts 8.6). Everything is bounded and read-only; of queue entries, worker
/// hashes and records only fields without secrets are kept. <see cref="ReadLimit"/> bounds the bytes; a look that was sent more is made once more, with the
/// size of each key asked first, and leaves out what is too large.
/// </summary>
internal sealed class EvidenceReader(RedisConnection connection, string ns) : IDisposable
{
    /// <summary>Tasks whose record is read in one collection.</summary>
    public const int MaxTasks = 5_000;

    /// <summary>A queue no longer than two ends is read in whole.</summary>
    private const int QueueEnd = 500;

    /// <summary>Pools, and workers or jobs of one pool; far beyond any installation seen.</summary>
    private const int MaxPools = 200;
    private const int MaxWorkers = 2_000;

    /// <summary>Commands under way at once.</summary>
    private const int Pipeline = 1_000;

    /// <summary>A stopped or failed job leaves its worker within one look at its stop flag; this much later it holds it.</summary>
    private const double GhostSettle = 5 * 60;

    /// <summary>A job whose transaction core has not committed yet has no row; hooks are sent again after an hour.</summary>
    private const double HookSettle = 15 * 60;

    /// <summary>After a look that was sent too much, so many that left nothing out go on asking for sizes first.</summary>
    private const int CarefulLooks = 60;

    /// <summary>Jobs named to find out whose job service this is.</summary>
    private const int Some = 200;

    private static readonly RedisValue[] PoolFields = ["heartbeat_at", "started_at", "concurrency", "worker_ids", "host", "job_names"];
    private static readonly RedisValue[] WorkerFields = ["job_id", "started_at", "job_name"];
    private static readonly RedisValue[] RecordFields = ["id", "status", "revision", "update_time", "ack"];
    private static readonly RedisValue[] TrackedFields = ["id", "status", "revision", "update_time", "ack", "web_hook_url", "upstream_job_id"];

    private readonly JobServiceKeys _keys = new(ns);
    private readonly TrackedWindow _window = new();

    /// <summary>One look at a time: the walk over tracked jobs is one, and so are the bytes of a look. Whoever waits has no part in the connection.</summary>
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Looks that still ask for the size of each key first; 0 while no look was sent too much.</summary>
    private int _carefulLooks;

    /// <summary>Reads; that Redis cannot be used is an answer, not an error.</summary>
    /// <param name="open">The job ids of all open tasks; of the first <see cref="MaxTasks"/> of them the records are read.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancellationToken">Ends it earlier.</param>
    public async Task<JobServiceEvidence> ReadAsync(IReadOnlyList<string> open, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            await _one.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // The connection is the other's, who may still come to an end.
            return JobServiceEvidence.Without(EvidenceState.Unreachable, $"{connection.Address} still answers another look of this exporter (no answer in time). Look at the load of Redis and at the network.", connection.Address);
        }
        try
        {
            if (_carefulLooks == 0)
            {
                var evidence = await TryAsync(open, false, timeout, limit.Token, cancellationToken);
                if (!connection.WasSentTooMuch || limit.IsCancellationRequested) return evidence;
                _carefulLooks = CarefulLooks;
            }
            return await TryAsync(open, true, timeout, limit.Token, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<JobServiceEvidence> TryAsync(IReadOnlyList<string> open, bool isCareful, TimeSpan timeout, CancellationToken limit, CancellationToken caller)
    {
        try
        {
            var redis = await connection.OpenAsync(timeout, limit);
            var sizes = new KeySizes(redis, isCareful, connection.Address);
            var evidence = await ReadAsync(redis, sizes, open, limit);
            if (isCareful && sizes.LeftOut is null) _carefulLooks--;
            return evidence with { LeftOut = sizes.LeftOut };
        }
        catch (Exception error) when (error is RedisException or RedisCommandException or TimeoutException or OperationCanceledException or RedisUnusableException or IOException or ObjectDisposedException)
        {
            var unusable = connection.WasSentTooMuch ? KeySizes.TooMuch(connection.Address) : RedisUnusableException.Of(error, connection.Address);
            connection.Forget();
            caller.ThrowIfCancellationRequested();
            return JobServiceEvidence.Without(unusable.State, unusable.Message, connection.Address);
        }
    }

    private async Task<JobServiceEvidence> ReadAsync(IDatabase redis, KeySizes sizes, IReadOnlyList<string> open, CancellationToken cancellationToken)
    {
        await sizes.RequireAsync([_keys.KnownJobs, _keys.Pools, _keys.Running(JobType.Scan)], cancellationToken);
        var readsSweepNext = await sizes.FitsAsync(_keys.Queue(JobType.Sweep), $"the queue {JobType.Sweep}", cancellationToken);
        var known = redis.SetMembersAsync(_keys.KnownJobs);
        var announced = redis.SetMembersAsync(_keys.Pools);
        var counted = redis.HashKeysAsync(_keys.Running(JobType.Scan));
        var clock = redis.ExecuteAsync("TIME");
        var scanPaused = redis.KeyExistsAsync(_keys.Paused(JobType.Scan));
        var sweepPaused = redis.KeyExistsAsync(_keys.Paused(JobType.Sweep));
        var sweepLength = redis.ListLengthAsync(_keys.Queue(JobType.Sweep));
        var role = IsReplicaCutOffAsync(redis);
        var sweepNext = readsSweepNext ? redis.ListRangeAsync(_keys.Queue(JobType.Sweep), -1, -1) : Task.FromResult<RedisValue[]>([]);
        var queue = await ReadQueueAsync(redis, sizes, cancellationToken);
        await Task.WhenAll(known, announced, counted, clock, scanPaused, sweepPaused, sweepLength, sweepNext, role).WaitAsync(cancellationToken);

        var now = TimeOf((RedisResult[])(await clock)!);
        string[] poolIds = [.. (await announced).Concat(await counted).Select(id => id.ToString()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var (pools, workers, jobNames) = await ReadPoolsAsync(redis, sizes, [.. poolIds.Take(MaxPools)], cancellationToken);
        var held = await ReadHeldAsync(redis, sizes, pools, workers, now, cancellationToken);
        var knownJobs = (await known).Select(job => job.ToString()).ToHashSet(StringComparer.Ordinal);
        var evidence = new JobServiceEvidence
        {
            State = knownJobs.Count > 0 || pools.Any(pool => pool.IsAliveAt(now)) ? EvidenceState.Usable : EvidenceState.Empty,
            Address = connection.Address,
            Now = now,
            Pools = pools,
            BusyWorkers = held.Busy,
            Workers = pools.Where(pool => pool.IsAliveAt(now)).Sum(pool => pool.Concurrency),
            Scans = new QueueEvidence(queue.Length, queue.Oldest, await scanPaused) { WasRead = queue.WasRead },
            Sweeps = new QueueEvidence(await sweepLength, (await sweepNext).Select(item => QueueItem.Parse(item)?.Enqueued).FirstOrDefault(), await sweepPaused) { WasRead = readsSweepNext },
            ListsReadWhole = queue.Whole && held.Whole && poolIds.Length <= MaxPools,
            LostItsMaster = await role,
            EmptiedUnderPools = pools.Any(pool => pool.IsAliveAt(now) && jobNames.GetValueOrDefault(pool.Id, []).Any(job => !knownJobs.Contains(job))),
        };
        if (evidence.State == EvidenceState.Empty)
        {
            return evidence with
            {
                Problem = $"{connection.Address} shows no job service under the namespace {ns}: neither known_jobs nor a fresh heartbeat. "
                    + "Check the database number (2 in Harbor's installer, 1 in its chart) and HARBOR_REDIS_NAMESPACE. "
                    + "If both are right, it was emptied and no job service runs: start it.",
            };
        }
        return await WithRecordsAsync(redis, sizes, evidence, open, queue, held, cancellationToken);
    }

    private async Task<JobServiceEvidence> WithRecordsAsync(IDatabase redis, KeySizes sizes, JobServiceEvidence evidence, IReadOnlyList<string> open, ReadQueue queue,
        ReadHeld lists, CancellationToken cancellationToken)
    {
        var queued = queue.Ids;
        var held = lists.Jobs;
        string[] judged = [.. open.Where(id => id.Length > 0).Distinct(StringComparer.Ordinal).Take(MaxTasks)];
        // What only waits in the queue is judged without its record.
        string[] asked = [.. judged.Where(id => !queued.Contains(id) || held.ContainsKey(id))];
        var claimed = open.ToHashSet(StringComparer.Ordinal);
        string[] strange = [.. held.Where(job => job.Value.Pool.IsAliveAt(evidence.Now) && !claimed.Contains(job.Key)).Select(job => job.Key)];
        var (records, unread) = await ReadRecordsAsync(redis, sizes, [.. asked, .. strange], cancellationToken);
        var tracked = await ReadTrackedAsync(redis, sizes, claimed, evidence.Now, cancellationToken);
        // Neither a record nor a list that was left out says that there is nothing.
        var hasGaps = !queue.WasRead || lists.LeftOut;
        bool IsTold(string id) => !unread.Contains(id) && !(hasGaps && !queued.Contains(id) && !held.ContainsKey(id) && !records.ContainsKey(id));
        var work = held.Values.SelectMany(job => new[] { job.Started, job.Enqueued })
            .Concat(records.Values.Select(record => record.Updated)).Append(queue.Newest).Append(tracked.Newest);
        return evidence with
        {
            NewestWork = work.Max(),
            Jobs = judged.Where(IsTold).ToDictionary(id => id, id => new JobEvidence
            {
                IsQueued = queued.Contains(id),
                Holder = held.GetValueOrDefault(id)?.Pool,
                WorkerStarted = held.GetValueOrDefault(id)?.Started,
                Record = records.GetValueOrDefault(id),
            }, StringComparer.Ordinal),
            Ghosts =
            [
                .. held.Where(job => job.Value.Pool.IsAliveAt(evidence.Now) && !unread.Contains(job.Key) && IsGhost(job.Value, records.GetValueOrDefault(job.Key), claimed.Contains(job.Key), evidence.Now))
                    .Select(job => new GhostWorker(job.Key, job.Value.Pool.Id, records.GetValueOrDefault(job.Key)?.Status)),
            ],
            Listed = [.. queued.Union(held.Keys)],
            UnclaimedHooks = tracked.Unclaimed,
            ShowsTasks = queued.Count > 0 || held.Count > 0 || tracked.Acknowledged,
            SomeJobs = [.. queued.Concat(held.Keys).Concat(tracked.KnownAs).Select(id => id.Split('@')[0]).Distinct(StringComparer.Ordinal).Take(Some)],
        };
    }

    /// <summary>A worker is held for nothing when its job's record is final for some minutes, or has expired with no open row of it left.</summary>
    private static bool IsGhost(HeldJob job, JobRecord? record, bool claimed, double now) => record is null
        ? !claimed && job.Enqueued is { } enqueued && now - enqueued > 24 * 3600
        : record.IsFinal && now - (record.Updated ?? now) > GhostSettle;

    private async Task<ReadQueue> ReadQueueAsync(IDatabase redis, KeySizes sizes, CancellationToken cancellationToken)
    {
        var key = _keys.Queue(JobType.Scan);
        var length = await redis.ListLengthAsync(key).WaitAsync(cancellationToken);
        if (!await sizes.FitsAsync(key, $"the queue {JobType.Scan}", cancellationToken, Math.Min(1, 2.0 * QueueEnd / Math.Max(1, length))))
            return ReadQueue.Of([], length, whole: false) with { WasRead = false };
        if (length <= 2 * QueueEnd)
        {
            // One atomic read, with room for what is pushed meanwhile.
            var all = await redis.ListRangeAsync(key, 0, 3 * QueueEnd - 1).WaitAsync(cancellationToken);
            return ReadQueue.Of(all, Math.Max(length, all.Length), all.Length < 3 * QueueEnd);
        }
        var next = redis.ListRangeAsync(key, -QueueEnd, -1);
        var back = redis.ListRangeAsync(key, 0, QueueEnd - 1);
        await Task.WhenAll(next, back).WaitAsync(cancellationToken);
        return ReadQueue.Of([.. await next, .. await back], length, whole: false);
    }

    private async Task<(IReadOnlyList<WorkerPool> Pools, Dictionary<string, string[]> Workers, Dictionary<string, string[]> JobNames)> ReadPoolsAsync(
        IDatabase redis, KeySizes sizes, string[] ids, CancellationToken cancellationToken)
    {
        await sizes.RequireAsync([.. ids.Select(_keys.Pool)], cancellationToken);
        var hashes = await Task.WhenAll(ids.Select(id => redis.HashGetAsync(_keys.Pool(id), PoolFields))).WaitAsync(cancellationToken);
        List<WorkerPool> pools = [];
        var workers = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var jobNames = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var (id, fields) in ids.Zip(hashes))
        {
            workers[id] = Words(fields[3]);
            jobNames[id] = Words(fields[5]);
            var concurrency = Number(fields[2]) is { } number and >= 0 and <= int.MaxValue ? (int)number : workers[id].Length;
            pools.Add(new WorkerPool(id, Number(fields[0]), Number(fields[1]), concurrency, fields[4].IsNullOrEmpty ? null : fields[4].ToString()));
        }
        return (pools, workers, jobNames);
    }

    private async Task<ReadHeld> ReadHeldAsync(
        IDatabase redis, KeySizes sizes, IReadOnlyList<WorkerPool> pools, Dictionary<string, string[]> workers, double now, CancellationToken cancellationToken)
    {
        var fitting = await sizes.FitAsync([.. pools.Select(pool => _keys.InProgress(JobType.Scan, pool.Id))], "a list in progress", "lists in progress", KeySizes.MaxList, cancellationToken);
        var lists = await Task.WhenAll(pools.Zip(fitting, (pool, fits) => fits
            ? redis.ListRangeAsync(_keys.InProgress(JobType.Scan, pool.Id), 0, MaxWorkers - 1)
            : Task.FromResult<RedisValue[]>([]))).WaitAsync(cancellationToken);
        (WorkerPool Pool, string Worker)[] live =
            [.. pools.Where(pool => pool.IsAliveAt(now)).SelectMany(pool => workers[pool.Id].Take(MaxWorkers).Select(worker => (pool, worker)))];
        await sizes.RequireAsync([.. live.Select(one => _keys.Worker(one.Worker))], cancellationToken);
        var observed = await Task.WhenAll(live.Select(one => redis.HashGetAsync(_keys.Worker(one.Worker), WorkerFields))).WaitAsync(cancellationToken);

        var jobs = new Dictionary<string, HeldJob>(StringComparer.Ordinal);
        // Lists of dead pools first: what a live one holds as well is the live one's.
        foreach (var (pool, list) in pools.Zip(lists).OrderBy(pair => pair.First.IsAliveAt(now)))
        {
            foreach (var item in list.Select(item => QueueItem.Parse(item)).OfType<QueueItem>()) jobs[item.Id] = new HeldJob(pool, null, item.Enqueued);
        }
        var busy = 0;
        foreach (var ((pool, _), fields) in live.Zip(observed))
        {
            if (fields[0].IsNullOrEmpty) continue;
            busy++;
            // Workers run the jobs of every type.
            if (!fields[2].IsNullOrEmpty && fields[2] != JobType.Scan) continue;
            var id = fields[0].ToString();
            if (!jobs.TryGetValue(id, out var listed)) jobs[id] = new HeldJob(pool, Number(fields[1]), null);
            else if (listed.Pool.IsAliveAt(now)) jobs[id] = listed with { Started = Number(fields[1]) };
            else jobs[id] = new HeldJob(pool, Number(fields[1]), listed.Enqueued);
        }
        // A worker's own hash expires after a day, the list keeps the job.
        var unseen = jobs.Values.Count(job => job.Pool.IsAliveAt(now) && job.Started is null);
        return new ReadHeld(jobs, busy + unseen, lists.All(list => list.Length < MaxWorkers) && fitting.All(fits => fits), fitting.Any(fits => !fits));
    }

    /// <summary>The records of these jobs, and the jobs whose record was left out.</summary>
    private async Task<(Dictionary<string, JobRecord> Records, HashSet<string> Unread)> ReadRecordsAsync(IDatabase redis, KeySizes sizes, string[] jobs, CancellationToken cancellationToken)
    {
        var records = new Dictionary<string, JobRecord>(jobs.Length, StringComparer.Ordinal);
        var unread = new HashSet<string>(StringComparer.Ordinal);
        foreach (var all in jobs.Chunk(Pipeline))
        {
            var chunk = await FittingAsync(sizes, all, unread, cancellationToken);
            var hashes = await Task.WhenAll(chunk.Select(job => ReadHashAsync(redis, _keys.Record(job), RecordFields))).WaitAsync(cancellationToken);
            foreach (var (job, fields) in chunk.Zip(hashes))
            {
                if (RecordOf(fields) is { } record) records[job] = record;
            }
        }
        return (records, unread);
    }

    private async Task<string[]> FittingAsync(KeySizes sizes, IReadOnlyList<string> jobs, HashSet<string> unread, CancellationToken cancellationToken)
    {
        var fitting = await sizes.FitAsync([.. jobs.Select(_keys.Record)], "a job's record", "jobs' records", KeySizes.MaxHash, cancellationToken);
        unread.UnionWith(jobs.Zip(fitting).Where(job => !job.Second).Select(job => job.First));
        return [.. jobs.Zip(fitting).Where(job => job.Second).Select(job => job.First)];
    }

    /// <summary>
    /// Jobs of the window, by the ids under which core knows them, whether a core has acknowledged one, and those among all seen whose hooks
    /// none takes; those of open tasks left out. Also the newest change of a record in the window.
    /// </summary>
    private async Task<(IReadOnlyList<string> KnownAs, bool Acknowledged, IReadOnlyList<string> Unclaimed, double? Newest)> ReadTrackedAsync(
        IDatabase redis, KeySizes sizes, HashSet<string> claimed, double now, CancellationToken cancellationToken)
    {
        while (_window.WantsPage)
        {
            var page = (RedisResult[])(await redis.ExecuteAsync("HSCAN", (RedisKey)_keys.Tracked, _window.Cursor, "COUNT", sizes.AreAsked ? 100 : 1000).WaitAsync(cancellationToken))!;
            var pairs = (string[])page[1]!;
            _window.Add((string)page[0]!, Enumerable.Range(0, pairs.Length / 2).Select(i => pairs[2 * i]).Where(id => !claimed.Contains(id)));
        }
        var taken = _window.Take();
        var looked = await FittingAsync(sizes, taken, [], cancellationToken);
        var hashes = await Task.WhenAll(looked.Select(job => ReadHashAsync(redis, _keys.Record(job), TrackedFields))).WaitAsync(cancellationToken);
        // Core looks for a run of a schedule by the schedule's own id. A job without a hook address has no row and needs none.
        (string Id, string KnownAs, RedisValue[] Fields)[] jobs =
            [.. looked.Zip(hashes).Select(pair => (Id: pair.First, KnownAs: pair.Second[6].IsNullOrEmpty ? pair.First : pair.Second[6].ToString(), Fields: pair.Second)).Where(job => !job.Fields[5].IsNullOrEmpty)];
        var unclaimed = _window.Keep(taken, jobs
            .Where(job => RecordOf(job.Fields) is { IsAcknowledged: false } record && now - (record.Updated ?? now) > HookSettle)
            .Select(job => (job.Id, job.KnownAs)));
        return ([.. jobs.Select(job => job.KnownAs)], jobs.Any(job => RecordOf(job.Fields) is { IsAcknowledged: true }), unclaimed,
            jobs.Max(job => RecordOf(job.Fields)?.Updated));
    }

    /// <summary>
    /// Whether this server is a replica that does not hear its master. Only the default user may ask by rule: the server would note the refusal of any other.
    /// </summary>
    private async Task<bool> IsReplicaCutOffAsync(IDatabase redis)
    {
        if (connection.Settings?.User is not null) return false;
        try
        {
            return (RedisResult[]?)await redis.ExecuteAsync("ROLE") is { Length: > 3 } role && (string?)role[0] == "slave" && (string?)role[3] != "connected";
        }
        catch (RedisServerException)
        {
            // Renamed or taken from it: the heartbeats have to tell.
            return false;
        }
    }

    /// <summary>A key of another type is nobody's record; it must not fail the others.</summary>
    private static async Task<RedisValue[]> ReadHashAsync(IDatabase redis, string key, RedisValue[] fields)
    {
        try
        {
            return await redis.HashGetAsync(key, fields);
        }
        catch (RedisServerException error) when (error.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            return new RedisValue[fields.Length];
        }
    }

    /// <summary>A hash without id is what an expired record leaves when the job ends after it.</summary>
    private static JobRecord? RecordOf(RedisValue[] fields) => fields[0].IsNullOrEmpty
        ? null
        : new JobRecord(fields[1], (long)(Number(fields[2]) ?? 0), Number(fields[3]), AcknowledgedIn(fields[4]));

    private static (long Revision, int Code)? AcknowledgedIn(RedisValue ack)
    {
        if (ack.IsNullOrEmpty) return null;
        try
        {
            using var document = JsonDocument.Parse((ReadOnlyMemory<byte>)ack);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("revision", out var revision) && revision.TryGetInt64(out var number)
                && document.RootElement.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String
                ? (number, ScanStatus.CodeOf(status.GetString()))
                : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static double TimeOf(RedisResult[] time) =>
        double.Parse((string)time[0]!, CultureInfo.InvariantCulture) + double.Parse((string)time[1]!, CultureInfo.InvariantCulture) / 1e6;

    private static double? Number(RedisValue value) =>
        !value.IsNullOrEmpty && double.TryParse(value.ToString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[] Words(RedisValue list) => list.IsNullOrEmpty ? [] : list.ToString().Split(',', StringSplitOptions.RemoveEmptyEntries);

    private sealed record HeldJob(WorkerPool Pool, double? Started, double? Enqueued);

    private sealed record ReadHeld(Dictionary<string, HeldJob> Jobs, int Busy, bool Whole, bool LeftOut);

    private sealed record ReadQueue(HashSet<string> Ids, double? Oldest, double? Newest, long Length, bool Whole)
    {
        public bool WasRead { get; init; } = true;

        public static ReadQueue Of(RedisValue[] items, long length, bool whole)
        {
            var ids = new HashSet<string>(items.Length, StringComparer.Ordinal);
            double? oldest = null, newest = null;
            foreach (var value in items)
            {
                if (QueueItem.Parse(value) is not { } item) continue;
                ids.Add(item.Id);
                if (item.Enqueued is not { } enqueued) continue;
                if (!(oldest <= enqueued)) oldest = enqueued;
                if (!(newest >= enqueued)) newest = enqueued;
            }
            return new ReadQueue(ids, oldest, newest, length, whole);
        }
    }
}
