using Dapper;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;

namespace HarborScanExporter.Remediation.Verification;

/// <summary>A line of the audit whose repair is due to be looked at again.</summary>
internal sealed record DueCheck
{
    /// <summary>What a hook that was under way does to the row shows within it.</summary>
    public static readonly TimeSpan First = TimeSpan.FromMinutes(1);

    /// <summary>The job service's reaper works hourly and sends again what core has not acknowledged; the rest covers its round.</summary>
    public static readonly TimeSpan Second = TimeSpan.FromMinutes(70);

    /// <summary>No more looks.</summary>
    public const long Last = 2;

    public long Id { get; init; }

    public string Action { get; init; } = "";

    public string Verdict { get; init; } = "";

    public string? Type { get; init; }

    public long? TaskId { get; init; }

    public long? ExecutionId { get; init; }

    public string? JobId { get; init; }

    public long? RobotId { get; init; }

    public long? ArtifactId { get; init; }

    /// <summary>status_revision of the row that was repaired; 0 for NULL.</summary>
    public long Revision { get; init; }

    /// <summary>The status that the repair left: of the task, or of the execution where it was one of an execution.</summary>
    public string Status { get; init; } = "";

    /// <summary>Looks taken so far.</summary>
    public long Checks { get; init; }

    /// <summary>Seconds since the repair ended, by the database's clock.</summary>
    public double Age { get; init; }

    /// <summary>Looks taken once this one is: a first look that comes after the time of the second, as after an outage of the exporter, is both.</summary>
    public long ChecksAfter => Age >= Second.TotalSeconds ? Last : Checks + 1;

    /// <summary>A line that is to be looked at again; the same list as in the index repair_unverified.</summary>
    public const string Verifiable =
        "state = 'done' and checks < 2 and action in ('stop_job', 'finish_task', 'refresh_execution', 'close_empty_execution', 'fix_status_code')";

    private const string DueAt = "ended_at + case checks when 0 then @First else @Second end * interval '1 second'";

    private const string ReadSql = $$"""
        select id as Id, action as Action, verdict as Verdict, vendor_type as Type, task_id as TaskId, execution_id as ExecutionId, job_id as JobId,
               robot_id as RobotId, artifact_id as ArtifactId, coalesce(revision, 0) as Revision,
               coalesce(status, (after -> 'execution' -> 'status') #>> '{}', '') as Status, checks::bigint as Checks,
               date_part('epoch', clock_timestamp() - ended_at) as Age
        from harbor_scan.repair
        where {{Verifiable}} and {{DueAt}} <= clock_timestamp() and id > @After
        order by id
        limit @Most
        """;

    private const string NextSql = $"""
        select date_part('epoch', min({DueAt}) - clock_timestamp())
        from harbor_scan.repair
        where {Verifiable}
        """;

    private const string EndSql = """
        update harbor_scan.repair
        set checks = @Checks,
            verification = coalesce(@Verification, verification),
            state = @State
        where id = @Id and state = 'done' and checks = @Were
        returning id
        """;

    /// <summary>The lines that are due, by id.</summary>
    /// <param name="transaction">The transaction that writes what was seen.</param>
    /// <param name="after">Only lines with a greater id.</param>
    /// <param name="most">At most so many.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public static async Task<IReadOnlyList<DueCheck>> ReadAsync(RepairTransaction transaction, long after, long most, CancellationToken cancellationToken) =>
        (await transaction.Connection.QueryAsync<DueCheck>(ReadSql, new ReadParameters
        {
            After = after,
            Most = most,
            First = First.TotalSeconds,
            Second = Second.TotalSeconds,
            CancellationToken = cancellationToken,
        }, transaction.Transaction)).AsList();

    /// <summary>Seconds until the next line is due, below 0 when one is; null when none waits for a look.</summary>
    public static Task<double?> NextAsync(RepairTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<double?>(
            NextSql, new NextParameters { First = First.TotalSeconds, Second = Second.TotalSeconds, CancellationToken = cancellationToken }, transaction.Transaction);

    /// <summary>Writes what was seen; false when somebody else has, or has taken the repair back.</summary>
    /// <param name="transaction">The transaction of the look.</param>
    /// <param name="seen">What became of the repair.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public async Task<bool> EndAsync(RepairTransaction transaction, Seen seen, CancellationToken cancellationToken) =>
        await transaction.Connection.QueryFirstOrDefaultAsync<long?>(EndSql, new EndParameters
        {
            Id = Id,
            // Only what held can be seen otherwise later.
            Checks = seen == Seen.Held ? ChecksAfter : Last,
            Were = Checks,
            Verification = seen.Word(),
            State = seen == Seen.NoEffect ? RepairState.NoEffect : RepairState.Done,
            CancellationToken = cancellationToken,
        }, transaction.Transaction) is not null;

    internal sealed record ReadParameters
    {
        public required long After { get; init; }

        public required long Most { get; init; }

        public required double First { get; init; }

        public required double Second { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record NextParameters
    {
        public required double First { get; init; }

        public required double Second { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record EndParameters
    {
        public required long Id { get; init; }

        public required long Checks { get; init; }

        public required long Were { get; init; }

        public required string? Verification { get; init; }

        public required string State { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
