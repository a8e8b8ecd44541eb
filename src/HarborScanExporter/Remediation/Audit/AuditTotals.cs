using Dapper;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Verification;

namespace HarborScanExporter.Remediation.Audit;

/// <summary>
/// Counts lines of the audit for good once nothing more is to come of them, so that a scrape reads no line twice and an operator may remove them
/// (deploy/sql/06-prune-audit.sql). Whoever counts holds the lock of a run.
/// </summary>
internal static class AuditTotals
{
    // The same as in 03-remediation-role.sql. What nobody has looked at again for a month nobody will: a server without the exporter's loops.
    private const string Settled = $"""
        not counted and state <> 'intended' and (at < now() - interval '30 days' or not ({DueCheck.Verifiable}))
        """;

    private const string IsAnySql = $"select exists (select from harbor_scan.repair where {Settled} and @Any)";

    private const string CountSql = $"""
        with settled as (
            update harbor_scan.repair
            set counted = true
            where id in (select id from harbor_scan.repair where {Settled} order by id limit @Most)
            returning action, state, coalesce(failure, '') as failure, coalesce(verification, '') as verification
        ), counted as (
            insert into harbor_scan.repair_total as total (action, state, failure, verification, lines)
            select action, state, failure, verification, count(*)
            from settled
            group by action, state, failure, verification
            on conflict (action, state, failure, verification) do update set lines = total.lines + excluded.lines
            returning lines
        )
        select count(*) from settled
        """;

    /// <summary>Whether there is anything to be counted.</summary>
    public static Task<bool> IsAnyAsync(RepairTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstAsync<bool>(IsAnySql, new AnyParameters { Any = true, CancellationToken = cancellationToken }, transaction.Transaction);

    /// <summary>Counts at most so many lines.</summary>
    /// <returns>How many it counted.</returns>
    public static Task<long> CountAsync(RepairTransaction transaction, long most, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstAsync<long>(CountSql, new CountParameters { Most = most, CancellationToken = cancellationToken }, transaction.Transaction);

    internal sealed record AnyParameters
    {
        public required bool Any { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record CountParameters
    {
        public required long Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
