using Dapper;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>A task's row as it is now.</summary>
internal sealed record TaskRow
{
    public string Status { get; init; } = "";

    public long Code { get; init; }

    public long Revision { get; init; }

    /// <summary>update_time in seconds since 1970 as the row holds it.</summary>
    public double? Updated { get; init; }

    /// <summary>All its columns as JSON.</summary>
    public string Image { get; init; } = "";

    public Fence Fence => new(Status, Code, Revision, Epoch.Usable(Updated));

    private const string ReadSql = """
        select t.status as Status, t.status_code::bigint as Code, coalesce(t.status_revision, 0)::bigint as Revision,
               date_part('epoch', t.update_time) as Updated, harbor_scan.task_image(t.id) as Image
        from task t
        where t.id = @Id
        """;

    private const string RobotSql = "select exists (select from robot where id = @Id)";

    /// <summary>The row; null when it is gone.</summary>
    public static async Task<TaskRow?> ReadAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken) =>
        await transaction.Connection.QueryFirstOrDefaultAsync<TaskRow>(
            ReadSql, new TaskWrite.IdParameters { Id = id, CancellationToken = cancellationToken }, transaction.Transaction);

    /// <summary>Whether a robot account is still there.</summary>
    public static Task<bool> RobotExistsAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstAsync<bool>(RobotSql, new TaskWrite.IdParameters { Id = id, CancellationToken = cancellationToken }, transaction.Transaction);
}
