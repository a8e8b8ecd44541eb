using Dapper;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Undo;

/// <summary>Puts a row of task back, and only one that is still as the repair left it.</summary>
internal static class TaskUndo
{
    private const string LockSql = """
        select harbor_scan.lock_left_task(r.task_id, r.after -> 'task')
        from harbor_scan.repair r
        where r.id = @Id
        """;

    private const string IsAsLeftSql = $"""
        select coalesce((select {LeftRows.TaskIsAsLeft} from harbor_scan.repair r where r.id = @Id), false)
        """;

    private const string RestoreSql = """
        select harbor_scan.restore_task(r.task_id, r.after -> 'task', r.before -> 'task')
        from harbor_scan.repair r
        where r.id = @Id
        """;

    private const string LaterSql = """
        select max(later.id)
        from harbor_scan.repair later
        join harbor_scan.repair r on r.task_id = later.task_id
        where r.id = @Id and later.id > r.id and later.state = 'done' and later.action <> 'undo' and json_typeof(later.after -> 'task') = 'object'
        """;

    /// <summary>Locks the row; null when it is no longer as the line left it, or when another transaction holds it.</summary>
    public static Task<string?> LockAsync(RepairTransaction transaction, long line, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(LockSql, Parameters(line, cancellationToken), transaction.Transaction);

    /// <summary>Whether the row is as the line left it, whoever holds it.</summary>
    public static Task<bool> IsAsLeftAsync(RepairTransaction transaction, long line, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstAsync<bool>(IsAsLeftSql, Parameters(line, cancellationToken), transaction.Transaction);

    /// <summary>Puts the locked row back; the row as it is then.</summary>
    public static Task<string?> RestoreAsync(RepairTransaction transaction, long line, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(RestoreSql, Parameters(line, cancellationToken), transaction.Transaction);

    /// <summary>The newest later repair of ours that changed the same row; null when there is none.</summary>
    public static Task<long?> LaterAsync(RepairTransaction transaction, long line, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<long?>(LaterSql, Parameters(line, cancellationToken), transaction.Transaction);

    private static TaskWrite.IdParameters Parameters(long line, CancellationToken cancellationToken) => new() { Id = line, CancellationToken = cancellationToken };
}
