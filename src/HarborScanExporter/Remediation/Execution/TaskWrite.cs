using Dapper;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>
/// Writes single rows of <c>task</c> under the fence of harbor-facts 7.1. Times are made by the server, in whole seconds of UTC, as Harbor
/// makes them; status_revision, run_count, start_time, extra_attrs and job_id stay as they are.
/// </summary>
internal static class TaskWrite
{
    // The functions of deploy/sql/03-remediation-role.sql write, under the fence that they are given; the role itself may change no table of Harbor's.
    private const string Fence = "@Id, @Status, @Code, @Revision, @Updated";

    private const string LockSql = $"select harbor_scan.lock_task({Fence})";

    private const string ReadSql = """
        select harbor_scan.task_image(t.id)
        from task t
        where t.id = @Id
          and t.status = @Status
          and t.status_code = @Code
          and coalesce(t.status_revision, 0) = @Revision
          and case when isfinite(t.update_time) and t.update_time >= '1970-01-01' then date_part('epoch', t.update_time) end is not distinct from @Updated
        """;

    private const string ImageSql = "select harbor_scan.task_image(@Id)";

    private const string FinishSql = $"""
        select harbor_scan.write_task({Fence}, @Written, 3, @Message,
                                      date_trunc('second', now() at time zone 'utc'),
                                      date_trunc('second', coalesce(to_timestamp(@Ended), now()) at time zone 'utc'))
        """;

    private const string FixCodeSql = $"""
        select harbor_scan.write_task({Fence}, t.status, 3, @Message,
                                      t.update_time,
                                      coalesce(
                                          case when isfinite(t.end_time) and t.end_time >= '1970-01-01' then t.end_time end,
                                          case when isfinite(t.update_time) and t.update_time >= '1970-01-01' then t.update_time end,
                                          date_trunc('second', now() at time zone 'utc')))
        from task t
        where t.id = @Id and t.status = @Written and t.status in ('Success', 'Error', 'Stopped') and t.status_code < 3
        """;

    /// <summary>Locks the row as it was judged; null when it has moved on, or when another transaction holds it.</summary>
    public static Task<string?> LockAsync(RepairTransaction transaction, long id, Fence fence, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(LockSql, FenceParameters.Of(id, fence, cancellationToken), transaction.Transaction);

    /// <summary>The row as it was judged, without a lock; null when it has moved on.</summary>
    public static Task<string?> ReadAsync(RepairTransaction transaction, long id, Fence fence, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(ReadSql, FenceParameters.Of(id, fence, cancellationToken), transaction.Transaction);

    /// <summary>The row as it is now; null when it is gone.</summary>
    public static Task<string?> ImageAsync(RepairTransaction transaction, long id, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(ImageSql, new IdParameters { Id = id, CancellationToken = cancellationToken }, transaction.Transaction);

    /// <summary>Gives the row a final status and an end; the row as it is then, or null when it was not the one that was judged.</summary>
    /// <param name="transaction">The transaction of the batch.</param>
    /// <param name="id">The task.</param>
    /// <param name="fence">The row as it was judged.</param>
    /// <param name="status">The status that is written.</param>
    /// <param name="ended">Its end in seconds since 1970; null for now.</param>
    /// <param name="message">The status message that is written.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public static Task<string?> FinishAsync(
        RepairTransaction transaction, long id, Fence fence, string status, double? ended, string message, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(
            FinishSql, WriteParameters.Of(id, fence, status, message, cancellationToken) with { Ended = ended }, transaction.Transaction);

    /// <summary>Gives a final row the code of a final row; the row as it is then, or null when it was not the one that was judged.</summary>
    public static Task<string?> FixCodeAsync(RepairTransaction transaction, long id, Fence fence, string message, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(FixCodeSql, WriteParameters.Of(id, fence, fence.Status, message, cancellationToken), transaction.Transaction);

    internal sealed record IdParameters
    {
        public required long Id { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record FenceParameters
    {
        public required long Id { get; init; }

        public required string Status { get; init; }

        public required long Code { get; init; }

        public required long Revision { get; init; }

        public required double? Updated { get; init; }

        public required CancellationToken CancellationToken { get; init; }

        public static FenceParameters Of(long id, Fence fence, CancellationToken cancellationToken) => new()
        {
            Id = id,
            Status = fence.Status,
            Code = fence.Code,
            Revision = fence.Revision,
            Updated = fence.Updated,
            CancellationToken = cancellationToken,
        };
    }

    internal sealed record WriteParameters
    {
        public required long Id { get; init; }

        public required string Status { get; init; }

        public required long Code { get; init; }

        public required long Revision { get; init; }

        public required double? Updated { get; init; }

        public required string Written { get; init; }

        public required string Message { get; init; }

        public double? Ended { get; init; }

        public required CancellationToken CancellationToken { get; init; }

        public static WriteParameters Of(long id, Fence fence, string written, string message, CancellationToken cancellationToken) => new()
        {
            Id = id,
            Status = fence.Status,
            Code = fence.Code,
            Revision = fence.Revision,
            Updated = fence.Updated,
            Written = written,
            Message = message,
            CancellationToken = cancellationToken,
        };
    }
}
