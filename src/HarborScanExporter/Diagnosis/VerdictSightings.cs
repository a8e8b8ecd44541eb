namespace HarborScanExporter.Diagnosis;

/// <summary>
/// Since when the same verdict on the same row has been seen, by finding, without interruption by a look that said otherwise. A repair needs
/// two looks a minute apart (conventions 5.4). Bounded by what one collection found; forgotten at a restart.
/// </summary>
internal sealed class VerdictSightings(TimeProvider time)
{
    private readonly Lock _lock = new();
    private Dictionary<Seen, (double Clock, long Rows)> _since = [];
    private int _stuck;

    /// <summary>When a scan last began or succeeded, by this process's clock; it is remembered, because a scan that began may have failed by the next look.</summary>
    private double? _life;

    /// <summary>How many tasks were stuck at the newest look, and how many findings it had that a repair could end.</summary>
    public (int Stuck, int Findings) Counts
    {
        get
        {
            lock (_lock) return (_stuck, _since.Count);
        }
    }

    private double Clock => time.GetTimestamp() / (double)time.TimestampFrequency;

    /// <summary>Takes in what a collection found.</summary>
    public void Tell(Diagnosed diagnosed)
    {
        var seen = Of(diagnosed).DistinctBy(one => one.Seen).ToArray();
        lock (_lock)
        {
            var clock = Clock;
            _stuck = diagnosed.Tasks.Count(task => task.Judgement.IsStuck);
            Remember(BegunAge(diagnosed), clock);
            // Rows that join those that were seen have not been seen themselves; some that leave them, repaired, change nothing.
            _since = seen.ToDictionary(one => one.Seen, one => (_since.TryGetValue(one.Seen, out var before) && one.Rows <= before.Rows ? before.Clock : clock, one.Rows));
        }
    }

    /// <summary>For how many seconds each finding of this diagnosis has been seen as it is now; 0 at the first look.</summary>
    public IReadOnlyDictionary<string, double> SeenFor(Diagnosed diagnosed)
    {
        lock (_lock)
        {
            var clock = Clock;
            return Of(diagnosed).DistinctBy(one => one.Seen.Finding)
                .ToDictionary(one => one.Seen.Finding, one => _since.TryGetValue(one.Seen, out var before) && one.Rows <= before.Rows ? clock - before.Clock : 0);
        }
    }

    /// <summary>How many seconds ago a scan last began or succeeded, as far as this look and those before it show; null when none shows one.</summary>
    /// <param name="diagnosed">The look.</param>
    /// <param name="ownSuccess">When a repair last wrote Success, in seconds since 1970: what ended no later may be that row.</param>
    public double? LifeAge(Diagnosed diagnosed, double? ownSuccess)
    {
        lock (_lock)
        {
            var clock = Clock;
            Remember(BegunAge(diagnosed), clock);
            if (ownSuccess is null || diagnosed.NewestSuccess > ownSuccess) Remember(diagnosed.Now - diagnosed.NewestSuccess, clock);
            return clock - _life;
        }
    }

    private static double? BegunAge(Diagnosed diagnosed) => diagnosed.Now - diagnosed.Tasks.Where(task => task.Judgement == Judgement.Running).Max(task => task.Task.Updated);

    /// <summary>What began after the look, by another clock, is not believed.</summary>
    private void Remember(double? age, double clock)
    {
        if (age >= 0 && clock - age is var life && (_life is null || life > _life)) _life = life;
    }

    private static IEnumerable<(Seen Seen, long Rows)> Of(Diagnosed diagnosed)
    {
        foreach (var (task, judgement) in diagnosed.Tasks.Where(task => task.Judgement.IsStuck).Select(task => (task.Task, task.Judgement)))
            yield return (new Seen(FindingId.OfTask(task.Id), judgement.Word, task.Status, task.StatusRevision, task.Updated), 1);
        foreach (var found in diagnosed.Executions)
            yield return (new Seen(FindingId.OfExecution(found.Execution.Id), found.Kind, found.Execution.Status, found.Tasks, found.Execution.Updated), 1);
        foreach (var found in diagnosed.WrongCodes)
            yield return (new Seen(FindingId.OfCodes(found.ExecutionId), Inconsistency.FinalStatusWrongCode, null, 0, null), found.Tasks);
    }

    private readonly record struct Seen(string Finding, string Verdict, string? Status, long Revision, double? Updated);
}
