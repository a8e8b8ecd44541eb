namespace HarborScanExporter.Remediation.Planning;

/// <summary>A scan that a repair ended without a result, and whose report no newer scan has taken over.</summary>
/// <param name="Repair">The line of the audit.</param>
/// <param name="TaskId">The repaired task.</param>
/// <param name="ExecutionId">Its execution.</param>
/// <param name="ArtifactId">The artifact that it scanned.</param>
/// <param name="Type">Its vendor type.</param>
/// <param name="IsFinal">Whether the row is final by now; the stop of a job may still be under way.</param>
/// <param name="Repository">The repository with its project; null when the artifact is gone.</param>
/// <param name="Digest">The artifact's digest; null when it is gone.</param>
/// <param name="Scans">How often it was scanned anew within the last day.</param>
internal sealed record Rescannable(long Repair, long TaskId, long ExecutionId, long ArtifactId, string Type, bool IsFinal, string? Repository, string? Digest, long Scans = 0)
{
    /// <summary>Whether its row and its artifact let it be scanned again; else it is left to a person, or for later.</summary>
    /// <param name="attempts">Scans of one artifact in a day.</param>
    public bool CanBeScanned(int attempts) => IsFinal && Repository is not null && Digest is not null && Scans < attempts;
}
