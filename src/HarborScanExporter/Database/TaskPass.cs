using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database;

/// <summary>Tasks counted by what they have in common; an open task is a group of its own.</summary>
internal sealed record TaskGroup
{
    /// <summary>Null for tasks that are no scans.</summary>
    public string? Type { get; init; }

    public string? Status { get; init; }

    /// <summary>Whether they belong to the newest scan-all.</summary>
    public bool OfNewestScanAll { get; init; }

    /// <summary>The open task.</summary>
    public long? OpenId { get; init; }

    /// <summary>The execution of tasks whose status is not open and whose code is below 3.</summary>
    public long? LowCodeExecutionId { get; init; }

    public long Tasks { get; init; }

    public long ExecutionId { get; init; }

    public long StatusCode { get; init; }

    public long StatusRevision { get; init; }

    public long RunCount { get; init; }

    public double? Created { get; init; }

    public double? Started { get; init; }

    public double? Updated { get; init; }

    public double? Ended { get; init; }

    public double? NewestHook { get; init; }
}

/// <summary>The one read of the whole table <c>task</c>; Harbor has no index on any status.</summary>
internal sealed record TaskPass(IReadOnlyList<TaskGroup> Groups)
{
    // A time before 1970 or infinite is none: Harbor writes 0001-01-01 for an empty one. Ages are taken from seconds, since subtracting an
    // infinite or far timestamp fails the statement.
    // A hook leaves a confirmed revision and a time in whole seconds; an API stop leaves microseconds, and a queue stop leaves Stopped with a
    // code below 3: neither shows that the job service spoke.
    private const string Sql = """
        with rows as (
            select case when vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM') then vendor_type end as type,
                   status, status_code, status_revision, run_count, id, execution_id,
                   execution_id = @NewestScanAll as of_newest,
                   status in ('Pending', 'Scheduled', 'Running') as open,
                   case when isfinite(creation_time) and creation_time >= '1970-01-01' then extract(epoch from creation_time)::float8 end as created,
                   case when isfinite(start_time) and start_time >= '1970-01-01' then extract(epoch from start_time)::float8 end as started,
                   case when isfinite(update_time) and update_time >= '1970-01-01' then extract(epoch from update_time)::float8 end as updated,
                   case when isfinite(end_time) and end_time >= '1970-01-01' then extract(epoch from end_time)::float8 end as ended
            from task
        )
        select type as Type,
               case when type is not null then status end as Status,
               type is not null and of_newest as OfNewestScanAll,
               case when type is not null and open then id end::bigint as OpenId,
               case when type is not null and not open and status_code < 3 then execution_id end::bigint as LowCodeExecutionId,
               count(*) as Tasks,
               max(execution_id)::bigint as ExecutionId,
               max(status_code)::bigint as StatusCode,
               coalesce(max(status_revision), 0)::bigint as StatusRevision,
               coalesce(max(run_count), 0)::bigint as RunCount,
               max(created) as Created,
               max(started) as Started,
               max(updated) as Updated,
               max(ended) filter (where ended <= @Now + 300) as Ended,
               max(updated) filter (where status_revision > 0 and updated = floor(updated) and updated <= @Now + 300
                                    and not (status = 'Stopped' and status_code < 3)) as NewestHook
        from rows
        group by 1, 2, 3, 4, 5
        """;

    /// <summary>Reads the table once.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="now">The database's clock, seconds since 1970. A time more than five minutes ahead of it is no evidence of the past.</param>
    /// <param name="newestScanAll">The newest scan-all execution, or 0.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static async Task<TaskPass> ReadAsync(Snapshot snapshot, double now, long newestScanAll, CancellationToken cancellationToken) =>
        new((await snapshot.Connection.QueryAsync<TaskGroup>(
            Sql, new Parameters { Now = now, NewestScanAll = newestScanAll, CancellationToken = cancellationToken }, snapshot.Transaction)).AsList());

    /// <summary>The groups of scans.</summary>
    public IEnumerable<TaskGroup> Scans => Groups.Where(group => group.Type is not null);

    /// <summary>When core last accepted a status hook for a task of any type; seconds since 1970.</summary>
    public double? NewestHook => Groups.Max(group => group.NewestHook);

    /// <summary>What the tasks of the newest scan-all say together.</summary>
    public ExecutionTasks OfNewestScanAll
    {
        get
        {
            var groups = Scans.Where(group => group.OfNewestScanAll).ToArray();
            return new ExecutionTasks(
                groups.Sum(group => group.Tasks),
                groups.SelectMany(group => new[] { group.Created, group.Updated, group.Ended, group.StatusRevision > 0 ? group.StatusRevision : null }).Max());
        }
    }

    /// <summary>The open scan tasks.</summary>
    /// <param name="startOfExecution">When an execution started, for a task without a creation time.</param>
    public IReadOnlyList<OpenTask> Open(Func<long, double?> startOfExecution) =>
    [
        .. Scans.Where(group => group.OpenId is not null).Select(group => new OpenTask
        {
            Id = group.OpenId!.Value,
            ExecutionId = group.ExecutionId,
            Type = group.Type!,
            Status = group.Status!,
            StatusCode = group.StatusCode,
            StatusRevision = group.StatusRevision,
            RunCount = group.RunCount,
            Created = group.Created,
            Started = group.Started,
            Updated = group.Updated,
            ExecutionStarted = startOfExecution(group.ExecutionId),
        }),
    ];

    internal sealed record Parameters
    {
        public required double Now { get; init; }

        public required long NewestScanAll { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
