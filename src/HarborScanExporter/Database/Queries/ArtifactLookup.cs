using Dapper;
using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Database.Queries;

/// <summary>A repository that holds an artifact.</summary>
/// <param name="ArtifactId">The artifact.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Repository">The repository's name, with its project.</param>
/// <param name="ProjectId">The project.</param>
internal sealed record ArtifactPlace(long ArtifactId, string Digest, string Repository, long ProjectId);

/// <summary>Reads who holds what a stuck task scans, and which projects refuse pulls of it; for findings, never for a scrape.</summary>
internal static class ArtifactLookup
{
    private const string ByIdSql = """
        select id::bigint as ArtifactId, digest as Digest, repository_name as Repository, project_id::bigint as ProjectId
        from artifact
        where id = any(@Ids)
        order by id
        """;

    private const string ByDigestSql = """
        select id::bigint as ArtifactId, digest as Digest, repository_name as Repository, project_id::bigint as ProjectId
        from artifact
        where digest = any(@Digests)
        order by repository_name, id
        """;

    private const string PreventingSql = """
        select project_id::bigint
        from project_metadata
        where project_id = any(@Ids) and name = 'prevent_vul' and lower(value) = 'true'
        order by project_id
        """;

    /// <summary>The artifacts with these ids; those that are gone are missing.</summary>
    public static async Task<IReadOnlyList<ArtifactPlace>> ByIdAsync(Snapshot snapshot, long[] ids, CancellationToken cancellationToken) =>
        ids.Length == 0 ? [] : Places(await snapshot.Connection.QueryAsync<Row>(
            ByIdSql, new IdParameters { Ids = ids, CancellationToken = cancellationToken }, snapshot.Transaction));

    /// <summary>Every repository that holds one of these digests.</summary>
    public static async Task<IReadOnlyList<ArtifactPlace>> ByDigestAsync(Snapshot snapshot, string[] digests, CancellationToken cancellationToken) =>
        digests.Length == 0 ? [] : Places(await snapshot.Connection.QueryAsync<Row>(
            ByDigestSql, new DigestParameters { Digests = digests, CancellationToken = cancellationToken }, snapshot.Transaction));

    /// <summary>Those of these projects that refuse pulls of images that are not scanned well.</summary>
    public static async Task<IReadOnlySet<long>> PreventingAsync(Snapshot snapshot, long[] projects, CancellationToken cancellationToken) =>
        projects.Length == 0
            ? new HashSet<long>()
            : (await snapshot.Connection.QueryAsync<long>(
                PreventingSql, new IdParameters { Ids = projects, CancellationToken = cancellationToken }, snapshot.Transaction)).ToHashSet();

    private static List<ArtifactPlace> Places(IEnumerable<Row> rows) => [.. rows.Select(row => new ArtifactPlace(row.ArtifactId, row.Digest, row.Repository, row.ProjectId))];

    internal sealed record Row
    {
        public long ArtifactId { get; init; }

        public string Digest { get; init; } = "";

        public string Repository { get; init; } = "";

        public long ProjectId { get; init; }
    }

    internal sealed record IdParameters
    {
        public required long[] Ids { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }

    internal sealed record DigestParameters
    {
        public required string[] Digests { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
