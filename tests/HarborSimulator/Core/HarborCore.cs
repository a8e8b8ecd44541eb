using System.Globalization;
using System.Text.Json;
using HarborSimulator.Schema;
using HarborSimulator.Storage;

namespace HarborSimulator.Core;

/// <summary>Harbor's core as its rows show it: executions, tasks, the fenced status update and the execution's status.</summary>
internal sealed class HarborCore(SqlBatch sql, Timeline timeline, Random random, HarborRelease release)
{
    /// <summary>
    /// The hook's fence: accepted when the stored revision is older, or equal with a lower code. A NULL revision accepts nothing.
    /// A newer revision is a new run: it counts and starts at the revision's second.
    /// </summary>
    private const string FencedUpdateSql = """
        update task set
            run_count = case when status_revision < $3 then run_count + 1 else run_count end,
            start_time = case when status_revision < $3 then to_timestamp($3::bigint) at time zone 'UTC' else start_time end,
            status = $1::text, status_code = $2, status_revision = $3, update_time = $4,
            end_time = case when $2 = 3 then $4 else timestamp '0001-01-01 00:00:00' end
        where job_id = $5::text and (status_revision < $3 or (status_revision = $3 and status_code < $2))
        """;

    private const string RefreshSql = """
        update execution e set
            status = d.status, revision = e.revision + 1, update_time = $2,
            end_time = case when d.status = 'Running' then null else d.end_time end
        from (
            select case
                    when bool_or(status in ('Pending', 'Scheduled', 'Running')) then 'Running'
                    when bool_or(status = 'Error') then 'Error'
                    when bool_or(status = 'Stopped') then 'Stopped'
                    when bool_or(status = 'Success') then 'Success'
                end as status, max(end_time) as end_time
            from task where execution_id = $1) d
        where e.id = $1 and d.status is not null and e.revision is not null
        """;

    private const string InsertExecutionSql = """
        insert into execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, revision, update_time)
        values ($1, $2, $3, 'Running', '', $4, $5::text::json, $6, 0, $6)
        """;

    private const string InsertTaskSql = """
        insert into task (id, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, update_time, vendor_type)
        values ($1, $2, $3, 'Pending', 0, 0, '', 0, $4::text::json, $5, $5, $6)
        """;

    private readonly Dictionary<long, HarborTask> _byId = [];
    private readonly Dictionary<string, HarborTask> _byJob = new(StringComparer.Ordinal);
    private readonly SortedSet<long> _outdated = [];
    private readonly HashSet<long> _refreshesToLose = [];
    private bool _losesRefreshes;

    /// <summary>A core that does not answer: hooks fail, nothing is created.</summary>
    public bool IsDown { get; set; }

    /// <summary>Read-only mode: core answers 403 to the hooks of tasks.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>How often each kind of thing has happened, in words for a person.</summary>
    public SortedDictionary<string, long> Happened { get; } = new(StringComparer.Ordinal);

    public void Count(string kind) => Happened[kind] = Happened.GetValueOrDefault(kind) + 1;

    /// <summary>Grows when core dies: an enumeration of an older core is over.</summary>
    public int Generation { get; private set; }

    public HarborTask? TaskOf(string jobId) => _byJob.GetValueOrDefault(jobId);

    public HarborTask TaskOf(long taskId) =>
        _byId.GetValueOrDefault(taskId) ?? throw new ArgumentOutOfRangeException(nameof(taskId), taskId, "The simulation did not create this task, or it was swept.");

    public IEnumerable<HarborTask> Tasks => _byId.Values;

    /// <summary>Takes a row that was written from outside for one of its own, so that its hooks find it.</summary>
    public HarborTask Adopt(HarborTask task)
    {
        _byId[task.Id] = task;
        _byJob[task.JobId] = task;
        return task;
    }

    public void Forget(long taskId)
    {
        if (_byId.Remove(taskId, out var task)) _byJob.Remove(task.JobId);
    }

    /// <summary>Harbor's clock between two things that it does one after the other.</summary>
    public string NewJobId() => Hex(24);

    public string Hex(int length)
    {
        Span<char> digits = stackalloc char[length];
        for (var i = 0; i < length; i++) digits[i] = "0123456789abcdef"[random.Next(16)];
        return new string(digits);
    }

    public string NewUuid() => string.Create(CultureInfo.InvariantCulture, $"{Hex(8)}-{Hex(4)}-4{Hex(3)}-a{Hex(3)}-{Hex(12)}");

    public async Task<long> CreateExecutionAsync(string vendorType, long vendorId, string trigger, string attributes, CancellationToken cancellationToken)
    {
        var id = await sql.NextIdAsync("execution_id_seq", cancellationToken);
        await sql.AddAsync(InsertExecutionSql, cancellationToken, id, vendorType, vendorId, trigger, attributes, timeline.Micro);
        if (!release.SweepsByJob && release.RetentionOf(vendorType) is { } kept) await SweepAtOnceAsync(vendorType, vendorId, kept, cancellationToken);
        return id;
    }

    public async Task<HarborTask> CreateTaskAsync(long executionId, string vendorType, string jobId, string attributes, HarborTask? with, CancellationToken cancellationToken)
    {
        var task = new HarborTask
        {
            Id = await sql.NextIdAsync("task_id_seq", cancellationToken),
            ExecutionId = executionId,
            VendorType = vendorType,
            JobId = jobId,
            Artifact = with?.Artifact,
            RobotId = with?.RobotId,
            Reports = with?.Reports ?? [],
        };
        if (vendorType != VendorType.Scheduler) Count($"{vendorType} Pending");
        _byId.Add(task.Id, task);
        _byJob.Add(jobId, task);
        await sql.AddAsync(InsertTaskSql, cancellationToken, task.Id, executionId, jobId, attributes, timeline.Micro, vendorType);
        return task;
    }

    /// <summary>
    /// A status hook of the job service; true when core answered 200. The robot's deletion and the refresh follow even when the fence ignored the update.
    /// </summary>
    public async Task<bool> HookAsync(string jobId, string status, long revision, CancellationToken cancellationToken)
    {
        if (IsDown || IsReadOnly || TaskOf(jobId) is not { } task)
        {
            Count("hook refused");
            return false;
        }
        if (task.VendorType != VendorType.Scheduler) Count($"{task.VendorType} {status}");
        await sql.AddAsync(FencedUpdateSql, cancellationToken, status, HarborStatus.CodeOf(status), revision, timeline.Second, jobId);
        if (HarborStatus.IsFinal(status) && VendorType.IsScan(task.VendorType) && (task.VendorType != VendorType.Sbom || release.DeletesSbomRobots))
            await DeleteRobotAsync(task, cancellationToken);
        if (release.RefreshesLater && status != HarborStatus.Stopped) _outdated.Add(task.ExecutionId);
        else await RefreshUnlessLostAsync(task.ExecutionId, cancellationToken);
        return true;
    }

    /// <summary>Derives the execution's status from its tasks: open before Error before Stopped before Success; without tasks nothing changes.</summary>
    public ValueTask RefreshAsync(long executionId, CancellationToken cancellationToken) =>
        sql.AddAsync(RefreshSql, cancellationToken, executionId, timeline.Second);

    /// <summary>The loop of 2.8 and later: refreshes every execution that a hook marked.</summary>
    public async Task RefreshOutdatedAsync(CancellationToken cancellationToken)
    {
        if (IsDown || _outdated.Count == 0) return;
        long[] marked = [.. _outdated];
        _outdated.Clear();
        foreach (var executionId in marked) await RefreshUnlessLostAsync(executionId, cancellationToken);
    }

    /// <summary>The refresh after which every task of this execution is final gets lost, so that the execution stays Running.</summary>
    public void LoseRefreshOf(long executionId) => _refreshesToLose.Add(executionId);

    /// <summary>From now on every such refresh gets lost.</summary>
    public void LoseRefreshes(bool lose) => _losesRefreshes = lose;

    /// <summary>Core's own Redis is emptied: marked executions are forgotten.</summary>
    public void LoseRefreshKeys() => _outdated.Clear();

    public void Die()
    {
        Generation++;
        IsDown = true;
    }

    public async Task DeleteRobotAsync(HarborTask task, CancellationToken cancellationToken)
    {
        if (task.RobotId is not { } robot || task.RobotIsGone) return;
        task.RobotIsGone = true;
        await sql.AddAsync("delete from role_permission where role_type = 'robotaccount' and role_id = $1", cancellationToken, robot);
        await sql.AddAsync("delete from robot where id = $1", cancellationToken, robot);
    }

    /// <summary>Harbor's stop of a job that the job service does not know: by the ORM, so with microseconds; the revision stays.</summary>
    public async Task StopUnknownAsync(HarborTask task, CancellationToken cancellationToken)
    {
        await sql.AddAsync("update task set status = 'Stopped', status_code = 3, update_time = $2, end_time = $2 where id = $1", cancellationToken, task.Id, timeline.Micro);
        await RefreshAsync(task.ExecutionId, cancellationToken);
    }

    /// <summary>
    /// Stopping a queue: one update of status and time by job id; the code and the end stay, no robot goes. Only executions whose
    /// open tasks have the queue's own name as vendor type are refreshed.
    /// </summary>
    public async Task MarkStoppedAsync(string jobType, IReadOnlyList<string> jobIds, CancellationToken cancellationToken)
    {
        foreach (var chunk in jobIds.Chunk(1000))
        {
            var executions = await sql.QueryAsync(
                "select distinct execution_id from task where job_id = any($1) and status = 'Pending' and vendor_type = $2 order by 1",
                row => row.GetInt32(0), cancellationToken, chunk, jobType);
            await sql.AddAsync("update task set status = 'Stopped', update_time = $2 where job_id = any($1)", cancellationToken, chunk, timeline.Second);
            foreach (var execution in executions) await RefreshAsync(execution, cancellationToken);
        }
    }

    private async Task RefreshUnlessLostAsync(long executionId, CancellationToken cancellationToken)
    {
        if (_losesRefreshes || _refreshesToLose.Contains(executionId))
        {
            var open = await sql.QueryAsync(
                "select 1 from task where execution_id = $1 and status in ('Pending', 'Scheduled', 'Running') limit 1", row => row.GetInt32(0), cancellationToken, executionId);
            if (open.Count == 0)
            {
                _refreshesToLose.Remove(executionId);
                return;
            }
        }
        await RefreshAsync(executionId, cancellationToken);
    }

    /// <summary>Up to 2.7: each new execution sweeps its own vendor at once, final executions only.</summary>
    private async Task SweepAtOnceAsync(string vendorType, long vendorId, int kept, CancellationToken cancellationToken)
    {
        const string old = """
            select id from execution where vendor_type = $1::text and vendor_id = $2 and status in ('Error', 'Success', 'Stopped')
              and start_time < (select start_time from execution where vendor_type = $1::text and vendor_id = $2 order by start_time desc offset $3 - 1 limit 1)
            """;
        await sql.AddAsync($"delete from task where execution_id in ({old})", cancellationToken, vendorType, vendorId, kept);
        await sql.AddAsync($"delete from execution where id in ({old})", cancellationToken, vendorType, vendorId, kept);
    }

    /// <summary>Go's encoding of a string in JSON.</summary>
    public static string Json(string text) => JsonSerializer.Serialize(text);
}
