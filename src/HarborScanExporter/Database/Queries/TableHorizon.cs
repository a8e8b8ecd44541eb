using Dapper;
using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Database.Queries;

/// <summary>How far the two tables reach at a snapshot, which transactions may still add to them, and which tables they are.</summary>
internal sealed record TableHorizon
{
    /// <summary>The highest id of <c>task</c>; 0 when it is empty.</summary>
    public long NewestTask { get; init; }

    /// <summary>The highest id of <c>execution</c>; 0 when it is empty.</summary>
    public long NewestExecution { get; init; }

    /// <summary>Every transaction below this has ended.</summary>
    public long OldestTransaction { get; init; }

    /// <summary>Every transaction that has begun to write is below this.</summary>
    public long NextTransaction { get; init; }

    /// <summary>The database, by oid.</summary>
    public long Database { get; init; }

    /// <summary>The files of the two tables: one that was restored or emptied has another.</summary>
    public long TaskTable { get; init; }

    /// <inheritdoc cref="TaskTable"/>
    public long ExecutionTable { get; init; }

    /// <summary>Whether the optional index of open tasks is there and valid (deploy/sql/05-open-task-index.sql).</summary>
    public bool HasOpenTaskIndex { get; init; }
}

/// <summary>Above which id of a table rows may still appear, by when those that are there were made.</summary>
/// <param name="OfTheHour">Below the rows of the last hour: nothing appears there.</param>
/// <param name="OfTenMinutes">Below those of the last ten minutes: nothing appears there but from a transaction that has been open for longer.</param>
internal sealed record SettledIds(long OfTheHour, long OfTenMinutes);

/// <summary>Asks how far the tables reach; costs a few pages by index at any size.</summary>
internal static class TableHorizonProbe
{
    /// <summary>A row commits at most so long after its id was taken, on the way of Harbor that is not stuck; seconds.</summary>
    public const double CommitSeconds = 600;

    /// <summary>A transaction forgotten open for so long is not waited for; what it commits, the next reconciliation finds. Seconds.</summary>
    public const double MostCommitSeconds = 3600;

    /// <summary>More rows than this are not looked at to find those of the last hour.</summary>
    private const int MostNewest = 20_000;

    // Asked apart, so that a lock on one table shows in the time of that table.
    private const string ExecutionsSql = """
        select coalesce((select max(id) from execution), 0)::bigint as NewestExecution, pg_relation_filenode('execution')::bigint as ExecutionTable
        where @Everything
        """;

    private const string TasksSql = """
        select coalesce((select max(id) from task), 0)::bigint as NewestTask,
               txid_snapshot_xmin(txid_current_snapshot()) as OldestTransaction,
               txid_snapshot_xmax(txid_current_snapshot()) as NextTransaction,
               (select oid::bigint from pg_database where datname = current_database()) as Database,
               pg_relation_filenode('task')::bigint as TaskTable,
               exists (select from pg_index where indexrelid = to_regclass('harbor_scan_task_open') and indisvalid) as HasOpenTaskIndex
        where @Everything
        """;

    // Not the id before the first young row: a row that is not seen yet may have it.
    private const string BelowYoungSql = """
        young as (select min(id) filter (where made > to_timestamp(@Hour) at time zone 'utc') as hour,
                         min(id) filter (where made > to_timestamp(@Minutes) at time zone 'utc') as minutes,
                         case when count(*) < @Most then 0 else min(id) - 1 end as unseen
                  from newest)
        select coalesce((select max(id) from newest where hour is null or id < hour), unseen)::bigint as OfTheHour,
               coalesce((select max(id) from newest where minutes is null or id < minutes), unseen)::bigint as OfTenMinutes
        from young
        """;

    private const string SettledTasksSql = $"with newest as (select id, creation_time as made from task order by id desc limit @Most), {BelowYoungSql}";

    private const string SettledExecutionsSql = $"with newest as (select id, start_time as made from execution order by id desc limit @Most), {BelowYoungSql}";

    /// <summary>Reads it.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    /// <param name="times">Measures the reads of a scrape.</param>
    public static async Task<TableHorizon> ReadAsync(Snapshot snapshot, CancellationToken cancellationToken, ReadTimes? times = null)
    {
        var parameters = new Parameters { Everything = true, CancellationToken = cancellationToken };
        times ??= new ReadTimes(TimeProvider.System);
        var executions = await times.MeasureAsync(
            ReadTimes.Executions, () => snapshot.Connection.QueryFirstAsync<TableHorizon>(ExecutionsSql, parameters, snapshot.Transaction));
        var tasks = await times.MeasureAsync(ReadTimes.Tasks, () => snapshot.Connection.QueryFirstAsync<TableHorizon>(TasksSql, parameters, snapshot.Transaction));
        return tasks with { NewestExecution = executions.NewestExecution, ExecutionTable = executions.ExecutionTable };
    }

    /// <summary>The highest ids below the rows of the last hour and below those of the last minutes.</summary>
    public static async Task<(SettledIds Tasks, SettledIds Executions)> SettledAsync(Snapshot snapshot, double now, CancellationToken cancellationToken)
    {
        var parameters = new SinceParameters { Hour = now - MostCommitSeconds, Minutes = now - CommitSeconds, Most = MostNewest, CancellationToken = cancellationToken };
        return (await snapshot.Connection.QueryFirstAsync<SettledIds>(SettledTasksSql, parameters, snapshot.Transaction),
            await snapshot.Connection.QueryFirstAsync<SettledIds>(SettledExecutionsSql, parameters, snapshot.Transaction));
    }

    internal sealed record Parameters
    {
        public required bool Everything { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record SinceParameters
    {
        public required double Hour { get; init; }

        public required double Minutes { get; init; }

        public required int Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
