using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>Reads single executions, by primary key and by the index of their tasks.</summary>
internal static class ExecutionLookup
{
    private const string ExecutionsSql = """
        select id::bigint as Id,
               vendor_type as Type,
               status as Status,
               trigger as Trigger,
               date_part('epoch', start_time) as Started,
               date_part('epoch', update_time) as Updated,
               date_part('epoch', end_time) as Ended
        from execution
        where id = any(@Ids)
        order by id
        """;

    // task_execution_id_idx came with 2.2.1: on 2.2.0 this reads the table once more, and only while an execution is in doubt.
    private const string TasksSql = """
        select execution_id::bigint as ExecutionId,
               count(*) as Tasks,
               greatest(max(case when isfinite(creation_time) and creation_time >= '1970-01-01' then date_part('epoch', creation_time) end),
                        max(case when isfinite(update_time) and update_time >= '1970-01-01' then date_part('epoch', update_time) end),
                        max(case when isfinite(end_time) and end_time >= '1970-01-01' then date_part('epoch', end_time) end),
                        max(case when status_revision > 0 then status_revision end)::float8) as NewestChange
        from task
        where execution_id = any(@Ids)
        group by execution_id
        order by execution_id
        """;

    /// <summary>The executions with these ids; one that is gone is missing from the answer.</summary>
    public static async Task<IReadOnlyList<ScanExecution>> ExecutionsAsync(Snapshot snapshot, long[] ids, CancellationToken cancellationToken) =>
        ids.Length == 0 ? [] :
        [
            .. (await snapshot.Connection.QueryAsync<ExecutionRow>(
                ExecutionsSql, new Parameters { Ids = ids, CancellationToken = cancellationToken }, snapshot.Transaction)).Select(row => row.ToExecution()),
        ];

    /// <summary>What the tasks of these executions say together; an execution without a task is missing from the answer.</summary>
    public static async Task<IReadOnlyDictionary<long, ExecutionTasks>> TasksAsync(Snapshot snapshot, long[] executions, CancellationToken cancellationToken) =>
        executions.Length == 0
            ? new Dictionary<long, ExecutionTasks>()
            : (await snapshot.Connection.QueryAsync<TasksRow>(
                TasksSql, new Parameters { Ids = executions, CancellationToken = cancellationToken }, snapshot.Transaction))
                .ToDictionary(row => row.ExecutionId, row => new ExecutionTasks(row.Tasks, row.NewestChange));

    internal sealed record ExecutionRow
    {
        public long Id { get; init; }

        public string Type { get; init; } = "";

        public string? Status { get; init; }

        public string? Trigger { get; init; }

        public double? Started { get; init; }

        public double? Updated { get; init; }

        public double? Ended { get; init; }

        /// <summary>Null where it is not asked for.</summary>
        public string? Address { get; init; }

        public ScanExecution ToExecution() => new()
        {
            Id = Id,
            Type = Type,
            Status = Status,
            Trigger = Trigger,
            Started = Epoch.Usable(Started),
            Updated = Epoch.Usable(Updated),
            Ended = Epoch.Usable(Ended),
        };
    }

    internal sealed record TasksRow
    {
        public long ExecutionId { get; init; }

        public long Tasks { get; init; }

        public double? NewestChange { get; init; }
    }

    internal sealed record Parameters
    {
        public required long[] Ids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
