using Dapper;
using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Database.Queries;

/// <summary>A robot account made for a scan.</summary>
internal sealed record RobotRow
{
    public long Id { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public double Created { get; init; }

    /// <summary>How many of its kind there are, those beyond the bound of the read among them.</summary>
    public long Total { get; init; }
}

/// <summary>Reads the robot accounts of scans that are left over (harbor-facts 5.6).</summary>
internal static class RobotLookup
{
    /// <summary>Robot <c>r</c> was made for a scan before a time, and is not among those that are named.</summary>
    public const string IsLeaked = """
        not r.visible
          and r.description = 'for scan'
          and isfinite(r.creation_time)
          and date_part('epoch', r.creation_time) < @CreatedBefore
          and not exists (select from unnest(@Named) as named (id) where named.id = r.id)
        """;

    /// <summary>A robot older than this, in seconds, is one that Harbor did not remove after its scan.</summary>
    public const double LeakedAfter = 24 * 3600;

    /// <summary>A robot is made in the transaction of its task: a task so many seconds younger than that names none that is as old.</summary>
    public const double Slack = 3600;

    private const string CountSql = $"select count(*) from robot r where {IsLeaked}";

    private const string Sql = $"""
        select r.id::bigint as Id, date_part('epoch', r.creation_time) as Created, count(*) over () as Total
        from robot r
        where {IsLeaked}
        order by r.id
        limit @Most
        """;

    /// <summary>At most so many of those made before that time that are not among the named ones; the oldest.</summary>
    public static async Task<IReadOnlyList<RobotRow>> LeakedAsync(Snapshot snapshot, double createdBefore, long[] named, int most, CancellationToken cancellationToken) =>
        (await snapshot.Connection.QueryAsync<RobotRow>(
            Sql, new Parameters { CreatedBefore = createdBefore, Named = named, Most = most, CancellationToken = cancellationToken }, snapshot.Transaction)).AsList();

    /// <summary>How many of those made before that time are not among the named ones.</summary>
    public static Task<long> CountLeakedAsync(Snapshot snapshot, double createdBefore, long[] named, CancellationToken cancellationToken) =>
        snapshot.Connection.QueryFirstAsync<long>(
            CountSql, new CountParameters { CreatedBefore = createdBefore, Named = named, CancellationToken = cancellationToken }, snapshot.Transaction);

    internal sealed record CountParameters
    {
        public required double CreatedBefore { get; init; }

        public required long[] Named { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record Parameters
    {
        public required double CreatedBefore { get; init; }

        public required long[] Named { get; init; }

        public required int Most { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
