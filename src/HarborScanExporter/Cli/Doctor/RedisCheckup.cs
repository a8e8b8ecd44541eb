using HarborScanExporter.Harbor;
using HarborScanExporter.JobService;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;
using StackExchange.Redis;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Tries the job service's Redis: the connection, each command that reads evidence, and what the job service has left there.</summary>
internal static class RedisCheckup
{
    private const string Reach = "redis";

    /// <summary>Tries it.</summary>
    /// <returns>The lines, and the clock of Redis when it was read.</returns>
    public static async Task<(IReadOnlyList<CheckupLine> Lines, SeenClock? Clock)> RunAsync(ExporterSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        if (settings.JobService is not { } service)
            return ([CheckupLine.Skipped(Reach, $"{Setting.Names.RedisUrl} is not set: verdicts rest on rows alone.", "Set it to Harbor's own URL of the job service's Redis: it proves what rows can only suggest.")], null);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(2 * Checkup.Limit);
        List<CheckupLine> lines = [];
        await using var connection = new RedisConnection(service, "ACL", "CONFIG", RedisProduct.Command);
        try
        {
            var begun = time.GetTimestamp();
            var redis = await connection.OpenAsync(Checkup.Limit, limit.Token);
            var address = connection.Settings!;
            var answered = time.GetElapsedTime(begun);
            var product = await RedisProduct.ReadAsync(redis, limit.Token) is { } named ? $" It is {named}." : "";
            lines.Add(CheckupLine.Ok(Reach, $"{connection.Address} answers in {answered.TotalMilliseconds:0} ms; it took {(address.User is { } user ? $"the user {user}" : address.Password is null ? "no password" : "the password")}.{product}"));
            lines.Add(CheckupLine.Ok("redis tls", address.Tls ? "The connection is encrypted." : "The connection is not encrypted, as its URL says."));
            var rights = new RedisRights(redis, new JobServiceKeys(service.Namespace));
            var missing = await rights.ReadAsync(limit.Token);
            lines.Add(missing);
            lines.Add(await rights.WriteAsync(limit.Token));
            if (missing.Result == CheckupResult.Failed) return (lines, null);
            var clock = await ReadClockAsync(redis, time, limit.Token);
            lines.Add(await EvictionCheckup.RunAsync(redis, limit.Token));
            using var reader = new EvidenceReader(connection, service.Namespace);
            var evidence = await reader.ReadAsync([], Checkup.Limit, limit.Token);
            lines.AddRange(evidence.State switch
            {
                EvidenceState.Usable => Seen(evidence, service.Namespace),
                EvidenceState.Empty => [await EmptyAsync(redis, connection.Address, service.Namespace, limit.Token)],
                _ => [CheckupLine.Failed("job service", evidence.Problem!, "Mend Redis first, then run doctor again.")],
            });
            return (lines, clock);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested
            && error is RedisUnusableException or RedisException or RedisCommandException or TimeoutException or OperationCanceledException or IOException)
        {
            var unusable = RedisUnusableException.Of(error, connection.Address);
            lines.Add(CheckupLine.Failed(Reach, unusable.Reason, unusable.Mend.Length > 0 ? unusable.Mend : $"Check {Setting.Names.RedisUrl}."));
            return (lines, null);
        }
    }

    private static async Task<SeenClock> ReadClockAsync(IDatabase redis, TimeProvider time, CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow();
        var read = (long[])(await redis.ExecuteAsync("TIME").WaitAsync(cancellationToken))!;
        return SeenClock.Between("that of Redis", before, read[0] + (read[1] / 1e6), time.GetUtcNow());
    }

    private static IEnumerable<CheckupLine> Seen(JobServiceEvidence evidence, string ns)
    {
        yield return CheckupLine.Ok("job service", $"{evidence.Address} holds a job service under the namespace {ns}.");
        if (evidence.LeftOut is { } leftOut) yield return CheckupLine.Warning("redis sizes", leftOut, "Remove those keys, or set HARBOR_REDIS_URL to the Redis of the job service alone.");
        if (evidence.LostItsMaster)
            yield return CheckupLine.Failed("replication", "This Redis is a replica without its master: what it shows stands still.", $"Mend the replication, or set {Setting.Names.RedisUrl} to the Redis that the job service writes.");
        var alive = evidence.Pools.Count(pool => pool.IsAliveAt(evidence.Now));
        var newest = evidence.Pools.Max(pool => pool.Heartbeat);
        if (!evidence.IsUp)
        {
            yield return CheckupLine.Failed("worker pools", $"No worker pool has a fresh heartbeat{(newest is { } last ? $"; the newest is of {Words.Time(last)}" : "")}: the job service is down, its clock is wrong, or this Redis is not the one that it writes.",
                $"Start the job service, look at its log, and compare the clocks of its machine and of Redis. If it runs, correct {Setting.Names.RedisUrl}.");
        }
        else if (newest is { } beat && beat - evidence.Now > 5)
        {
            yield return CheckupLine.Warning("worker pools", $"A heartbeat lies {Words.Duration(beat - evidence.Now)} in the future of Redis.", "Synchronise the clocks (NTP) of the job service's and of Redis' machine.");
        }
        else
        {
            yield return CheckupLine.Ok("worker pools", $"{Words.Count(alive, "pool")} alive with {Words.Count(evidence.Workers, "worker")}, {Words.Number(evidence.BusyWorkers)} busy"
                + $"{(evidence.Pools.Count > alive ? $"; {Words.Count(evidence.Pools.Count - alive, "dead pool")}" : "")}.");
        }
        if (evidence.EmptiedUnderPools)
            yield return CheckupLine.Warning("known_jobs", "Job types that a live pool announced are missing: Redis was emptied while the job service ran.", "Restart the job service, and run check: what waited is lost.");
        string[] paused = [.. new[] { (JobType.Scan, evidence.Scans.Paused), (JobType.Sweep, evidence.Sweeps.Paused) }.Where(queue => queue.Item2).Select(queue => queue.Item1)];
        yield return paused.Length == 0
            ? CheckupLine.Ok("queues", $"{Words.Count(evidence.Scans.Length, "job waits", "jobs wait")} in {JobType.Scan}; neither it nor {JobType.Sweep} is paused.")
            : CheckupLine.Warning("queues", $"Paused: {string.Join(", ", paused)}.", "Resume it in Harbor's job service dashboard when what it was paused for is over.");
    }

    private static async Task<CheckupLine> EmptyAsync(IDatabase redis, string address, string ns, CancellationToken cancellationToken)
    {
        const string name = "job service";
        var found = await OtherDatabasesAsync(redis, ns, cancellationToken);
        var reason = $"{address} holds no job service under the namespace {ns}: neither known_jobs nor a fresh heartbeat.";
        if (found.Count == 0)
            return CheckupLine.Failed(name, reason, $"No other database number of this Redis has it. Check that it is Harbor's Redis, and {Setting.Names.RedisNamespace}; after a loss of its data start the job service again.");
        var numbers = string.Join(", ", found);
        return CheckupLine.Failed(name, reason, $"{(found.Count == 1 ? $"Database {numbers} has it" : $"Databases {numbers} have it")}: set {address[..address.LastIndexOf('/')]}/{found[0]}{(found.Count == 1 ? "" : ", or the one of this Harbor")}.");
    }

    private static async Task<IReadOnlyList<int>> OtherDatabasesAsync(IDatabase redis, string ns, CancellationToken cancellationToken)
    {
        // Redis has sixteen databases unless told otherwise.
        const int usual = 16;
        List<int> found = [];
        for (var number = 0; number < usual; number++)
        {
            try
            {
                if (await redis.Multiplexer.GetDatabase(number).KeyExistsAsync(new JobServiceKeys(ns).KnownJobs).WaitAsync(cancellationToken)) found.Add(number);
            }
            catch (RedisException)
            {
                // This server has no such number, or the user may not go there.
            }
        }
        return found;
    }
}
