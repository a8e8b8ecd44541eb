namespace HarborScanExporter.Remediation.Planning;

/// <summary>An execution that a newer one has made superfluous.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Type">Its vendor type.</param>
/// <param name="ArtifactId">The artifact that was scanned; 0 for a scan-all.</param>
/// <param name="Newer">The execution for whose sake it may go: of the same artifact and kind, and started later.</param>
internal readonly record struct Superseded(long Id, string Type, long ArtifactId, long Newer);

/// <summary>An execution that may be removed: superseded, final, older than a day, its tasks over with code 3 and none of their reports left.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Type">Its vendor type.</param>
/// <param name="Status">Its final status.</param>
/// <param name="Started">start_time in seconds since 1970.</param>
/// <param name="Revision">Its revision; 0 for NULL.</param>
/// <param name="Tasks">How many tasks it has.</param>
/// <param name="ArtifactId">The artifact that was scanned; 0 for a scan-all.</param>
/// <param name="Newer">The execution for whose sake it may go.</param>
internal sealed record SweepCandidate(long Id, string Type, string Status, double Started, long Revision, long Tasks, long ArtifactId, long Newer);

/// <summary>What a search for old executions found.</summary>
/// <param name="Candidates">The oldest that may be removed, oldest first.</param>
/// <param name="Refusals">What is left to Harbor or to a person.</param>
internal sealed record SweepFound(IReadOnlyList<SweepCandidate> Candidates, IReadOnlyList<Refusal> Refusals)
{
    /// <summary>The candidates in parts of at most so many executions and, but for a single one, so many tasks; one empty part where only refusals are to be told.</summary>
    public IEnumerable<IReadOnlyList<SweepCandidate>> Parts(int executions, long tasks)
    {
        List<SweepCandidate> part = [];
        foreach (var candidate in Candidates)
        {
            if (part.Count > 0 && (part.Count >= executions || part.Sum(one => one.Tasks) + candidate.Tasks > tasks))
            {
                yield return part;
                part = [];
            }
            part.Add(candidate);
        }
        if (part.Count > 0 || (Candidates.Count == 0 && Refusals.Count > 0)) yield return part;
    }
}
