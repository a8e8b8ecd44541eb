using Dapper;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>
/// Removes one execution with its tasks. All is asked again of the locked rows, tasks before the execution as Harbor's own hooks and sweep lock
/// them; while the execution is locked no task can join it.
/// </summary>
internal static class SweepWriting
{
    // The functions of deploy/sql/04-remediation-sweep.sql lock and remove; the role itself may do neither.
    private const string LockTasksSql =
        "select id as Id, status as Status, code as Code, extra_attrs as ExtraAttributes, image as Image from harbor_scan.lock_old_tasks(@Id, @Most)";

    private const string IsAsFound =
        "e.id = @Id and e.vendor_type = @Type and e.status = @Status and coalesce(e.revision, 0) = @Revision and date_part('epoch', e.start_time) = @Started";

    private const string LockExecutionSql = "select harbor_scan.lock_old_execution(@Id, @Type, @Status, @Revision, @Started)";

    private const string StandsSql = $"select exists (select from execution e where {IsAsFound})";

    private const string CountSql = "select count(*) from task where execution_id = @Id";

    private const string NewerSql = "select exists (select from execution where id = @Newer and vendor_type = @Type and date_part('epoch', start_time) > @Started)";

    private const string RemoveSql = "select harbor_scan.remove_execution(@Id)";

    /// <summary>Removes it; part of a transaction that writes the audit's line too.</summary>
    /// <returns>One of <see cref="RepairFailure"/> when it was left alone, else the rows that are gone, as JSON.</returns>
    /// <exception cref="Npgsql.PostgresException">The database refuses: nothing of it may be committed.</exception>
    public static async Task<(string? Failure, string? Before)> RemoveAsync(RepairTransaction transaction, SweepCandidate candidate, CancellationToken cancellationToken)
    {
        var (connection, inside) = (transaction.Connection, transaction.Transaction);
        var parameters = Parameters.Of(candidate, cancellationToken);
        var tasks = (await connection.QueryAsync<LockedTask>(LockTasksSql, parameters, inside)).AsList();
        if (await connection.QueryFirstOrDefaultAsync<string?>(LockExecutionSql, parameters, inside) is not { } execution)
            return (await connection.QueryFirstAsync<bool>(StandsSql, parameters, inside) ? RepairFailure.Locked : RepairFailure.LostRace, null);
        var count = await connection.QueryFirstAsync<long>(CountSql, parameters, inside);
        if (count != tasks.Count) return (count > SweepReader.MostTasks ? RepairFailure.LostRace : RepairFailure.Locked, null);
        var isOver = tasks.TrueForAll(task => ScanStatus.IsFinal(task.Status) && task.Code == ScanStatus.CodeOf(task.Status));
        if (!isOver || !await connection.QueryFirstAsync<bool>(NewerSql, parameters, inside) || !await AreReportsGoneAsync(transaction, candidate.Id, tasks, cancellationToken))
            return (RepairFailure.LostRace, null);
        await connection.QueryAsync<long>(RemoveSql, parameters, inside);
        return (null, $$"""{"tasks": [{{string.Join(", ", tasks.Select(task => task.Image))}}], "execution": {{execution}}}""");
    }

    private static async Task<bool> AreReportsGoneAsync(RepairTransaction transaction, long execution, List<LockedTask> tasks, CancellationToken cancellationToken)
    {
        (long Task, TaskAttributes Named)[] named = [.. tasks.Select(task => (task.Id, TaskAttributes.Parse(task.ExtraAttributes)))];
        var existing = await ReportRows.ExistingAsync(transaction, named.SelectMany(its => its.Named.ReportUuids), cancellationToken);
        (long, string)[] kept = [.. from its in named from uuid in its.Named.ReportUuids where existing.Contains(uuid) select (its.Task, uuid)];
        var sharing = await ReportSharingLookup.ReadAsync(transaction.Connection, transaction.Transaction, transaction.Tables, kept, cancellationToken);
        return named.All(its => NamedReports.AreGone(its.Named, execution, existing.Contains, uuid => sharing.GetValueOrDefault((its.Task, uuid), ReportSharing.None)));
    }

    internal sealed record LockedTask
    {
        public long Id { get; init; }

        public string Status { get; init; } = "";

        public long Code { get; init; }

        public string? ExtraAttributes { get; init; }

        public string Image { get; init; } = "";
    }

    internal sealed record Parameters
    {
        public required long Id { get; init; }

        public required string Type { get; init; }

        public required string Status { get; init; }

        public required long Revision { get; init; }

        public required double Started { get; init; }

        public required long Newer { get; init; }

        public required long Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }

        public static Parameters Of(SweepCandidate candidate, CancellationToken cancellationToken) => new()
        {
            Id = candidate.Id,
            Type = candidate.Type,
            Status = candidate.Status,
            Revision = candidate.Revision,
            Started = candidate.Started,
            Newer = candidate.Newer,
            Most = SweepReader.MostTasks,
            CancellationToken = cancellationToken,
        };
    }
}
