using Dapper;
using HarborScanExporter.Database.Session;
using Npgsql;

namespace HarborScanExporter.Database.Queries;

/// <summary>How many lines of the audit are alike.</summary>
internal sealed record RepairCount
{
    /// <summary>The word of an action, or undo.</summary>
    public string Action { get; init; } = "";

    /// <summary>intended, done, failed, no_effect or undone.</summary>
    public string State { get; init; } = "";

    /// <summary>Why it failed; empty when it did not.</summary>
    public string Failure { get; init; } = "";

    /// <summary>What became of it afterwards; empty while nothing is known.</summary>
    public string Verification { get; init; } = "";

    public long Lines { get; init; }
}

/// <summary>What the audit says of the last hours, as the breaker asks for it, and of the newest run.</summary>
internal sealed record RepairsOfLate
{
    /// <summary>Repairs of the last hour that did not fail.</summary>
    public long Repaired { get; init; }

    /// <summary>Those of the last hour that did; a held lock is no failure, nor is an act that was never made.</summary>
    public long Failed { get; init; }

    /// <summary>Repairs of the last three hours that were found reverted.</summary>
    public long Reverted { get; init; }

    /// <summary>When a run wrote its newest line, in seconds since 1970; null when none has.</summary>
    public double? NewestRun { get; init; }
}

/// <summary>Reads the table harbor_scan.repair by the scraping role, which may read it and no more.</summary>
internal static class RepairAuditLookup
{
    // What nothing more is to come of is in the totals; of the rest, which is as long as the last hours were busy, the index repair_uncounted tells.
    private const string CountsSql = """
        select action as Action, state as State, failure as Failure, verification as Verification, sum(lines)::bigint as Lines
        from (
            select action, state, failure, verification, lines
            from harbor_scan.repair_total
            union all
            select action, state, coalesce(failure, @None), coalesce(verification, @None), count(*)
            from harbor_scan.repair
            where not counted
            group by 1, 2, 3, 4
        ) as counts
        group by action, state, failure, verification
        """;

    /// <summary>Lines of repairs that count for the caps and the breaker.</summary>
    public const string IsRepair = "state <> 'failed' and action <> 'undo'";

    // now() and not clock_timestamp(), which is another one for each row and so finds nothing by the index.
    /// <summary>What the breaker is asked of the last hours: one rule for the run that it stops and for the metric that tells of it.</summary>
    public const string OfLateColumns = $"""
        count(*) filter (where {IsRepair} and at > now() - interval '1 hour') as Repaired,
        count(*) filter (where state = 'failed' and failure not in ('locked', 'interrupted', 'paused') and at > now() - interval '1 hour') as Failed,
        count(*) filter (where verification = 'reverted' and at > now() - interval '3 hours') as Reverted
        """;

    private const string OfLateSql = $"""
        select {OfLateColumns},
               (select date_part('epoch', max(newest.at)) from harbor_scan.repair newest where newest.source <> @Verification and newest.action <> 'undo') as NewestRun
        from harbor_scan.repair
        where at > now() - interval '3 hours'
        """;

    /// <summary>All lines, counted, those among them that were removed since.</summary>
    /// <exception cref="PostgresException">The table is missing, may not be read, or the statement took too long.</exception>
    public static async Task<IReadOnlyList<RepairCount>> CountsAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        (await snapshot.Connection.QueryAsync<RepairCount>(
            CountsSql, new CountsParameters { None = "", CancellationToken = cancellationToken }, snapshot.Transaction)).AsList();

    /// <summary>The last hours.</summary>
    /// <exception cref="PostgresException">The table is missing, may not be read, or the statement took too long.</exception>
    public static Task<RepairsOfLate> OfLateAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        snapshot.Connection.QueryFirstAsync<RepairsOfLate>(
            OfLateSql, new OfLateParameters { Verification = "verification", CancellationToken = cancellationToken }, snapshot.Transaction);

    internal sealed record CountsParameters
    {
        public required string None { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record OfLateParameters
    {
        public required string Verification { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
