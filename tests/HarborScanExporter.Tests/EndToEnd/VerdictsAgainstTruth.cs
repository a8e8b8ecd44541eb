using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;
using HarborSimulator;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// Compares the verdict of every open task with what the simulator knows of its job. The times are those of design 3.2; the truth some minutes
/// ago tells which scans have been dead for so long.
/// </summary>
/// <param name="diagnosed">The exporter's word.</param>
/// <param name="truths">The simulator's, of the same moment.</param>
/// <param name="earlier">The simulator's, by how many minutes ago it was asked; null at the first look, which may call everything settling.</param>
/// <param name="now">Simulated UTC.</param>
/// <param name="hidesWhoseReportItIs">Reports are kept through a rescan and say no time: a scan that finished may be called lost.</param>
/// <param name="takesForFinished">The tasks of <see cref="ResultsWithinClockDifference"/>: one that is lost may be called unreported.</param>
internal sealed class VerdictsAgainstTruth(
    Diagnosed diagnosed, IReadOnlyList<ScanTruth> truths, IReadOnlyDictionary<int, IReadOnlyList<ScanTruth>>? earlier, DateTime now, bool hidesWhoseReportItIs,
    IReadOnlyCollection<long> takesForFinished)
{
    /// <summary>Minutes ago at which the truth is asked too: what is dead for so long and one scrape must be called stuck.</summary>
    public static readonly int[] Minutes = [UnacknowledgedEnd, Emptied, AcknowledgedEnd, Absence];

    private const int Absence = 6;

    /// <summary>
    /// A scan that ran when Redis was emptied is dead within seconds, and its end may still be told from memory for some minutes: a quarter of
    /// an hour and one scrape.
    /// </summary>
    private const int Emptied = 17;
    private const int AcknowledgedEnd = 16;
    private const int UnacknowledgedEnd = 131;

    private static readonly TimeSpan RunningLimit = TimeSpan.FromHours(2);
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(30);

    private readonly Dictionary<long, ScanTruth> _truths = truths.ToDictionary(truth => truth.TaskId);

    /// <summary>Everything that contradicts: tasks without a word, alive and called stuck, dead and not called so.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var missing in _truths.Keys.Except(diagnosed.Tasks.Select(task => task.Task.Id))) yield return $"Open and without a word: {_truths[missing]}";
        foreach (var task in diagnosed.Tasks)
        {
            if (_truths.GetValueOrDefault(task.Task.Id) is not { } truth)
            {
                yield return $"Over and called {task.Judgement.Word}: {task}";
                continue;
            }
            if (WouldLie(task, truth)) yield return $"Would be written Success: {truth} {Told(task)}";
            if (task.Judgement.IsStuck && !MayBeCalledStuck(task, truth)) yield return $"Called {task.Judgement.Word}: {truth} {Told(task)}";
            else if (!task.Judgement.IsStuck && earlier is not null && MustBeCalledStuck(task, truth)) yield return $"Dead and called {task.Judgement.Word}: {truth} {Told(task)}";
        }
    }

    /// <summary>Where Redis cannot be read: only what is older than Harbor's own limit may be called stuck.</summary>
    public IEnumerable<string> ProblemsOfTheBlind() =>
        from task in diagnosed.Tasks
        where task.Judgement.IsStuck
        let truth = _truths.GetValueOrDefault(task.Task.Id)
        where task.Task.AgeAt(diagnosed.Now) < TimeSpan.FromHours(26).TotalSeconds || WouldLie(task, truth)
        select $"Called {task.Judgement.Word}: {truth} {Told(task)}";

    /// <summary>Where Redis shows a Harbor of some time ago: whatever is alive is not called stuck, and nothing else is called finished.</summary>
    public IEnumerable<string> ProblemsOfTheOld() =>
        from task in diagnosed.Tasks
        where task.Judgement.IsStuck
        let truth = _truths.GetValueOrDefault(task.Task.Id)
        where truth is { IsAlive: true } || WouldLie(task, truth)
        select $"Called {task.Judgement.Word}: {truth} {Told(task)}";

    /// <summary>A repair would write Success, and no scan stored a result for it.</summary>
    private bool WouldLie(JudgedTask task, ScanTruth? truth) =>
        task.Judgement.IsStuck && !takesForFinished.Contains(task.Task.Id) && truth is { IsStored: false } && TruthfulStatus.Of(task) == ScanStatus.Success;

    private bool MayBeCalledStuck(JudgedTask task, ScanTruth truth) => truth switch
    {
        { IsAlive: true } => false,
        // Its hook will be refused, which nobody can see before its end.
        { Fate: ScanFate.Running } => task.Judgement == Judgement.Hung,
        { Fate: ScanFate.Hung } => task.Judgement == Judgement.Hung && now - truth.RunsSince > RunningLimit - Slack,
        { Fate: ScanFate.Unreported, WillEndByItself: true } => task.Judgement == Judgement.Unreported && task.Job?.Record is { IsAcknowledged: false, Updated: { } ended }
            && now - DateTime.UnixEpoch.AddSeconds(ended) > TimeSpan.FromMinutes(130) - Slack,
        { Fate: ScanFate.NotQueued } => task.Judgement == Judgement.NotQueued,
        { Fate: ScanFate.Unreported } => task.Judgement == Judgement.Unreported || (hidesWhoseReportItIs && task.Judgement == Judgement.Lost),
        _ => task.Judgement == Judgement.Lost || (task.Judgement == Judgement.Unreported && takesForFinished.Contains(task.Task.Id)),
    };

    private bool MustBeCalledStuck(JudgedTask task, ScanTruth truth) => truth switch
    {
        // It counts from when a worker takes it and finds no record.
        { Fate: ScanFate.Lost } when task.Job is { IsQueued: true } => false,
        // While known_jobs shows that Redis was emptied, five minutes count from the exporter's own first look.
        { Fate: ScanFate.Lost } when task.Task.IsRunning && task.Judgement == Judgement.Settling && diagnosed.JobService.EmptiedUnderPools => false,
        // Redis may have been emptied under its pool.
        { Fate: ScanFate.Lost } when task.Task.IsRunning => DeadFor(Emptied, truth),
        { Fate: ScanFate.Lost } => DeadFor(Absence, truth),
        { Fate: ScanFate.NotQueued } => task.Job?.Holder switch
        {
            null => DeadFor(Absence, truth),
            { Heartbeat: not null } => DeadFor(AcknowledgedEnd, truth),
            // Counted from the exporter's own first look.
            _ => false,
        },
        { Fate: ScanFate.Unreported, WillEndByItself: false } => task.Job switch
        {
            { IsQueued: true } => false,
            { Record: null } => DeadFor(Absence, truth),
            { Record.IsAcknowledged: true } => DeadFor(AcknowledgedEnd, truth),
            _ => DeadFor(UnacknowledgedEnd, truth),
        },
        { Fate: ScanFate.Hung } => now - truth.RunsSince > RunningLimit + Slack,
        _ => false,
    };

    private bool DeadFor(int minutes, ScanTruth truth) =>
        earlier!.GetValueOrDefault(minutes)?.Any(before => before.TaskId == truth.TaskId && before.Fate == truth.Fate && before.Status == truth.Status
            && before.WillEndByItself == truth.WillEndByItself) == true;

    private string Told(JudgedTask task) =>
        $"at {now:O}: {task.Task}, {task.Job}, stored {task.Stored}, seen for {task.SeenFor:0} s, pools [{string.Join("; ", diagnosed.JobService.Pools)}]";
}
