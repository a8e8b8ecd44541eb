using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>What the table <c>task</c> says: counted groups, and the open tasks one by one.</summary>
internal sealed class TaskPass
{
    // Harbor has no index on any status: this reads the whole table, once.
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
               bit_or(1::bigint << greatest(0, floor(@Now / 600)::bigint - floor(date_part('epoch', update_time) / 600)::bigint)::int)
                   filter (where update_time >= to_timestamp((floor(@Now / 600) - 62) * 600) at time zone 'utc'
                             and update_time < to_timestamp(@Now + 300) at time zone 'utc'
                             and status_revision > 0
                             and update_time = date_trunc('second', update_time)
                             and not (status = 'Stopped' and status_code < 3)) as Hooks,
               (max(status_revision) filter (where execution_id = @NewestScanAll and status_revision > 0))::float8 as NewestRevision,
               date_part('epoch', max(creation_time) filter (where execution_id = @NewestScanAll and isfinite(creation_time))) as NewestCreation,
               date_part('epoch', max(update_time) filter (where execution_id = @NewestScanAll and isfinite(update_time))) as NewestUpdate,
               date_part('epoch', max(end_time) filter (where execution_id = @NewestScanAll and isfinite(end_time))) as NewestEnd,
               array_agg(execution_id::bigint) filter (where status_code < 3 and status not in ('Pending', 'Scheduled', 'Running')) as LowCodeExecutions,
               array_agg(concat_ws({PackedRow.Separator}, id, execution_id, status_code, coalesce(status_revision, 0), coalesce(run_count, 0),
                                   coalesce(date_part('epoch', creation_time)::text, ''),
                                   coalesce(date_part('epoch', start_time)::text, ''),
                                   coalesce(date_part('epoch', update_time)::text, ''),
                                   coalesce(replace(job_id, {PackedRow.Separator}, '?'), '')))
                   filter (where status in ('Pending', 'Scheduled', 'Running')) as Open,
               array_agg(concat_ws({PackedRow.Separator}, id, execution_id, status_code))
                   filter (where (update_time > to_timestamp(@RecentFrom) at time zone 'utc' or id > @TailFrom or (status_code < 3 and @RecentFrom < 'infinity'))
                             and status not in ('Pending', 'Scheduled', 'Running')) as Recent
        from task
        group by 1, 2, 3
        """;

    /// <summary>The groups of scans.</summary>
    public required IReadOnlyList<TaskGroup> Scans { get; init; }

    /// <summary>When core accepted status hooks: the mask of <see cref="HookActivity"/>.</summary>
    public required long Hooks { get; init; }

    /// <summary>The open scan tasks, without the start of their execution.</summary>
    public required IReadOnlyList<ScanTask> OpenRows { get; init; }

    /// <summary>Scan tasks that are over and changed lately, or whose code is not that of one that is over; only of a read of the whole table.</summary>
    public IReadOnlyList<FinishedRow> Finished { get; init; } = [];

    /// <summary>What the tasks of the newest scan-all say together.</summary>
    public ExecutionTasks OfNewestScanAll
    {
        get
        {
            var groups = Scans.Where(group => group.OfNewestScanAll).ToArray();
            return new ExecutionTasks(groups.Sum(group => group.Tasks), Epoch.Usable(groups.Max(group => group.NewestChange)));
        }
    }

    /// <summary>The newest end of a scan that succeeded, none of the future; seconds since 1970, null when there is none.</summary>
    public double? NewestSuccess => Epoch.Usable(Scans.Where(group => group.Status == ScanStatus.Success).Max(group => group.Ended));

    /// <summary>Reads the whole table once.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="now">The database's clock, seconds since 1970. A time more than five minutes ahead of it is no evidence of the past.</param>
    /// <param name="newestScanAll">The newest scan-all execution, or 0.</param>
    /// <param name="finished">Which finished tasks to name one by one.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<TaskPass> ReadAsync(Snapshot snapshot, double now, long newestScanAll, FinishedSince finished, CancellationToken cancellationToken)
    {
        var parameters = new Parameters
        {
            Now = now,
            NewestScanAll = newestScanAll,
            RecentFrom = finished.Changed,
            TailFrom = finished.AboveTask,
            CancellationToken = cancellationToken,
        };
        var groups = (await snapshot.Connection.QueryAsync<GroupRow>(Sql, parameters, snapshot.Transaction)).AsList();
        var scans = groups.Where(group => ScanType.All.Contains(group.Type)).ToArray();
        return new TaskPass
        {
            Hooks = groups.Aggregate(0L, (mask, group) => mask | (group.Hooks ?? 0)),
            Scans = [.. scans.Select(group => group.ToGroup())],
            OpenRows = [.. scans.SelectMany(group => group.OpenRows())],
            Finished = [.. scans.SelectMany(group => group.FinishedRows())],
        };
    }

    /// <summary>The open scan tasks.</summary>
    /// <param name="startOfExecution">When an execution started, for a task without a creation time.</param>
    public IReadOnlyList<ScanTask> Open(Func<long, double?> startOfExecution) =>
        [.. OpenRows.Select(task => task.Created is null ? task with { ExecutionStarted = startOfExecution(task.ExecutionId) } : task)];

    internal sealed record GroupRow
    {
        public string Type { get; init; } = "";

        public string Status { get; init; } = "";

        public bool OfNewestScanAll { get; init; }

        public long Tasks { get; init; }

        public double? Ended { get; init; }

        public long? Hooks { get; init; }

        public double? NewestRevision { get; init; }

        public double? NewestCreation { get; init; }

        public double? NewestUpdate { get; init; }

        public double? NewestEnd { get; init; }

        public long[]? LowCodeExecutions { get; init; }

        /// <summary>One <see cref="PackedRow"/> for each open task.</summary>
        public string[]? Open { get; init; }

        /// <summary>One <see cref="PackedRow"/> for each task that finished lately.</summary>
        public string[]? Recent { get; init; }

        public TaskGroup ToGroup() => new()
        {
            Type = Type,
            Status = Status,
            OfNewestScanAll = OfNewestScanAll,
            Tasks = Tasks,
            Ended = Ended,
            NewestChange = new[] { NewestCreation, NewestUpdate, NewestEnd, NewestRevision }.Max(),
            LowCodeExecutions = LowCodeExecutions ?? [],
        };

        public IEnumerable<ScanTask> OpenRows() =>
            from text in Open ?? []
            let row = new PackedRow(text)
            select new ScanTask
            {
                Id = row.Number(0),
                ExecutionId = row.Number(1),
                Type = Type,
                Status = Status,
                StatusCode = row.Number(2),
                StatusRevision = row.Number(3),
                RunCount = row.Number(4),
                Created = row.Time(5),
                Started = row.Time(6),
                Updated = row.Time(7),
                JobId = row.Text(8) ?? "",
            };

        public IEnumerable<FinishedRow> FinishedRows() =>
            from text in Recent ?? []
            let row = new PackedRow(text)
            select new FinishedRow(row.Number(0), row.Number(1), Type, Status, row.Number(2) < ScanStatus.CodeOf(ScanStatus.Success));
    }

    internal sealed record Parameters
    {
        public required double Now { get; init; }

        public required long NewestScanAll { get; init; }

        public required double RecentFrom { get; init; }

        public required long TailFrom { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
