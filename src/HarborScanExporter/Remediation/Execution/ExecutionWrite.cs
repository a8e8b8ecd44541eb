using Dapper;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>An execution before and after a write, each as JSON of all its columns; after is null when nothing was written.</summary>
internal sealed record ExecutionImages(string Before, string? After);

/// <summary>
/// Writes single rows of <c>execution</c> (harbor-facts 7.2). The row is locked in a statement of its own, so that the next one sees what hooks
/// of sibling tasks have committed; its revision rises, so that a refresh of Harbor's that is under way reads anew.
/// </summary>
internal static class ExecutionWrite
{
    private const string LockSql = "select image as Image, status as Status from harbor_scan.lock_execution(@Id)";

    private const string TasksSql = """
        select distinct coalesce(t.status, '')
        from task t
        where t.execution_id = @Id
        """;

    private const string RecomputeSql = """
        select harbor_scan.write_execution(@Id, @Status, null, case when @Final then (
            select max(t.end_time)
            from task t
            where t.execution_id = @Id and isfinite(t.end_time) and t.end_time >= '1970-01-01') end)
        """;

    private const string CloseSql = """
        select harbor_scan.write_execution(e.id, 'Error', @Message, date_trunc('second', now() at time zone 'utc'))
        from execution e
        where e.id = @Id and e.status = 'Running' and not exists (select from task t where t.execution_id = e.id)
        """;

    /// <summary>Recomputes the execution from its tasks; null when it is gone. Nothing is written when it has no task with a word of Harbor's.</summary>
    public static async Task<ExecutionImages?> RecomputeAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken)
    {
        if (await LockAsync(transaction, id, cancellationToken) is not { } locked) return null;
        var status = await StatusAsync(transaction, id, cancellationToken);
        return new ExecutionImages(locked.Image, status is null ? null : await WriteAsync(transaction, id, status, cancellationToken));
    }

    /// <summary>Recomputes an execution that is Running though all its tasks are over; after is null when it is no longer so.</summary>
    public static async Task<ExecutionImages?> RefreshAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken)
    {
        if (await LockAsync(transaction, id, cancellationToken) is not { } locked) return null;
        var status = await StatusAsync(transaction, id, cancellationToken);
        var isStale = locked.Status == ScanStatus.Running && status is not null and not ScanStatus.Running;
        return new ExecutionImages(locked.Image, isStale ? await WriteAsync(transaction, id, status!, cancellationToken) : null);
    }

    /// <summary>Ends an execution that is Running and has no task; after is null when it is no longer so.</summary>
    public static async Task<ExecutionImages?> CloseEmptyAsync(RepairTransaction transaction, long id, string message, CancellationToken cancellationToken)
    {
        if (await LockAsync(transaction, id, cancellationToken) is not { } locked) return null;
        return new ExecutionImages(locked.Image, await transaction.Connection.QueryFirstOrDefaultAsync<string?>(
            CloseSql, new CloseParameters { Id = id, Message = message, CancellationToken = cancellationToken }, transaction.Transaction));
    }

    /// <summary>Locks the row; null when it is gone.</summary>
    public static async Task<LockedRow?> LockAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken) =>
        await transaction.Connection.QueryFirstOrDefaultAsync<LockedRow>(LockSql, new TaskWrite.IdParameters { Id = id, CancellationToken = cancellationToken }, transaction.Transaction);

    /// <summary>The status that its tasks ask for now; null when it has no task with a word of Harbor's.</summary>
    public static async Task<string?> StatusAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken) =>
        ExecutionStatus.Of(await transaction.Connection.QueryAsync<string>(TasksSql, new TaskWrite.IdParameters { Id = id, CancellationToken = cancellationToken }, transaction.Transaction));

    private static Task<string?> WriteAsync(RepairTransaction transaction, long id, string status, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(
            RecomputeSql,
            new RecomputeParameters { Id = id, Status = status, Final = ScanStatus.IsFinal(status), CancellationToken = cancellationToken },
            transaction.Transaction);

    internal sealed record LockedRow
    {
        public string Image { get; init; } = "";

        public string Status { get; init; } = "";
    }

    internal sealed record RecomputeParameters
    {
        public required long Id { get; init; }

        public required string Status { get; init; }

        public required bool Final { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record CloseParameters
    {
        public required long Id { get; init; }

        public required string Message { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
