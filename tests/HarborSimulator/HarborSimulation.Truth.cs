using System.Globalization;
using HarborSimulator.Jobs;

namespace HarborSimulator;

/// <summary>What the simulation knows about its open scans.</summary>
public sealed partial class HarborSimulation
{
    /// <summary>One truth for every scan task whose row is open now, by task id. It reads the rows and the keys and changes nothing.</summary>
    public async Task<IReadOnlyList<ScanTruth>> TruthAsync(CancellationToken cancellationToken = default)
    {
        var rows = await _sql.QueryAsync("""
            select id, vendor_type, status, status_code, status_revision, coalesce(job_id, '') from task
            where vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM') and status in ('Pending', 'Scheduled', 'Running') order by id
            """, row => new OpenRow(row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.IsDBNull(4) ? null : row.GetInt64(4), row.GetString(5)), cancellationToken);
        if (rows.Count == 0) return [];
        var queued = (await _jobs.Keys.ListAsync(JobKeys.Queue(VendorType.ImageScan))).Select(JobService.IdOf).ToHashSet(StringComparer.Ordinal);
        var paused = await _jobs.Keys.ExistsAsync(JobKeys.Paused(VendorType.ImageScan));
        var stranded = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var pool in _jobs.Pools.Where(pool => !pool.IsAlive))
        {
            // A pool with its heartbeat is emptied by the next look of a living one; one that only its lock names, by the next start of one.
            var found = (await _jobs.Keys.HashAsync(JobKeys.Pool(pool.Id))).Count > 0
                || (_jobs.LooksForUnknownPools
                    && !(await _jobs.Keys.SetMembersAsync(JobKeys.Pools)).Contains(pool.Id)
                    && (await _jobs.Keys.HashAsync(JobKeys.LockInfo(VendorType.ImageScan))).GetValueOrDefault(pool.Id, "0") is not ("0" or ""));
            foreach (var item in await _jobs.Keys.ListAsync(JobKeys.InProgress(VendorType.ImageScan, pool.Id))) stranded[JobService.IdOf(item)] = found;
        }
        List<ScanTruth> truths = [];
        foreach (var row in rows) truths.Add(await JudgeAsync(row, queued, paused, stranded));
        return truths;
    }

    private async Task<ScanTruth> JudgeAsync(OpenRow row, HashSet<string> queued, bool paused, Dictionary<string, bool> stranded)
    {
        ScanTruth Truth(ScanFate fate, bool ends, DateTime? healsAt, string why) => new(row.Id, row.VendorType, row.Status, fate, ends, Utc(healsAt), why)
        {
            RunsSince = Utc(_jobs.RunOf(row.JobId)?.StartedAt),
            IsStored = _core.TaskOf(row.JobId)?.IsStored == true,
        };

        static DateTime? Utc(DateTime? time) => time is { } known ? DateTime.SpecifyKind(known, DateTimeKind.Utc) : null;

        var stats = await _jobs.Keys.HashAsync(JobKeys.Stats(row.JobId));
        var known = stats.ContainsKey("id");
        var status = stats.GetValueOrDefault("status", "");
        var revision = long.TryParse(stats.GetValueOrDefault("revision"), CultureInfo.InvariantCulture, out var number) ? number : 0;
        var tooOld = known && long.TryParse(stats.GetValueOrDefault("update_time"), CultureInfo.InvariantCulture, out var updated)
            ? EndOfPatience(updated, stats, revision, status) : null;

        if (_jobs.RunOf(row.JobId) is { } run)
        {
            if (!Accepts(row, run.Revision)) return Truth(ScanFate.Running, false, null, "a worker runs it, but the row's fence will ignore its end");
            if (JobService.DeathOf(run.Pool) is { } dies && !(run.EndsAt < dies))
            {
                return known
                    ? Truth(ScanFate.Running, true, null, "a worker runs it whose process dies of another scan's lost record; it will be run again")
                    : Truth(ScanFate.Lost, false, null, "a worker runs it, and its process dies of the lost record");
            }
            if (run.EndsAt is { } end) return Truth(ScanFate.Running, true, end, "a live worker runs it");
            return known && !HarborStatus.IsFinal(status)
                ? Truth(ScanFate.Hung, true, tooOld, "its scanner never answers; the reaper ends the row when it is too old")
                : Truth(ScanFate.Hung, false, null, "its scanner never answers and the job service has no open record of it");
        }
        if (_jobs.WillTellEndOf(row.JobId) && !_core.IsDown && !_core.IsReadOnly && row.Revision is not null)
            return Truth(ScanFate.Unreported, true, null, "its job is over, and the job service is still trying to tell core");
        if (queued.Contains(row.JobId))
        {
            if (!known) return Truth(ScanFate.Lost, false, null, "it is in the queue, but its record is gone: the worker will drop it");
            if (status is HarborStatus.Stopped or HarborStatus.Success) return await FinishedAsync();
            var fate = paused ? ScanFate.Paused : row.Status == HarborStatus.Running ? ScanFate.Requeued : ScanFate.Queued;
            return Truth(fate, true, HarborStatus.IsFinal(status) ? null : tooOld, "it is in the queue");
        }
        if (stranded.TryGetValue(row.JobId, out var found) && known && !HarborStatus.IsFinal(status))
        {
            return found
                ? Truth(ScanFate.Requeued, true, null, "its pool is dead; the next look of a living job service puts it back into the queue")
                : Truth(ScanFate.NotQueued, true, tooOld, "its pool is dead and forgotten; only the reaper will end the row");
        }
        if (!known) return await GoneAsync();
        if (HarborStatus.IsFinal(status)) return await FinishedAsync();
        return Truth(ScanFate.NotQueued, Accepts(row, revision), tooOld, "it has a record, but no list and no worker holds it");

        Task<ScanTruth> GoneAsync()
        {
            return Task.FromResult(_core.TaskOf(row.JobId)?.IsStored == true
                ? Truth(ScanFate.Unreported, false, null, "its work is done and nobody will tell the row")
                : Truth(ScanFate.Lost, false, null, "nothing knows it any more"));
        }

        async Task<ScanTruth> FinishedAsync()
        {
            var ack = JobService.OrderOfAck(stats);
            var told = ack is { } order && order.CompareTo((revision, HarborStatus.CodeOf(status))) >= 0;
            var tracked = (await _jobs.Keys.HashAsync(JobKeys.Tracked)).ContainsKey(row.JobId);
            if (told || !tracked || !Accepts(row, revision)) return Truth(ScanFate.Unreported, false, null, "its job is final and core will not hear of it again");
            var again = _jobs.ReapAfter(_timeline.Now);
            var life = TimeSpan.FromDays(status == HarborStatus.Error ? 7 : 1);
            var expires = Timeline.OfUnix(long.Parse(stats.GetValueOrDefault("update_time", "0"), CultureInfo.InvariantCulture)) + life;
            return again > expires
                ? Truth(ScanFate.Unreported, false, null, "its record expires before the next reaping")
                : Truth(ScanFate.Unreported, true, again, "its job is final; the reaper will tell core");
        }
    }

    /// <summary>When the reaper will end an open record: the first reaping after its time is up at which it is also acknowledged.</summary>
    private DateTime? EndOfPatience(long updated, Dictionary<string, string> stats, long revision, string status)
    {
        var limit = Timeline.OfUnix(updated) + Settings.MaxJobDuration + TimeSpan.FromSeconds(1);
        if (_jobs.ReapAfter(limit > _timeline.Now ? limit : _timeline.Now) is not { } tick) return null;
        var acknowledged = JobService.OrderOfAck(stats) is { } order && order.CompareTo((revision, HarborStatus.CodeOf(status))) >= 0;
        var nextTick = _jobs.ReapAfter(_timeline.Now);
        return !acknowledged && tick == nextTick ? tick + TimeSpan.FromHours(1) : tick;
    }

    private static bool Accepts(OpenRow row, long revision) => row.Revision is { } stored && (stored < revision || (stored == revision && row.Code < 3));

    private sealed record OpenRow(long Id, string VendorType, string Status, int Code, long? Revision, string JobId);
}
