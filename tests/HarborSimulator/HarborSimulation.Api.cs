using System.Globalization;
using HarborSimulator.Jobs;

namespace HarborSimulator;

/// <summary>What Harbor's API lets a user do, beyond what the faults already offer.</summary>
public sealed partial class HarborSimulation
{
    /// <summary>Whether core answers requests.</summary>
    public bool IsCoreUp => !_core.IsDown;

    /// <summary>Whether core refuses every change.</summary>
    public bool IsReadOnly => _core.IsReadOnly;

    /// <summary>Whether a worker pool lives.</summary>
    public bool IsJobServiceUp => _jobs.IsUp;

    /// <summary>Ids of the living worker pools.</summary>
    public IReadOnlyList<string> LivePools => [.. _jobs.Pools.Where(pool => pool.IsAlive).Select(pool => pool.Id)];

    /// <summary>The artifact of a repository (with its project) and a digest or tag; null when there is none.</summary>
    public HarborArtifact? FindArtifact(string repository, string reference) => _registry.Find(repository, reference);

    /// <summary>
    /// Stops a job by its id. Nothing happens when no task has it; a task whose job the job service does not know becomes Stopped, whatever it was.
    /// </summary>
    /// <returns>False when more than one task has this job, which Harbor gives up.</returns>
    /// <exception cref="InvalidOperationException">No job service answers.</exception>
    public async Task<bool> StopJobAsync(string jobId, CancellationToken cancellationToken = default)
    {
        var rows = await _sql.QueryAsync("select id, execution_id, vendor_type from task where job_id = $1",
            row => (Id: row.GetInt64(0), Execution: row.GetInt64(1), Vendor: row.GetString(2)), cancellationToken, jobId);
        if (rows.Count > 1) return false;
        if (rows is not [var found]) return true;
        if (!_jobs.IsUp) throw new InvalidOperationException("No job service answers.");
        _ = _core.TaskOf(jobId) ?? _core.Adopt(new HarborTask { Id = found.Id, ExecutionId = found.Execution, VendorType = found.Vendor, JobId = jobId });
        await StopTaskAsync(found.Id, cancellationToken);
        return true;
    }

    /// <summary>Stops every job that a worker runs: what the API does for the word all.</summary>
    public async Task StopRunningJobsAsync(CancellationToken cancellationToken = default)
    {
        foreach (var jobId in _jobs.Pools.Where(pool => pool.IsAlive).SelectMany(pool => pool.Busy.Values).OfType<Run>().Select(run => run.JobId).ToList())
            await StopJobAsync(jobId, cancellationToken);
    }

    /// <summary>Deletes a robot and its permissions.</summary>
    /// <returns>False when there is none.</returns>
    public async Task<bool> DeleteRobotAsync(long robotId, CancellationToken cancellationToken = default)
    {
        if ((await _sql.QueryAsync("select 1 from robot where id = $1", row => row.GetInt32(0), cancellationToken, robotId)).Count == 0) return false;
        foreach (var task in _core.Tasks.Where(task => task.RobotId == robotId)) task.RobotIsGone = true;
        await _sql.AddAsync("delete from role_permission where role_type = 'robotaccount' and role_id = $1", cancellationToken, robotId);
        await _sql.AddAsync("delete from robot where id = $1", cancellationToken, robotId);
        await CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Whether a scan-all was ever started.</summary>
    public async Task<bool> HasScanAllAsync(CancellationToken cancellationToken = default) =>
        (await _sql.QueryAsync("select 1 from execution where vendor_type = 'SCAN_ALL' limit 1", row => row.GetInt32(0), cancellationToken)).Count > 0;

    /// <summary>Why nothing can be scanned, in Harbor's words: no default scanner, or one that is off. Null when it can.</summary>
    public async Task<string?> ScannerRefusalAsync(CancellationToken cancellationToken = default) =>
        await _sql.QueryAsync("select name, coalesce(disabled, false) from scanner_registration where is_default limit 1",
            row => (Name: row.GetString(0), IsOff: row.GetBoolean(1)), cancellationToken) switch
        {
            [] => "no scanner is configured, it's not possible to scan",
            [{ IsOff: true } scanner] => $"scanner {scanner.Name} is deactivated",
            _ => null,
        };

    /// <summary>Why this artifact cannot be scanned, in Harbor's words; null when it can.</summary>
    public async Task<string?> ScanRefusalAsync(HarborArtifact artifact, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        var type = await _sql.QueryAsync("select type from artifact where id = $1", row => row.GetString(0), cancellationToken, artifact.Id);
        return type is ["IMAGE"] ? null : string.Create(CultureInfo.InvariantCulture,
            $"the configured scanner {Core.Registry.ScannerName} does not support scanning artifact with mime type {(type is [var other] ? other : "unknown")}");
    }
}
