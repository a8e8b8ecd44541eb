namespace HarborSimulator;

/// <summary>A row of Harbor's artifact table, as the simulation knows it.</summary>
/// <param name="Id">artifact.id</param>
/// <param name="ProjectId">project.project_id</param>
/// <param name="Project">The project's name.</param>
/// <param name="Repository">project/repository, as artifact.repository_name holds it.</param>
/// <param name="Digest">sha256:…</param>
/// <param name="Tag">Empty for the child of an image index.</param>
/// <param name="Children">The manifests of an image index; empty for a plain image.</param>
public sealed record HarborArtifact(long Id, long ProjectId, string Project, string Repository, string Digest, string Tag, IReadOnlyList<HarborArtifact> Children)
{
    /// <summary>What a scan of this artifact scans: itself, or the children of an index.</summary>
    public IReadOnlyList<HarborArtifact> Scannable => Children.Count == 0 ? [this] : Children;
}

/// <summary>Harbor's answer to a request that starts a scan.</summary>
/// <param name="ExecutionId">The new execution; null when refused.</param>
/// <param name="TaskIds">Its tasks so far; a scan-all creates them afterwards.</param>
/// <param name="Refusal">Harbor's words when it refused.</param>
public sealed record ScanResponse(long? ExecutionId, IReadOnlyList<long> TaskIds, string? Refusal)
{
    public bool Accepted => ExecutionId is not null;
}

/// <summary>What one sweep did.</summary>
/// <param name="Finalised">Executions that the dangling fixer gave a final status.</param>
/// <param name="DeletedTasks">Rows gone from task.</param>
/// <param name="DeletedExecutions">Rows gone from execution.</param>
/// <param name="FailedVendors">Vendor types whose deletion failed on the foreign key.</param>
public sealed record SweepResult(int Finalised, int DeletedTasks, int DeletedExecutions, IReadOnlyList<string> FailedVendors);
