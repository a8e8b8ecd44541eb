using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database;

/// <summary>The one read of the whole table <c>task</c>; Harbor has no index on any status.</summary>
internal sealed class TaskPass
{
    // Harbor writes 0001-01-01 for an empty time, and other tools infinity: maxima are taken of timestamps and turned into seconds once.
    // A hook leaves a confirmed revision and a time in whole seconds; an API stop leaves microseconds, and a queue stop leaves Stopped with a
    // code below 3: neither shows that the job service spoke. Bits and their width are those of HookActivity.
    // Comparing words costs most of the read: the code is asked before them where it can decide.
    private const string Sql = $"""
        select vendor_type as Type,
               status as Status,
               execution_id = @NewestScanAll as OfNewestScanAll,
               count(*) as Tasks,
               date_part('epoch', max(end_time) filter (where end_time < to_timestamp(@Now + 300) at time zone 'utc')) as Ended,
               bit_or(1::bigint << greatest(0, floor((@Now - date_part('epoch', update_time)) / 600))::int)
                   filter (where update_time > to_timestamp(@Now - 63 * 600) at time zone 'utc'
                             and update_time < to_timestamp(@Now + 300) at time zone 'utc'
                             and status_revision > 0
                             and update_time = date_trunc('second', update_time)
                             and not (status = 'Stopped' and status_code < 3)) as Hooks,
               (max(status_revision) filter (where execution_id = @NewestScanAll))::float8 as NewestRevision,
               date_part('epoch', max(creation_time) filter (where execution_id = @NewestScanAll and isfinite(creation_time))) as NewestCreation,
               date_part('epoch', max(update_time) filter (where execution_id = @NewestScanAll and isfinite(update_time))) as NewestUpdate,
               date_part('epoch', max(end_time) filter (where execution_id = @NewestScanAll and isfinite(end_time))) as NewestEnd,
               array_agg(execution_id::bigint) filter (where status_code < 3 and status not in ('Pending', 'Scheduled', 'Running')) as LowCodeExecutions,
               array_agg(concat_ws({PackedRow.Separator}, id, execution_id, status_code, coalesce(status_revision, 0), coalesce(run_count, 0),
                                   coalesce(date_part('epoch', creation_time)::text, ''),
                                   coalesce(date_part('epoch', start_time)::text, ''),
                                   coalesce(date_part('epoch', update_time)::text, ''),
                                   coalesce(replace(job_id, {PackedRow.Separator}, '?'), '')))
                   filter (where status in ('Pending', 'Scheduled', 'Running')) as Open
        from task
        group by 1, 2, 3
        """;

    private TaskPass(IReadOnlyList<TaskGroup> groups)
    {
        Hooks = groups.Aggregate(0L, (mask, group) => mask | (group.Hooks ?? 0));
        Scans = [.. groups.Where(group => ScanType.All.Contains(group.Type))];
    }

    /// <summary>The groups of scans.</summary>
    public IReadOnlyList<TaskGroup> Scans { get; }

    /// <summary>When core accepted status hooks for tasks of any type: the mask of <see cref="Diagnosis.HookActivity"/>.</summary>
    public long Hooks { get; }

    /// <summary>What the tasks of the newest scan-all say together.</summary>
    public ExecutionTasks OfNewestScanAll
    {
        get
        {
            var groups = Scans.Where(group => group.OfNewestScanAll).ToArray();
            return new ExecutionTasks(
                groups.Sum(group => group.Tasks),
                Epoch.Usable(groups.SelectMany(group => new[] { group.NewestCreation, group.NewestUpdate, group.NewestEnd, group.NewestRevision }).Max()));
        }
    }

    /// <summary>Reads the table once.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="now">The database's clock, seconds since 1970. A time more than five minutes ahead of it is no evidence of the past.</param>
    /// <param name="newestScanAll">The newest scan-all execution, or 0.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<TaskPass> ReadAsync(Snapshot snapshot, double now, long newestScanAll, CancellationToken cancellationToken) =>
        new((await snapshot.Connection.QueryAsync<TaskGroup>(
            Sql,
            new Parameters { Now = now, NewestScanAll = newestScanAll, CancellationToken = cancellationToken },
            snapshot.Transaction)).AsList());

    /// <summary>The open scan tasks.</summary>
    /// <param name="startOfExecution">When an execution started, for a task without a creation time.</param>
    public IReadOnlyList<OpenTask> Open(Func<long, double?> startOfExecution) =>
    [
        .. from tasks in Scans
           from text in tasks.Open ?? []
           let row = new PackedRow(text)
           select new OpenTask
           {
               Id = row.Number(0),
               ExecutionId = row.Number(1),
               Type = tasks.Type,
               Status = tasks.Status,
               StatusCode = row.Number(2),
               StatusRevision = row.Number(3),
               RunCount = row.Number(4),
               Created = row.Time(5),
               Started = row.Time(6),
               Updated = row.Time(7),
               JobId = row.Text(8) ?? "",
               ExecutionStarted = startOfExecution(row.Number(1)),
           },
    ];

    internal sealed record Parameters
    {
        public required double Now { get; init; }

        public required long NewestScanAll { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
