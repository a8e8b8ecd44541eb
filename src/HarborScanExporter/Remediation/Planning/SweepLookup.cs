using Dapper;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Reads executions page by page and by key, as a search for old ones needs them.</summary>
internal static class SweepLookup
{
    // Ordered by the column, not by what is made of it for the answer: that would sort all that is left of the table for each page.
    private const string PageSql = """
        select e.id::bigint as Id, e.vendor_type as Type, date_part('epoch', e.start_time) as Started,
               case when e.vendor_type <> 'SCAN_ALL' then e.extra_attrs::text end as ExtraAttributes
        from execution e
        where e.id < @Before and e.vendor_type = any(@Types)
        order by e.id desc
        limit @Rows
        """;

    private const string GuardedPageSql =
        "select id as Id, vendor_type as Type, started as Started, extra_attrs as ExtraAttributes from harbor_scan.executions_below(@Before, @Types, @Rows)";

    private const string ByIdSql = """
        select id::bigint as Id, status as Status, date_part('epoch', start_time) as Started, coalesce(revision, 0)::bigint as Revision,
               date_part('epoch', greatest(start_time, update_time, end_time)) as Changed
        from execution
        where id = any(@Ids)
        order by id
        """;

    private const string TasksSql = """
        select execution_id::bigint as ExecutionId,
               count(*) as Tasks,
               count(*) filter (where status_code = 3 and status in ('Success', 'Error', 'Stopped')) as OverTasks,
               date_part('epoch', max(greatest(creation_time, update_time, end_time))) as Changed
        from task
        where execution_id = any(@Ids)
        group by execution_id
        """;

    private const string TaskIdsSql = """
        select id::bigint as TaskId, execution_id::bigint as ExecutionId
        from task
        where execution_id = any(@Ids)
        """;

    private const string NewestSweepSql = """
        select status
        from execution
        where vendor_type = @Type
        order by start_time desc
        limit 1
        """;

    /// <summary>Scan executions below an id, the newest first.</summary>
    public static async Task<IReadOnlyList<PageRow>> PageAsync(Snapshot snapshot, long before, string[] types, int rows, CancellationToken cancellationToken)
    {
        var parameters = new PageParameters { Before = before, Types = types, Rows = rows, CancellationToken = cancellationToken };
        return (snapshot.Tables.GuardsAttributes
            ? await snapshot.Connection.QueryAsync<PageRow>(GuardedPageSql, parameters, snapshot.Transaction)
            : await snapshot.Connection.QueryAsync<PageRow>(PageSql, parameters, snapshot.Transaction)).AsList();
    }

    /// <summary>These executions as they are.</summary>
    public static async Task<IReadOnlyDictionary<long, ExecutionRow>> ByIdAsync(Snapshot snapshot, long[] ids, CancellationToken cancellationToken) =>
        (await snapshot.Connection.QueryAsync<ExecutionRow>(
            ByIdSql, new IdsParameters { Ids = ids, CancellationToken = cancellationToken }, snapshot.Transaction)).ToDictionary(row => row.Id);

    /// <summary>What the tasks of these executions say together; an execution without a task is missing.</summary>
    public static async Task<IReadOnlyDictionary<long, TasksRow>> TasksAsync(Snapshot snapshot, long[] executions, CancellationToken cancellationToken) =>
        (await snapshot.Connection.QueryAsync<TasksRow>(
            TasksSql, new IdsParameters { Ids = executions, CancellationToken = cancellationToken }, snapshot.Transaction)).ToDictionary(row => row.ExecutionId);

    /// <summary>What the tasks of these executions name, by execution.</summary>
    public static async Task<ILookup<long, (long Task, TaskAttributes Named)>> AttributesAsync(Snapshot snapshot, long[] executions, CancellationToken cancellationToken)
    {
        var tasks = (await snapshot.Connection.QueryAsync<AttributesRow>(
            TaskIdsSql, new IdsParameters { Ids = executions, CancellationToken = cancellationToken }, snapshot.Transaction)).AsList();
        var attributes = await ScanAttributes.OfTasksAsync(snapshot, [.. tasks.Select(row => row.TaskId)], cancellationToken);
        return tasks.ToLookup(row => row.ExecutionId, row => (row.TaskId, TaskAttributes.Parse(attributes.GetValueOrDefault(row.TaskId))));
    }

    /// <summary>Whether Harbor's newest sweep ended in Error.</summary>
    public static async Task<bool> NewestSweepFailedAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        await snapshot.Connection.QueryFirstOrDefaultAsync<string?>(
            NewestSweepSql, new TypeParameters { Type = JobType.Sweep, CancellationToken = cancellationToken }, snapshot.Transaction) == ScanStatus.Error;

    internal sealed record PageRow
    {
        public long Id { get; init; }

        public string Type { get; init; } = "";

        public double? Started { get; init; }

        public string? ExtraAttributes { get; init; }
    }

    internal sealed record ExecutionRow
    {
        public long Id { get; init; }

        public string? Status { get; init; }

        public double? Started { get; init; }

        public long Revision { get; init; }

        /// <summary>The latest of its times in seconds since 1970, as the row holds it.</summary>
        public double? Changed { get; init; }
    }

    internal sealed record TasksRow
    {
        public long ExecutionId { get; init; }

        public long Tasks { get; init; }

        /// <summary>Those with a final status and its code.</summary>
        public long OverTasks { get; init; }

        /// <summary>The latest of their times in seconds since 1970, as the rows hold it.</summary>
        public double? Changed { get; init; }
    }

    internal sealed record AttributesRow
    {
        public long TaskId { get; init; }

        public long ExecutionId { get; init; }
    }

    internal sealed record PageParameters
    {
        public required long Before { get; init; }

        public required string[] Types { get; init; }

        public required int Rows { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record IdsParameters
    {
        public required long[] Ids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record TypeParameters
    {
        public required string Type { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
