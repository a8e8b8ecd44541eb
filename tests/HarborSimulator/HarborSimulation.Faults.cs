using HarborSimulator.Jobs;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborSimulator;

/// <summary>What goes wrong, and what people do about it. Each method acts at the simulated moment at which it is called.</summary>
public sealed partial class HarborSimulation
{
    private int _changesOfPools;

    /// <summary>
    /// Redis is emptied, or starts again empty: the queue is gone, and so are core's marks of executions to refresh, which are in the same
    /// instance. A job service that runs a scan dies within eight seconds and starts again as the settings say; one that runs none lives on
    /// and writes its heartbeat within five seconds (harbor-facts 0.2).
    /// </summary>
    public async Task LoseRedisAsync(CancellationToken cancellationToken = default)
    {
        await _jobs.FlushAsync();
        _core.LoseRefreshKeys();
        await CommitAsync(cancellationToken);
    }

    /// <summary>Every trace of one job vanishes: queue, record, tracking, and the worker that ran it.</summary>
    public async Task LoseJobAsync(long taskId, CancellationToken cancellationToken = default)
    {
        await _jobs.LoseAsync(_core.TaskOf(taskId).JobId);
        await CommitAsync(cancellationToken);
    }

    /// <summary>
    /// The record alone is evicted; the item stays in the queue until a worker takes and drops it. When a worker runs it, its process dies
    /// within eight seconds, as it does of an emptied Redis.
    /// </summary>
    public async Task LoseRecordAsync(long taskId, CancellationToken cancellationToken = default)
    {
        await _jobs.ForgetAsync([_core.TaskOf(taskId).JobId]);
        await CommitAsync(cancellationToken);
    }

    /// <summary>Every pool is killed: what it ran, its hook retries and its heartbeats end; its keys stay.</summary>
    public void KillJobService()
    {
        _changesOfPools++;
        _jobs.Kill();
    }

    /// <summary>Every pool gets SIGTERM: its scans end in Error at once, core is told if it answers, and the queue stays.</summary>
    public Task StopJobServiceAsync(CancellationToken cancellationToken = default) => TerminateAsync(int.MaxValue, cancellationToken);

    /// <summary>One of the pools gets SIGTERM and another takes its place, as in a rolling update.</summary>
    public async Task RollPoolAsync(CancellationToken cancellationToken = default)
    {
        await TerminateAsync(1, cancellationToken);
        await StartPoolsAsync(1, cancellationToken);
    }

    /// <summary>A running scan has stored its report, and its process is killed before it says so: whoever runs it again finds the report there.</summary>
    /// <exception cref="InvalidOperationException">No worker runs it.</exception>
    public async Task StoreAndKillAsync(long taskId, CancellationToken cancellationToken = default)
    {
        var task = _core.TaskOf(taskId);
        if (!_jobs.KillPoolOf(task.JobId)) throw new InvalidOperationException($"No worker runs task {taskId}.");
        await _scans.StoreAsync(task, task.VendorType == VendorType.Sbom, cancellationToken);
        await CommitAsync(cancellationToken);
    }

    /// <summary>Starts as many pools as the settings say; pauses kept in the database are set again.</summary>
    public Task StartJobServiceAsync(CancellationToken cancellationToken = default) => StartPoolsAsync(Settings.Pools, cancellationToken);

    /// <summary>One of the pools is killed and another takes its place.</summary>
    public async Task ReplacePoolAsync(CancellationToken cancellationToken = default)
    {
        _jobs.Kill(1);
        await StartPoolsAsync(1, cancellationToken);
    }

    /// <summary>The heartbeats of dead pools are evicted: what they had in progress is not requeued.</summary>
    public async Task LoseDeadHeartbeatsAsync(CancellationToken cancellationToken = default)
    {
        await _jobs.LoseDeadHeartbeatsAsync();
        await CommitAsync(cancellationToken);
    }

    private async Task TerminateAsync(int pools, CancellationToken cancellationToken)
    {
        _changesOfPools++;
        await _jobs.TerminateAsync(pools, cancellationToken);
        await CommitAsync(cancellationToken);
    }

    /// <summary>What died by itself is started again, unless somebody stopped or killed the job service meanwhile.</summary>
    private void PlanRestart()
    {
        var changes = _changesOfPools;
        _timeline.In(Settings.RestartAfter, token => changes == _changesOfPools ? StartPoolsAsync(1, token) : Task.CompletedTask);
    }

    private async Task StartPoolsAsync(int pools, CancellationToken cancellationToken)
    {
        for (var i = 0; i < pools; i++) await _jobs.StartPoolAsync();
        if (Release.CanStopQueues)
        {
            foreach (var type in await _sql.QueryAsync("select job_type from job_queue_status where paused order by 1", row => row.GetString(0), cancellationToken))
                await _jobs.PauseAsync(type);
        }
        await CommitAsync(cancellationToken);
    }

    /// <summary>Core is down: no request and no hook is answered, an enumeration of scan-all is over for good, and a job that starts ends in Error at once.</summary>
    public void StopCore() => _core.Die();

    public void StartCore() => _core.IsDown = false;

    /// <summary>Core dies and is back at once: only a scan-all that was being enumerated suffers.</summary>
    public void RestartCore()
    {
        StopCore();
        StartCore();
    }

    /// <summary>Core's own Redis is emptied: executions marked for the next refresh are not refreshed. (2.8 and later)</summary>
    public void LoseRefreshKeys() => _core.LoseRefreshKeys();

    /// <summary>The refresh that would make this execution final gets lost: it stays Running.</summary>
    public void LoseRefresh(long executionId) => _core.LoseRefreshOf(executionId);

    /// <summary>Whether each refresh that would make an execution final gets lost.</summary>
    public void LoseRefreshes(bool lose) => _core.LoseRefreshes(lose);

    /// <summary>The final hook of this task's job and its five minutes of retries get lost; the reaper can still tell.</summary>
    public void LoseFinalHook(long taskId) => _jobs.LoseFinalHookOf(_core.TaskOf(taskId).JobId);

    /// <summary>
    /// A running job ends, its hook never arrives and its record expires: the row stays Running for good. Its reports are stored unless told otherwise.
    /// </summary>
    /// <exception cref="InvalidOperationException">No worker runs it.</exception>
    public async Task FinishWithoutTellingAsync(long taskId, bool stored = true, CancellationToken cancellationToken = default)
    {
        var task = _core.TaskOf(taskId);
        if (!await _jobs.EndSilentlyAsync(task.JobId)) throw new InvalidOperationException($"No worker runs task {taskId}.");
        if (stored) await _scans.StoreAsync(task, task.VendorType == VendorType.Sbom, cancellationToken);
        await _jobs.ForgetAsync([task.JobId]);
        await CommitAsync(cancellationToken);
    }

    /// <summary>The scanner of a running scan never answers.</summary>
    /// <exception cref="InvalidOperationException">No worker runs it.</exception>
    public void Hang(long taskId)
    {
        if (!_jobs.Hang(_core.TaskOf(taskId).JobId)) throw new InvalidOperationException($"No worker runs task {taskId}.");
    }

    /// <summary>Whether a live worker runs this task's job now.</summary>
    public bool IsRunning(long taskId) => _jobs.RunOf(_core.TaskOf(taskId).JobId) is not null;

    /// <summary>The next scans that start will hang.</summary>
    public void HangNext(int scans) => _scans.HangNext(scans);

    /// <summary>Workers take the next jobs before their records are written, and drop them.</summary>
    public void PickNextBeforeSaved(int jobs) => _jobs.DropBeforeSave(jobs);

    /// <summary>The dashboard's stop of a whole queue.</summary>
    /// <returns>How many jobs were in it.</returns>
    /// <exception cref="NotSupportedException">Before 2.7.</exception>
    public async Task<int> StopQueueAsync(string jobType = "IMAGE_SCAN", CancellationToken cancellationToken = default)
    {
        RequireQueues();
        var jobs = await _jobs.EmptyQueueAsync(jobType, Release.QueueStopRemovesRecords);
        await _core.MarkStoppedAsync(jobType, jobs, cancellationToken);
        await CommitAsync(cancellationToken);
        return jobs.Count;
    }

    /// <summary>The dashboard's pause of a queue.</summary>
    /// <exception cref="NotSupportedException">Before 2.7.</exception>
    public async Task PauseQueueAsync(string jobType = "IMAGE_SCAN", CancellationToken cancellationToken = default)
    {
        RequireQueues();
        await _jobs.PauseAsync(jobType);
        await NotePauseAsync(jobType, true, cancellationToken);
    }

    /// <summary>The dashboard's resume of a queue.</summary>
    /// <exception cref="NotSupportedException">Before 2.7.</exception>
    public async Task ResumeQueueAsync(string jobType = "IMAGE_SCAN", CancellationToken cancellationToken = default)
    {
        RequireQueues();
        await _jobs.ResumeAsync(jobType);
        await NotePauseAsync(jobType, false, cancellationToken);
    }

    /// <summary>Read-only mode: hooks of tasks get 403 until it is switched off.</summary>
    public async Task SetReadOnlyAsync(bool readOnly, CancellationToken cancellationToken = default)
    {
        _core.IsReadOnly = readOnly;
        await _sql.AddAsync("update properties set v = $1 where k = 'read_only'", cancellationToken, readOnly ? "true" : "false");
        await CommitAsync(cancellationToken);
    }

    /// <summary>
    /// Stops one job as the API does: known and open -> Stopped with a hook; final in Redis -> nothing; unknown -> the row becomes Stopped and its robot stays.
    /// </summary>
    public async Task StopTaskAsync(long taskId, CancellationToken cancellationToken = default)
    {
        var task = _core.TaskOf(taskId);
        if (!await _jobs.StopAsync(task.JobId, cancellationToken)) await _core.StopUnknownAsync(task, cancellationToken);
        await CommitAsync(cancellationToken);
    }

    /// <summary>Stops the newest scan-all as the API does: no more enumeration from 2.9 on, every open task one by one.</summary>
    public async Task StopScanAllAsync(CancellationToken cancellationToken = default)
    {
        if (!Release.CanStopScans) throw new NotSupportedException("Stopping came with 2.4.0.");
        var newest = await _sql.QueryAsync("select id from execution where vendor_type = 'SCAN_ALL' order by start_time desc, id desc limit 1", row => row.GetInt32(0), cancellationToken);
        if (newest is not [var execution]) return;
        _scans.StopEnumerating(execution);
        var open = await _sql.QueryAsync(
            "select id from task where execution_id = $1 and status in ('Pending', 'Scheduled', 'Running') order by id", row => row.GetInt32(0), cancellationToken, execution);
        foreach (var task in open) await StopTaskAsync(task, cancellationToken);
        await _sql.AddAsync("""
            update execution e set status = 'Stopped', revision = revision + 1, update_time = $2, end_time = $2
            where id = $1 and status = 'Running' and not exists (select 1 from task t where t.execution_id = e.id)
            """, cancellationToken, (long)execution, _timeline.Micro);
        await CommitAsync(cancellationToken);
    }

    /// <summary>
    /// The well-known manual fix: status Error on every task of an IMAGE_SCAN execution that is Running (codes and times stay), then deletion of
    /// the IMAGE_SCAN executions in Error without a Running task.
    /// </summary>
    /// <returns>How many tasks were changed, and how many executions were deleted: null when the deletion failed on the foreign key.</returns>
    public async Task<(int Tasks, int? Executions)> RunManualFixAsync(CancellationToken cancellationToken = default)
    {
        var tasks = await _sql.ExecuteAsync("""
            update task set status = 'Error' where execution_id in (
                select id from execution where vendor_type = 'IMAGE_SCAN' and status in ('Running', 'Pending'))
            """, cancellationToken);
        try
        {
            var executions = await _sql.ExecuteAsync("""
                delete from execution where vendor_type = 'IMAGE_SCAN' and status = 'Error' and id not in (
                    select execution_id from task where status = 'Running')
                """, cancellationToken);
            return (tasks, executions);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return (tasks, null);
        }
    }

    /// <summary>Somebody sets the status word of an execution by hand, and nothing else.</summary>
    public async Task SetExecutionStatusAsync(long executionId, string status, CancellationToken cancellationToken = default)
    {
        await _sql.AddAsync("update execution set status = $2 where id = $1", cancellationToken, executionId, status);
        await CommitAsync(cancellationToken);
    }

    /// <summary>Somebody deletes the row of a task; its job, if it still runs, will be refused with 404 for ever.</summary>
    public async Task DeleteTaskAsync(long taskId, CancellationToken cancellationToken = default)
    {
        await _sql.AddAsync("delete from task where id = $1", cancellationToken, taskId);
        _core.Forget(taskId);
        await CommitAsync(cancellationToken);
    }

    /// <summary>The dangling fixer alone: executions Running for longer than its limit and without a Running task become final.</summary>
    public async Task<int> FixDanglingAsync(CancellationToken cancellationToken = default) => await _sweeper.FixDanglingAsync(cancellationToken);

    /// <summary>A whole EXECUTION_SWEEP now, without its own rows.</summary>
    public async Task<SweepResult> SweepAsync(CancellationToken cancellationToken = default)
    {
        if (!Release.SweepsByJob) throw new NotSupportedException("EXECUTION_SWEEP came with 2.8.0.");
        LastSweep = await _sweeper.SweepAsync(cancellationToken);
        await CommitAsync(cancellationToken);
        return LastSweep;
    }

    /// <summary>Starts a job of another vendor type, such as REPLICATION, that succeeds after that time.</summary>
    /// <returns>Its execution.</returns>
    public async Task<long> StartOtherJobAsync(string vendorType, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        var execution = await StartJobAsync(vendorType, 1, "MANUAL", duration, cancellationToken);
        await CommitAsync(cancellationToken);
        return execution;
    }

    private async Task NotePauseAsync(string jobType, bool paused, CancellationToken cancellationToken)
    {
        await _sql.AddAsync("""
            insert into job_queue_status (job_type, paused, update_time) values ($1, $2, $3 at time zone 'UTC')
            on conflict (job_type) do update set paused = excluded.paused, update_time = excluded.update_time
            """, cancellationToken, jobType, paused, _timeline.Micro);
        await CommitAsync(cancellationToken);
    }

    private void RequireQueues()
    {
        if (!Release.CanStopQueues) throw new NotSupportedException("Queues can be stopped and paused from 2.7.0 on.");
    }
}
