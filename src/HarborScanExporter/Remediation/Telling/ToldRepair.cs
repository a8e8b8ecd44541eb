using Dapper;
using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Remediation.Telling;

/// <summary>A line of the audit as people are shown it. Times are seconds since 1970 by the database's clock.</summary>
internal sealed record ToldRepair
{
    public long Id { get; init; }

    public double At { get; init; }

    /// <summary>The run that it belongs to.</summary>
    public string Run { get; init; } = "";

    /// <summary>One of <see cref="RunSource"/>.</summary>
    public string Source { get; init; } = "";

    public string Actor { get; init; } = "";

    public string? Note { get; init; }

    /// <summary>The word of a <see cref="RepairAction"/>, or undo.</summary>
    public string Action { get; init; } = "";

    /// <summary>One of <see cref="RepairState"/>.</summary>
    public string State { get; init; } = "";

    public string? Failure { get; init; }

    public string Verdict { get; init; } = "";

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public long? RobotId { get; init; }

    /// <summary>The status that was to be written; null where none was.</summary>
    public string? Status { get; init; }

    /// <summary>The rows before and after, as JSON.</summary>
    public string? Before { get; init; }

    public string? After { get; init; }

    /// <summary>Whether it held, as was seen later; null until then.</summary>
    public string? Verification { get; init; }

    /// <summary>The line that it takes back.</summary>
    public long? UndoOf { get; init; }

    // An execution that was removed is in its line with all its tasks; nobody is shown more than a status of it.
    private const string NewestSql = """
        select id as Id, date_part('epoch', at) as At, run as Run, source as Source, actor as Actor, note as Note, action as Action, state as State,
               failure as Failure, verdict as Verdict, vendor_type as Type, task_id as TaskId, execution_id as ExecutionId, robot_id as RobotId, status as Status,
               case when action <> 'sweep' then before::text end as Before,
               case when action <> 'sweep' then after::text end as After,
               verification as Verification, undo_of as UndoOf
        from harbor_scan.repair
        order by id desc
        limit @Most
        """;

    /// <summary>The newest lines, newest first.</summary>
    public static async Task<IReadOnlyList<ToldRepair>> NewestAsync(RepairTransaction transaction, long most, CancellationToken cancellationToken) =>
        (await transaction.Connection.QueryAsync<ToldRepair>(
            NewestSql, new NewestParameters { Most = most, CancellationToken = cancellationToken }, transaction.Transaction)).AsList();

    internal sealed record NewestParameters
    {
        public required long Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
