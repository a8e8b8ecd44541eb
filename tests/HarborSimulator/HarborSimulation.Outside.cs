using System.Globalization;
using HarborSimulator.Jobs;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborSimulator;

/// <summary>What befalls the tables execution and task as a whole: transactions that stay open, copies that are restored, a failover.</summary>
public sealed partial class HarborSimulation
{
    private const string Copy = "harbor_simulator_copy";

    /// <summary>Core begins a scan and does not come to its commit: until then the rows have ids and nobody sees them.</summary>
    public async Task<OpenScan> BeginScanAsync(HarborArtifact artifact, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        var connection = await _sql.OpenAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var attributes = string.Create(CultureInfo.InvariantCulture, $$"""{"artifact_id":{{artifact.Id}},"report_uuids":["{{_core.NewUuid()}}"],"robot_id":0}""");
            var jobId = _core.NewJobId();
            var execution = await InsertAsync("""
                insert into execution (vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, revision, update_time)
                values ('IMAGE_SCAN', $1, 'Running', '', 'MANUAL', '{}', $2, 0, $2) returning id
                """, Release.VendorIdIsArtifact ? artifact.Id : _registry.ScannerId, _timeline.Micro);
            var task = await InsertAsync("""
                insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, update_time, vendor_type)
                values ($1, $2, 'Pending', 0, 0, '', 0, $3::text::json, $4, $4, 'IMAGE_SCAN') returning id
                """, execution, jobId, attributes, _timeline.Micro);
            // What comes from here on gets higher ids, not those taken from the sequences before.
            _sql.ForgetIds();
            return new OpenScan(connection, transaction, new HarborTask { Id = task, ExecutionId = execution, VendorType = VendorType.ImageScan, JobId = jobId }, StartedAsync);

            async Task<long> InsertAsync(string sql, params object[] values)
            {
                await using var command = new NpgsqlCommand(sql, connection, transaction);
                foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
                return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
            }
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }

        async Task StartedAsync(HarborTask task)
        {
            _core.Adopt(task);
            _core.Count($"{task.VendorType} Pending");
            await _jobs.SubmitAsync(task.JobId, "{}", new Work(VendorType.ImageScan, task.Id, () => Settings.MeanScan, _ => Task.FromResult(HarborStatus.Success)));
            await CommitAsync(CancellationToken.None);
        }
    }

    /// <summary>Somebody deletes an execution and its tasks.</summary>
    public async Task DeleteExecutionAsync(long executionId, CancellationToken cancellationToken = default)
    {
        foreach (var task in await _sql.QueryAsync("delete from task where execution_id = $1 returning id", row => row.GetInt32(0), cancellationToken, executionId)) _core.Forget(task);
        await _sql.AddAsync("delete from execution where id = $1", cancellationToken, executionId);
        await CommitAsync(cancellationToken);
    }

    /// <summary>Keeps a copy of the tables execution and task and of their sequences, instead of an earlier one.</summary>
    public async Task BackUpAsync(CancellationToken cancellationToken = default) => await _sql.ExecuteAsync($"""
        drop schema if exists {Copy} cascade;
        create schema {Copy};
        create table {Copy}.execution as table execution;
        create table {Copy}.task as table task;
        create table {Copy}.sequence as
            select 'execution_id_seq' as name, last_value, is_called from execution_id_seq union all select 'task_id_seq', last_value, is_called from task_id_seq;
        """, cancellationToken);

    /// <summary>The tables and their sequences become again what they were at <see cref="BackUpAsync"/>, while the job service goes on. Core is started anew.</summary>
    public async Task RestoreAsync(CancellationToken cancellationToken = default)
    {
        await _sql.ExecuteAsync($"""
            truncate task, execution;
            insert into execution select * from {Copy}.execution;
            insert into task select * from {Copy}.task;
            select setval(name::regclass, last_value, is_called) from {Copy}.sequence;
            """, cancellationToken);
        await FollowTablesAsync(cancellationToken);
    }

    /// <summary>
    /// The database fails over to a server that lost what was written since a moment: newer rows are gone and their ids will be given to
    /// others, and what ended since then runs again. Core is started anew.
    /// </summary>
    public async Task FailOverAsync(TimeSpan lost, CancellationToken cancellationToken = default)
    {
        var since = _timeline.Micro - lost;
        await _sql.ExecuteAsync("delete from task t using execution e where e.id = t.execution_id and (t.creation_time >= $1 or e.start_time >= $1)", cancellationToken, since);
        await _sql.ExecuteAsync("delete from execution where start_time >= $1", cancellationToken, since);
        await _sql.ExecuteAsync("""
            update task set status = 'Running', status_code = 2, update_time = date_trunc('second', $1), end_time = timestamp '0001-01-01 00:00:00'
            where update_time >= $1 and status_code = 3 and status in ('Success', 'Error') and vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            """, cancellationToken, since);
        await _sql.ExecuteAsync("""
            update execution set status = 'Running', end_time = null
            where update_time >= $1 and status in ('Success', 'Error') and vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            """, cancellationToken, since);
        await _sql.ExecuteAsync("""
            select setval('execution_id_seq', coalesce(max(id), 1), max(id) is not null) from execution;
            select setval('task_id_seq', coalesce(max(id), 1), max(id) is not null) from task;
            """, cancellationToken);
        await FollowTablesAsync(cancellationToken);
    }

    /// <summary>Makes what is known in memory that of the rows that are there now.</summary>
    private async Task FollowTablesAsync(CancellationToken cancellationToken)
    {
        // A walk over the artifacts would add tasks to an execution that may be gone.
        RestartCore();
        _sql.ForgetIds();
        var rows = (await _sql.QueryAsync("select id, execution_id, vendor_type, coalesce(job_id, '') from task order by id",
            row => new HarborTask { Id = row.GetInt32(0), ExecutionId = row.GetInt32(1), VendorType = row.GetString(2), JobId = row.GetString(3) }, cancellationToken)).ToDictionary(row => row.Id);
        foreach (var gone in _core.Tasks.Where(task => rows.GetValueOrDefault(task.Id)?.JobId != task.JobId).ToList()) _core.Forget(gone.Id);
        var known = _core.Tasks.Select(task => task.Id).ToHashSet();
        foreach (var row in rows.Values.Where(row => !known.Contains(row.Id))) _core.Adopt(row);
        await CommitAsync(cancellationToken);
    }
}
