using Dapper;

namespace HarborScanExporter.Database;

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

/// <summary>Asks how far the tables reach; costs a few pages by index at any size.</summary>
internal static class TableHorizonProbe
{
    /// <summary>A row commits at most so long after its id was taken, on the way of Harbor that is not stuck; seconds.</summary>
    public const double CommitSeconds = 600;

    /// <summary>More rows than this are not looked at to find those of the last minutes.</summary>
    private const int MostNewest = 20_000;

    private const string Sql = """
        select coalesce((select max(id) from task), 0)::bigint as NewestTask,
               coalesce((select max(id) from execution), 0)::bigint as NewestExecution,
               txid_snapshot_xmin(txid_current_snapshot()) as OldestTransaction,
               txid_snapshot_xmax(txid_current_snapshot()) as NextTransaction,
               (select oid::bigint from pg_database where datname = current_database()) as Database,
               pg_relation_filenode('task')::bigint as TaskTable,
               pg_relation_filenode('execution')::bigint as ExecutionTable,
               exists (select from pg_index where indexrelid = to_regclass('harbor_scan_task_open') and indisvalid) as HasOpenTaskIndex
        where @Everything
        """;

    private const string FirstTaskSql = """
        select coalesce(min(id), 0)::bigint
        from (select id, creation_time from task order by id desc limit @Most) newest
        where creation_time > to_timestamp(@Since) at time zone 'utc'
        """;

    private const string FirstExecutionSql = """
        select coalesce(min(id), 0)::bigint
        from (select id, start_time from execution order by id desc limit @Most) newest
        where start_time > to_timestamp(@Since) at time zone 'utc'
        """;

    /// <summary>Reads it.</summary>
    public static Task<TableHorizon> ReadAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        snapshot.Connection.QueryFirstAsync<TableHorizon>(Sql, new Parameters { Everything = true, CancellationToken = cancellationToken }, snapshot.Transaction);

    /// <summary>The ids above which rows were made in the last minutes: below them nothing commits any more.</summary>
    public static async Task<(long Task, long Execution)> SettledAsync(Snapshot snapshot, TableHorizon horizon, double now, CancellationToken cancellationToken)
    {
        var parameters = new SinceParameters { Since = now - CommitSeconds, Most = MostNewest, CancellationToken = cancellationToken };
        var task = await snapshot.Connection.QueryFirstAsync<long>(FirstTaskSql, parameters, snapshot.Transaction);
        var execution = await snapshot.Connection.QueryFirstAsync<long>(FirstExecutionSql, parameters, snapshot.Transaction);
        return (task == 0 ? horizon.NewestTask : task - 1, execution == 0 ? horizon.NewestExecution : execution - 1);
    }

    internal sealed record Parameters
    {
        public required bool Everything { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record SinceParameters
    {
        public required double Since { get; init; }

        public required int Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
