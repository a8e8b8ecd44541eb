using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Database.Queries;

/// <summary>A task's row as it is now, after the job service was asked.</summary>
/// <param name="Status">Harbor's word.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="Updated">Seconds since 1970; null when the row holds no usable time.</param>
internal sealed record TaskState(string Status, long Revision, double? Updated)
{
    /// <summary>Whether the row is still the one that was judged.</summary>
    public bool IsThatOf(ScanTask task) => Status == task.Status && Revision == task.StatusRevision && Updated == task.Updated;
}

/// <summary>Reads single tasks, by primary key and by the index of their job.</summary>
internal static class TaskLookup
{
    private const string StateSql = """
        select id::bigint as Id,
               status as Status,
               coalesce(status_revision, 0)::bigint as Revision,
               date_part('epoch', update_time) as Updated
        from task
        where id = any(@Ids)
        order by id
        """;

    private const string JobsSql = """
        select distinct job_id
        from task
        where job_id = any(@Jobs)
        order by job_id
        """;

    private const string OwnersSql = """
        select job_id as JobId, count(*) as Tasks
        from task
        where job_id = any(@Jobs)
        group by job_id
        """;

    /// <summary>How many tasks name each of these jobs.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> OwnersAsync(Snapshot snapshot, string[] jobs, CancellationToken cancellationToken) =>
        jobs.Length == 0
            ? new Dictionary<string, long>()
            : (await snapshot.Connection.QueryAsync<OwnersRow>(
                OwnersSql, new JobParameters { Jobs = jobs, CancellationToken = cancellationToken }, snapshot.Transaction))
                .ToDictionary(row => row.JobId, row => row.Tasks, StringComparer.Ordinal);

    /// <summary>The rows with these ids; one that is gone is missing from the answer.</summary>
    public static async Task<IReadOnlyDictionary<long, TaskState>> StatesAsync(Snapshot snapshot, long[] ids, CancellationToken cancellationToken) =>
        ids.Length == 0
            ? new Dictionary<long, TaskState>()
            : (await snapshot.Connection.QueryAsync<StateRow>(
                StateSql, new IdParameters { Ids = ids, CancellationToken = cancellationToken }, snapshot.Transaction))
                .ToDictionary(row => row.Id, row => new TaskState(row.Status, row.Revision, Epoch.Usable(row.Updated)));

    /// <summary>Those of these jobs that a task names, of any vendor type and status.</summary>
    public static async Task<IReadOnlySet<string>> NamedJobsAsync(Snapshot snapshot, string[] jobs, CancellationToken cancellationToken) =>
        jobs.Length == 0
            ? new HashSet<string>()
            : (await snapshot.Connection.QueryAsync<string>(
                JobsSql, new JobParameters { Jobs = jobs, CancellationToken = cancellationToken }, snapshot.Transaction)).ToHashSet(StringComparer.Ordinal);

    internal sealed record StateRow
    {
        public long Id { get; init; }

        public string Status { get; init; } = "";

        public long Revision { get; init; }

        public double? Updated { get; init; }
    }

    internal sealed record OwnersRow
    {
        public string JobId { get; init; } = "";

        public long Tasks { get; init; }
    }

    internal sealed record IdParameters
    {
        public required long[] Ids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record JobParameters
    {
        public required string[] Jobs { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
