using System.Text.Json;
using Dapper;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Remediation.Audit;

/// <summary>The table harbor_scan.repair: every repair is a line of it (conventions 5.10).</summary>
internal static class AuditTable
{
    private const string InsertSql = """
        insert into harbor_scan.repair (
            run, source, actor, note, action, state, failure, verdict, evidence, vendor_type, task_id, execution_id, job_id, robot_id, artifact_id,
            revision, status, before, after, ended_at, undo_of)
        values (
            @Run, @Source, @Actor, @Note, @Action, @State, @Failure, @Verdict, @Evidence::json, @Type, @TaskId, @ExecutionId, @JobId, @RobotId, @ArtifactId,
            @Revision, @Status, @Before::json, @After::json, case when @State <> 'intended' then clock_timestamp() end, @UndoOf)
        on conflict do nothing
        returning id
        """;

    private const string OutcomeSql = """
        update harbor_scan.repair
        set state = @State,
            failure = @Failure,
            after = @After::json,
            ended_at = clock_timestamp()
        where id = @Id and state = 'intended'
        returning id
        """;

    // now() bounds the lines and not clock_timestamp(), which is another one for each row and so finds nothing by the index.
    private const string CountsSql = $"""
        select date_part('epoch', clock_timestamp()) as Now,
               {RepairAuditLookup.OfLateColumns},
               count(*) filter (where {RepairAuditLookup.IsRepair} and at > now() - interval '1 day') as LastDay,
               date_part('epoch', max(ended_at) filter (where action = 'finish_task' and status = 'Success')) as NewestOwnSuccess
        from harbor_scan.repair
        where at > now() - @Hours * interval '1 hour'
        """;

    private const string PastColumns = """
        id as Id, action as Action, state as State, failure as Failure, task_id as TaskId, execution_id as ExecutionId, robot_id as RobotId,
        artifact_id as ArtifactId, vendor_type as Type, coalesce(revision, 0) as Revision, date_part('epoch', at) as At,
        date_part('epoch', ended_at) as EndedAt, verification as Verification
        """;

    // An undo raises the execution's revision, as everybody does who writes the row: another one than it left is somebody else's.
    private const string HasMovedOn = """
        state = 'undone' and task_id is null and exists (
            select
            from harbor_scan.repair undo
            join execution e on e.id = undo.execution_id
            where undo.execution_id = r.execution_id and undo.undo_of = r.id
              and e.revision is distinct from ((undo.after -> 'execution' -> 'revision') #>> '{}')::bigint)
        """;

    private const string OfThingsSql = $"""
        select {PastColumns}, {HasMovedOn} as HasMovedOn
        from harbor_scan.repair r
        where task_id = any(@Tasks)
           or (task_id is null and execution_id = any(@Executions))
           or (task_id is null and robot_id = any(@Robots))
        order by id
        """;

    private const string ReadOnlySql = "select bool_or(read_only) from harbor_scan.read_only where read_only or @Either";

    private const string OpenIntentsSql = $"""
        select {PastColumns}
        from harbor_scan.repair
        where state = 'intended' and at < clock_timestamp() - @Seconds * interval '1 second'
        order by id
        limit 200
        """;

    private const string YoungestSql = """
        select date_part('epoch', clock_timestamp() - max(at))
        from harbor_scan.repair
        where state = @State
        """;

    /// <summary>Writes a line; null when another run has written the same intent.</summary>
    public static async Task<long?> AddAsync(RepairTransaction transaction, AuditLine line, CancellationToken cancellationToken) =>
        await transaction.Connection.QueryFirstOrDefaultAsync<long?>(InsertSql, InsertParameters.Of(line, cancellationToken), transaction.Transaction);

    /// <summary>Writes the outcome of an intent; false when somebody else has.</summary>
    public static async Task<bool> EndAsync(RepairTransaction transaction, long id, string state, string? failure, string? after, CancellationToken cancellationToken) =>
        await transaction.Connection.QueryFirstOrDefaultAsync<long?>(
            OutcomeSql,
            new OutcomeParameters { Id = id, State = state, Failure = failure, After = after, CancellationToken = cancellationToken },
            transaction.Transaction) is not null;

    /// <summary>What a plan needs of the past.</summary>
    public static async Task<RepairHistory> HistoryAsync(RepairTransaction transaction, long[] tasks, long[] executions, long[] robots, CancellationToken cancellationToken)
    {
        var counts = await transaction.Connection.QueryFirstAsync<CountsRow>(
            CountsSql, new CountsParameters { Hours = 25, CancellationToken = cancellationToken }, transaction.Transaction);
        var past = await transaction.Connection.QueryAsync<PastRepair>(
            OfThingsSql,
            new ThingsParameters { Tasks = tasks, Executions = executions, Robots = robots, CancellationToken = cancellationToken },
            transaction.Transaction);
        return new RepairHistory
        {
            Now = counts.Now,
            OfCandidates = past.AsList(),
            LastHour = counts.Repaired,
            LastDay = counts.LastDay,
            FailedLastHour = counts.Failed,
            RevertedLately = counts.Reverted,
            NewestOwnSuccess = counts.NewestOwnSuccess,
            ReadOnly = await transaction.Connection.QueryFirstOrDefaultAsync<bool?>(
                ReadOnlySql, new ReadOnlyParameters { Either = true, CancellationToken = cancellationToken }, transaction.Transaction),
            Standby = await transaction.IsStandbyAsync(cancellationToken),
        };
    }

    /// <summary>Intents older than this whose outcome nobody wrote.</summary>
    public static async Task<IReadOnlyList<PastRepair>> OpenIntentsAsync(RepairTransaction transaction, TimeSpan age, CancellationToken cancellationToken) =>
        (await transaction.Connection.QueryAsync<PastRepair>(
            OpenIntentsSql, new IntentsParameters { Seconds = age.TotalSeconds, CancellationToken = cancellationToken }, transaction.Transaction)).AsList();

    /// <summary>How old the youngest intent without an outcome is, in seconds; null when there is none.</summary>
    public static Task<double?> YoungestIntentAsync(RepairTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstAsync<double?>(
            YoungestSql, new YoungestParameters { State = RepairState.Intended, CancellationToken = cancellationToken }, transaction.Transaction);

    internal sealed record CountsRow
    {
        public double Now { get; init; }

        public long Repaired { get; init; }

        public long Failed { get; init; }

        public long Reverted { get; init; }

        public long LastDay { get; init; }

        public double? NewestOwnSuccess { get; init; }
    }

    internal sealed record InsertParameters
    {
        public required string Run { get; init; }

        public required string Source { get; init; }

        public required string Actor { get; init; }

        public required string? Note { get; init; }

        public required string Action { get; init; }

        public required string State { get; init; }

        public required string? Failure { get; init; }

        public required string Verdict { get; init; }

        public required string Evidence { get; init; }

        public required string? Type { get; init; }

        public required long? TaskId { get; init; }

        public required long? ExecutionId { get; init; }

        public required string? JobId { get; init; }

        public required long? RobotId { get; init; }

        public required long? ArtifactId { get; init; }

        public required long? Revision { get; init; }

        public required string? Status { get; init; }

        public required string? Before { get; init; }

        public required string? After { get; init; }

        public required long? UndoOf { get; init; }

        public required CancellationToken CancellationToken { get; init; }

        public static InsertParameters Of(AuditLine line, CancellationToken cancellationToken) => new()
        {
            Run = line.Run,
            Source = line.Asker.Source,
            Actor = line.Asker.Actor,
            Note = line.Asker.Note,
            Action = line.Action,
            State = line.State,
            Failure = line.Failure,
            Verdict = line.Verdict,
            Evidence = JsonSerializer.Serialize(line.Evidence, RepairJson.Default.IReadOnlyListString),
            Type = line.Type,
            TaskId = line.TaskId,
            ExecutionId = line.ExecutionId,
            JobId = line.JobId,
            RobotId = line.RobotId,
            ArtifactId = line.ArtifactId,
            Revision = line.Revision,
            Status = line.Status,
            Before = line.Before,
            After = line.After,
            UndoOf = line.UndoOf,
            CancellationToken = cancellationToken,
        };
    }

    internal sealed record OutcomeParameters
    {
        public required long Id { get; init; }

        public required string State { get; init; }

        public required string? Failure { get; init; }

        public required string? After { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record CountsParameters
    {
        public required double Hours { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record ThingsParameters
    {
        public required long[] Tasks { get; init; }

        public required long[] Executions { get; init; }

        public required long[] Robots { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record ReadOnlyParameters
    {
        public required bool Either { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record IntentsParameters
    {
        public required double Seconds { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record YoungestParameters
    {
        public required string State { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
