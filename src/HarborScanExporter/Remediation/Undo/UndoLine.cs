using Dapper;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Remediation.Undo;

/// <summary>The line of the audit whose repair is to be taken back.</summary>
internal sealed record UndoLine
{
    public long Id { get; init; }

    public string Action { get; init; } = "";

    public string State { get; init; } = "";

    public string Verdict { get; init; } = "";

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public string? JobId { get; init; }

    public long? RobotId { get; init; }

    public long? ArtifactId { get; init; }

    public long? Revision { get; init; }

    /// <summary>The rows before, as JSON; null when it changed none.</summary>
    public string? Before { get; init; }

    private const string LockSql = """
        select id as Id, action as Action, state as State, verdict as Verdict, vendor_type as Type, task_id as TaskId, execution_id as ExecutionId,
               job_id as JobId, robot_id as RobotId, artifact_id as ArtifactId, revision as Revision, before::text as Before
        from harbor_scan.repair
        where id = @Id
        for update
        """;

    private const string EndSql = "update harbor_scan.repair set state = 'undone' where id = @Id and state = 'done' returning id";

    /// <summary>Locks the line; null when there is none.</summary>
    public static async Task<UndoLine?> LockAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken) =>
        await transaction.Connection.QueryFirstOrDefaultAsync<UndoLine>(
            LockSql, new TaskWrite.IdParameters { Id = id, CancellationToken = cancellationToken }, transaction.Transaction);

    /// <summary>Says in the line that it was taken back.</summary>
    public static Task<long?> EndAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<long?>(
            EndSql, new TaskWrite.IdParameters { Id = id, CancellationToken = cancellationToken }, transaction.Transaction);
}
