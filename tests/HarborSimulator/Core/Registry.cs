using System.Globalization;
using HarborSimulator.Schema;
using HarborSimulator.Storage;

namespace HarborSimulator.Core;

/// <summary>Projects, artifacts, the scanner, and the robots that scans log in with.</summary>
internal sealed class Registry(SqlBatch sql, Timeline timeline, HarborCore core, HarborRelease release)
{
    public const string ScannerName = "Trivy";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    private readonly Dictionary<string, long> _projects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _repositories = new(StringComparer.Ordinal);
    private readonly HashSet<(long Project, string Action)> _policies = [];
    private readonly Dictionary<long, HarborArtifact> _artifacts = [];
    private string _node = "";
    private long _lastTicks;

    public string ScannerUuid { get; private set; } = "";

    public long ScannerId { get; private set; }

    /// <summary>Artifacts that a scan-all visits: everything but the children of indexes, in the order of their push.</summary>
    public List<HarborArtifact> Roots { get; } = [];

    public HarborArtifact ArtifactOf(long id) =>
        _artifacts.GetValueOrDefault(id) ?? throw new ArgumentOutOfRangeException(nameof(id), id, "The simulation did not push this artifact.");

    /// <summary>The artifact of a digest or a tag, children of indexes too; null when there is none.</summary>
    public HarborArtifact? Find(string repository, string reference) => _artifacts.Values.FirstOrDefault(artifact =>
        artifact.Repository == repository && (artifact.Digest == reference || (artifact.Tag.Length > 0 && artifact.Tag == reference)));

    /// <summary>What an installation writes before its first user: the administrator, the default scanner, the read-only switch.</summary>
    public async Task InstallAsync(CancellationToken cancellationToken)
    {
        _node = core.Hex(12);
        ScannerUuid = core.NewUuid();
        ScannerId = await sql.NextIdAsync("scanner_registration_id_seq", cancellationToken);
        await sql.AddAsync("""
            insert into harbor_user (user_id, username, email, password, realname, sysadmin_flag, creation_time, update_time)
            values (1, 'admin', 'admin@example.com', '', 'system admin', true, $1, $1) on conflict do nothing
            """, cancellationToken, timeline.Micro);
        await sql.AddAsync("""
            insert into scanner_registration (id, uuid, url, name, description, auth, is_default, use_internal_addr, immutable, create_time, update_time)
            values ($1, $2, 'http://trivy-adapter:8080', $3, 'The Trivy scanner adapter', '', true, true, true, $4, $4)
            """, cancellationToken, ScannerId, ScannerUuid, ScannerName, timeline.Micro);
        await sql.AddAsync("insert into properties (k, v) values ('read_only', 'false') on conflict (k) do nothing", cancellationToken);
    }

    /// <summary>A push of one image, or of an image index with that many children.</summary>
    public async Task<HarborArtifact> PushAsync(string project, string repository, string tag, int children, CancellationToken cancellationToken)
    {
        var projectId = await ProjectAsync(project, cancellationToken);
        var name = $"{project}/{repository}";
        if (!_repositories.TryGetValue(name, out var repositoryId)) _repositories[name] = repositoryId = _repositories.Count + 1;
        List<HarborArtifact> parts = [];
        for (var i = 0; i < children; i++)
            parts.Add(await InsertAsync(projectId, project, name, repositoryId, "", ManifestType, [], cancellationToken));
        var artifact = await InsertAsync(projectId, project, name, repositoryId, tag, children == 0 ? ManifestType : IndexType, parts, cancellationToken);
        Roots.Add(artifact);
        core.Count("image pushed");
        return artifact;
    }

    /// <summary>The same image under another name: one digest, so one report and one conflict for both.</summary>
    public async Task<HarborArtifact> CopyAsync(HarborArtifact artifact, string project, string repository, CancellationToken cancellationToken)
    {
        var projectId = await ProjectAsync(project, cancellationToken);
        var name = $"{project}/{repository}";
        if (!_repositories.TryGetValue(name, out var repositoryId)) _repositories[name] = repositoryId = _repositories.Count + 1;
        var copy = await InsertAsync(projectId, project, name, repositoryId, artifact.Tag, ManifestType, [], cancellationToken, artifact.Digest);
        Roots.Add(copy);
        return copy;
    }

    /// <summary>The hidden robot of one scan task and its permissions.</summary>
    public async Task<long> CreateRobotAsync(HarborArtifact artifact, bool mayPush, CancellationToken cancellationToken)
    {
        var id = await sql.NextIdAsync("robot_id_seq", cancellationToken);
        var name = string.Concat(artifact.Project, "+", release.PrefixesRobots ? "scanner-" : "", ScannerName, "-", TimeUuid());
        var duration = release.RobotsNeverExpire ? -1 : 30;
        var expires = release.RobotsNeverExpire ? -1L : timeline.Unix + 30L * 86400;
        await sql.AddAsync($"""
            insert into robot (id, name, description, project_id, expiresat, creation_time, update_time, visible, secret, salt, duration{(release.SchemaVersion >= 150 ? ", creator_ref, creator_type" : "")})
            values ($1, $2, 'for scan', $3, $4, $5, $5, false, $6, $7, $8{(release.SchemaVersion >= 150 ? ", 0, 'local'" : "")})
            """, cancellationToken, id, name, artifact.ProjectId, expires, timeline.Micro, core.Hex(32), core.Hex(32), duration);
        string[] actions = mayPush ? ["pull", "scanner-pull", "push"] : ["pull", "scanner-pull"];
        foreach (var action in actions)
        {
            if (!_policies.Add((artifact.ProjectId, action))) continue;
            await sql.AddAsync(
                "insert into permission_policy (scope, resource, action, effect, creation_time) values ($1, 'repository', $2, '', $3) on conflict do nothing",
                cancellationToken, ScopeOf(artifact), action, timeline.Micro);
        }
        await sql.AddAsync("""
            insert into role_permission (role_type, role_id, permission_policy_id, creation_time)
            select 'robotaccount', $1, id, $4 from permission_policy where scope = $2 and resource = 'repository' and action = any($3) order by id
            """, cancellationToken, id, ScopeOf(artifact), actions, timeline.Micro);
        return id;
    }

    private static string ScopeOf(HarborArtifact artifact) => string.Create(CultureInfo.InvariantCulture, $"/project/{artifact.ProjectId}");

    private async Task<long> ProjectAsync(string project, CancellationToken cancellationToken)
    {
        if (_projects.TryGetValue(project, out var known)) return known;
        var id = await sql.NextIdAsync("project_project_id_seq", cancellationToken);
        await sql.AddAsync("insert into project (project_id, owner_id, name, creation_time, update_time) values ($1, 1, $2, $3, $3)", cancellationToken, id, project, timeline.Micro);
        _projects.Add(project, id);
        return id;
    }

    private async Task<HarborArtifact> InsertAsync(long projectId, string project, string repository, long repositoryId, string tag, string manifestType,
        IReadOnlyList<HarborArtifact> children, CancellationToken cancellationToken, string? digest = null)
    {
        var artifact = new HarborArtifact(await sql.NextIdAsync("artifact_id_seq", cancellationToken), projectId, project, repository, digest ?? $"sha256:{core.Hex(64)}", tag, children);
        var hasType = release.SchemaVersion >= 140;
        await sql.AddAsync($"""
            insert into artifact (id, project_id, repository_name, digest, type, push_time, repository_id, media_type, manifest_media_type, size, extra_attrs{(hasType ? ", artifact_type" : "")})
            values ($1, $2, $3, $4, 'IMAGE', $5, $6, $7, $8, 31457280, '{"{}"}'{(hasType ? ", $7" : "")})
            """, cancellationToken, artifact.Id, projectId, repository, artifact.Digest, timeline.Micro, repositoryId, ConfigType, manifestType);
        _artifacts.Add(artifact.Id, artifact);
        return artifact;
    }

    /// <summary>A version 1 UUID: the robot's name tells when it was made.</summary>
    private string TimeUuid()
    {
        var ticks = _lastTicks = Math.Max(_lastTicks + 1, timeline.Now.Ticks - new DateTime(1582, 10, 15).Ticks);
        return string.Create(CultureInfo.InvariantCulture, $"{ticks & 0xFFFFFFFF:x8}-{ticks >> 32 & 0xFFFF:x4}-1{ticks >> 48 & 0xFFF:x3}-8000-{_node}");
    }
}
