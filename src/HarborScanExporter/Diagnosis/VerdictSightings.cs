namespace HarborScanExporter.Diagnosis;

/// <summary>
/// Since when the same verdict on the same row has been seen, by finding, without interruption by a look that said otherwise. A repair needs
/// two looks a minute apart (conventions 5.4). Bounded by what one collection found; forgotten at a restart.
/// </summary>
internal sealed class VerdictSightings(TimeProvider time)
{
    private readonly Lock _lock = new();
    private Dictionary<Seen, double> _since = [];

    /// <summary>How many findings the newest look had that a repair could end.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _since.Count;
        }
    }

    private double Clock => time.GetTimestamp() / (double)time.TimestampFrequency;

    /// <summary>Takes in what a collection found.</summary>
    public void Tell(Diagnosed diagnosed)
    {
        var seen = Of(diagnosed).Distinct().ToArray();
        lock (_lock)
        {
            var clock = Clock;
            _since = seen.ToDictionary(one => one, one => _since.GetValueOrDefault(one, clock));
        }
    }

    /// <summary>For how many seconds each finding of this diagnosis has been seen as it is now; 0 at the first look.</summary>
    public IReadOnlyDictionary<string, double> SeenFor(Diagnosed diagnosed)
    {
        lock (_lock)
        {
            var clock = Clock;
            return Of(diagnosed).DistinctBy(one => one.Finding).ToDictionary(one => one.Finding, one => _since.TryGetValue(one, out var since) ? clock - since : 0);
        }
    }

    private static IEnumerable<Seen> Of(Diagnosed diagnosed)
    {
        foreach (var (task, judgement) in diagnosed.Tasks.Where(task => task.Judgement.IsStuck).Select(task => (task.Task, task.Judgement)))
            yield return new Seen(Finding.IdOfTask(task.Id), judgement.Word, task.Status, task.StatusRevision, task.Updated);
        foreach (var found in diagnosed.Executions)
            yield return new Seen(Finding.IdOfExecution(found.Execution.Id), found.Kind, found.Execution.Status, found.Tasks, found.Execution.Updated);
        foreach (var found in diagnosed.WrongCodes)
            yield return new Seen(Finding.IdOfCodes(found.ExecutionId), Inconsistency.FinalStatusWrongCode, null, found.Tasks, null);
    }

    private readonly record struct Seen(string Finding, string Verdict, string? Status, long Revision, double? Updated);
}
