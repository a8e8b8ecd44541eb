using Dapper;
using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Remediation.Audit;

/// <summary>Lines of the audit, the newest first, as the scraping role may read them.</summary>
/// <param name="Lines">Those of one page.</param>
/// <param name="Total">How many fit, on all pages.</param>
internal sealed record AuditPage(IReadOnlyList<AuditRow> Lines, long Total)
{
    private const string Fits = """
        from harbor_scan.repair
        where (@State = '' or state = @State)
          and (@Action = '' or action = @Action)
          and (@Task < 0 or task_id = @Task)
        """;

    private const string TotalSql = $"select count(*) {Fits}";

    private const string LinesSql = $"""
        select id as Id, date_part('epoch', at) as At, date_part('epoch', ended_at) as EndedAt, run as Run, source as Source, actor as Actor, note as Note,
               action as Action, state as State, failure as Failure, verdict as Verdict, evidence::text as Evidence, vendor_type as Type, task_id as TaskId,
               execution_id as ExecutionId, job_id as JobId, robot_id as RobotId, artifact_id as ArtifactId,
               coalesce(before->'task'->>'status', before->'execution'->>'status') as StatusBefore, status as Status, verification as Verification, undo_of as UndoOf
        {Fits}
        order by id desc
        limit @Size offset @Skipped
        """;

    /// <summary>Reads a page.</summary>
    /// <param name="snapshot">A transaction of the scraping role.</param>
    /// <param name="filter">Which lines.</param>
    /// <param name="page">From 1.</param>
    /// <param name="size">Lines on a page.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="Npgsql.NpgsqlException">There is no audit, or it cannot be read.</exception>
    public static async Task<AuditPage> ReadAsync(Snapshot snapshot, AuditFilter filter, int page, int size, CancellationToken cancellationToken)
    {
        var parameters = new PageParameters
        {
            State = filter.State ?? "",
            Action = filter.Action ?? "",
            Task = filter.Task ?? -1,
            Size = size,
            Skipped = (page - 1L) * size,
            CancellationToken = cancellationToken,
        };
        var total = await snapshot.Connection.QueryFirstAsync<long>(TotalSql, parameters, snapshot.Transaction);
        var lines = await snapshot.Connection.QueryAsync<AuditRow>(LinesSql, parameters, snapshot.Transaction);
        return new AuditPage(lines.AsList(), total);
    }

    internal sealed record PageParameters
    {
        public required string State { get; init; }

        public required string Action { get; init; }

        public required long Task { get; init; }

        public required long Size { get; init; }

        public required long Skipped { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}

/// <summary>Which lines are asked for; null stands for all.</summary>
internal sealed record AuditFilter(string? State, string? Action, long? Task);

/// <summary>One line of the audit for people. Times are seconds since 1970 by the database's clock.</summary>
internal sealed record AuditRow
{
    public long Id { get; init; }

    public double At { get; init; }

    public double? EndedAt { get; init; }

    public string Run { get; init; } = "";

    public string Source { get; init; } = "";

    public string Actor { get; init; } = "";

    public string? Note { get; init; }

    public string Action { get; init; } = "";

    public string State { get; init; } = "";

    public string? Failure { get; init; }

    public string Verdict { get; init; } = "";

    /// <summary>An array of sentences, as JSON.</summary>
    public string Evidence { get; init; } = "[]";

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public string? JobId { get; init; }

    public long? RobotId { get; init; }

    public long? ArtifactId { get; init; }

    public string? StatusBefore { get; init; }

    public string? Status { get; init; }

    public string? Verification { get; init; }

    public long? UndoOf { get; init; }
}
