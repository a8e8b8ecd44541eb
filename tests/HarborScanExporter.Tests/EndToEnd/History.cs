using CsCheck;
using HarborSimulator;
using HarborSimulator.Schema;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>Something that users, operators or the world do to a Harbor.</summary>
internal enum Act
{
    Scan,

    /// <summary>Artifacts that are there already, most of them scanned before.</summary>
    Rescan,
    ScanIndex,
    Sbom,
    ScanAll,
    ScheduledScanAll,
    NightlyScanAllDiesWithCore,
    LoseRedis,
    LoseRedisAndRestart,
    LoseRedisAndReplacePool,
    LoseRedisWhileDown,
    LoseHeartbeats,
    LoseJob,
    LoseRecord,
    LoseFinalHook,
    LoseRefreshes,
    FinishWithoutTelling,
    FinishWithoutResult,
    Hang,
    PickBeforeSaved,
    JobServiceIsDown,
    ReplacePool,

    /// <summary>SIGTERM, and a start afterwards.</summary>
    JobServiceIsStopped,

    /// <summary>SIGTERM of one, and another in its place.</summary>
    RollPool,

    /// <summary>A scan stores its report and its process is killed before it says so.</summary>
    StoreAndKill,
    CoreIsDown,
    ReadOnly,
    Pause,
    Resume,
    StopQueue,
    StopTask,
    StopScanAll,
    ManualFix,
    SetExecutionSuccess,
    DeleteTask,
    Sweep,
}

/// <summary>What a rescan does to the report of the scan before, and whether reports say when they were made.</summary>
internal enum ReportKind
{
    MadeAnew,
    Kept,
    MadeAnewWithoutTime,
    KeptWithoutTime,
}

/// <summary>An act and the time that passes with it.</summary>
/// <param name="Act">What is done.</param>
/// <param name="Pick">Chooses which open task it hits.</param>
/// <param name="Count">How many images.</param>
/// <param name="Minutes">For how long a state lasts, and else how long after it nothing more is done.</param>
internal sealed record Step(Act Act, int Pick, int Count, int Minutes)
{
    public override string ToString() => $"{Act}({Pick},{Count}) {Minutes}m";
}

/// <summary>
/// A random life of a Harbor. At its end core and job service are up and Harbor is writable, and nothing more is done for
/// <paramref name="Rest"/> minutes; a paused queue may stay so.
/// </summary>
internal sealed record History(
    string Release, int Seed, int Pools, int Workers, int RestartSeconds, int ScanSeconds, bool Busy, ReportKind Reports, bool IsScannedBefore, IReadOnlyList<Step> Steps, int Rest)
{
    /// <summary>Minutes for a scan of everything before the first step.</summary>
    private const int Before = 10;

    private static readonly Gen<Act> Acts = Gen.Frequency(
        (10, Gen.Const(Act.Scan)), (4, Gen.Const(Act.Rescan)), (2, Gen.Const(Act.ScanIndex)), (2, Gen.Const(Act.Sbom)), (3, Gen.Const(Act.ScanAll)), (2, Gen.Const(Act.Hang)),
        (20, Gen.Enum<Act>()));

    private static readonly Gen<int> Durations = Gen.Frequency((6, Gen.Int[0, 30]), (4, Gen.Int[30, 200]), (1, Gen.Int[600, 1600]));

    /// <summary>What leaves scans behind that no observer can tell apart at once.</summary>
    private static readonly Gen<Act> Troubles = Gen.Frequency(
        (4, Gen.Const(Act.LoseRedis)), (3, Gen.Const(Act.LoseRedisAndReplacePool)), (2, Gen.Const(Act.Hang)), (4, Gen.Const(Act.FinishWithoutTelling)),
        (18, Gen.OneOf(Act.LoseRedisAndRestart, Act.ReplacePool, Act.LoseHeartbeats, Act.LoseRecord, Act.LoseJob, Act.FinishWithoutTelling, Act.FinishWithoutResult,
            Act.LoseFinalHook, Act.PickBeforeSaved, Act.StopTask, Act.StopQueue, Act.Pause, Act.CoreIsDown, Act.JobServiceIsDown, Act.ReadOnly,
            Act.JobServiceIsStopped, Act.RollPool, Act.StoreAndKill, Act.LoseRedisWhileDown)));

    /// <summary>Any history of a day or two.</summary>
    public static Gen<History> Any { get; } = Of(6, 20, Gen.OneOf(1, 4, 20, 70, 200));

    /// <summary>A shorter history at whose end scans run and wait while something goes wrong.</summary>
    public static Gen<History> EndingInTrouble { get; } = Gen.Select(
        Of(1, 6, Gen.OneOf(1, 1, 4, 7, 20, 140, 200, 1700)),
        Gen.Select(Gen.OneOf(Act.Scan, Act.ScanAll, Act.Rescan), Gen.Int[4, 8], Gen.Int[0, 9], (act, count, minutes) => new Step(act, 0, count, minutes)),
        Gen.Select(Troubles, Gen.Int[0, 999], Gen.Int[1, 6], Gen.Frequency((3, Gen.Int[0, 2]), (1, Gen.Int[5, 90])), (act, pick, count, minutes) => new Step(act, pick, count, minutes)).Array[1, 3],
        (history, burst, troubles) => history with { Steps = [.. history.Steps, burst, .. troubles] });

    private static Gen<History> Of(int fewest, int most, Gen<int> rest) => Gen.Select(
        Gen.OneOf("2.4.0", "2.7.2", "2.8.0", "2.8.6", "2.9.5", "2.11.0", "2.13.0", "2.16.0"),
        Gen.Int[1, 1_000_000], Gen.Select(Gen.OneOf(1, 1, 2), Gen.OneOf(1, 3, 10), Gen.OneOf(2, 10, 40)), Gen.OneOf(20, 300, 1200),
        Gen.Select(Gen.Bool, Gen.Enum<ReportKind>(), Gen.Bool),
        Gen.Select(Acts, Gen.Int[0, 999], Gen.Int[1, 6], Durations, (act, pick, count, minutes) => new Step(act, pick, count, minutes)).Array[fewest, most],
        rest,
        (release, seed, size, seconds, kind, steps, rest) =>
            new History(release, seed, size.Item1, size.Item2, size.Item3, seconds, kind.Item1, Known(kind.Item2, release), kind.Item3, Telling(kind.Item2, steps), rest));

    /// <summary>Of a report that is kept and says no time only the tasks that name it tell whose it is: once they are removed, nothing does.</summary>
    private static IReadOnlyList<Step> Telling(ReportKind kind, IReadOnlyList<Step> steps) =>
        kind == ReportKind.KeptWithoutTime ? [.. steps.Where(step => step.Act is not (Act.Sweep or Act.DeleteTask))] : steps;

    /// <summary>Harbors that keep reports are newer than the index of what tasks name, which came with 2.8.1 (harbor-facts 0.2 and 1.3).</summary>
    private static ReportKind Known(ReportKind kind, string release) => (kind, release) switch
    {
        (ReportKind.Kept, "2.4.0" or "2.7.2" or "2.8.0") => ReportKind.MadeAnew,
        (ReportKind.KeptWithoutTime, "2.4.0" or "2.7.2" or "2.8.0") => ReportKind.MadeAnewWithoutTime,
        _ => kind,
    };

    /// <summary>How long it takes by Harbor's clock.</summary>
    public TimeSpan Length => TimeSpan.FromMinutes((IsScannedBefore ? Before : 0) + Steps.Sum(step => step.Minutes) + Rest + 1);

    /// <summary>Whether nothing tells a report that was stored for this scan from one of an earlier scan.</summary>
    public bool HidesWhoseReportItIs => Reports == ReportKind.KeptWithoutTime;

    public SimulationSettings Settings => new()
    {
        Seed = Seed,
        Pools = Pools,
        WorkersPerPool = Workers,
        MeanScan = TimeSpan.FromSeconds(ScanSeconds),
        PushesPerHour = Busy ? 12 : 0,
        BackgroundJobs = Busy,
        ErrorShare = 0.1,
        Sweeps = Reports != ReportKind.KeptWithoutTime,
        SinceMidnight = TimeSpan.FromSeconds(Seed % (24 * 3600)),
        RestartAfter = TimeSpan.FromSeconds(RestartSeconds),
        KeepsReports = Reports is ReportKind.Kept or ReportKind.KeptWithoutTime,
        ReportsTellTime = Reports is ReportKind.Kept or ReportKind.MadeAnew,
    };

    /// <summary>Plays all steps.</summary>
    /// <param name="harbor">A Harbor without images.</param>
    /// <param name="before">What else is done before a step, by its number.</param>
    public async Task PlayAsync(HarborSimulation harbor, Func<int, Task>? before = null)
    {
        List<long> executions = [];
        for (var i = 0; i < 12; i++) await harbor.PushAsync("library", "base", $"{i}", i % 6 == 5 ? 2 : 0);
        if (IsScannedBefore)
        {
            await harbor.ScanAllAsync();
            await harbor.AdvanceAsync(TimeSpan.FromMinutes(Before));
        }
        foreach (var (step, number) in Steps.Select((step, number) => (step, number)))
        {
            if (before is not null) await before(number);
            await ActAsync(harbor, step, number, executions);
            await harbor.AdvanceAsync(TimeSpan.FromMinutes(step.Minutes));
            await UndoAsync(harbor, step.Act);
        }
    }

    public override string ToString() => $"{Release} seed {Seed}, {Pools}×{Workers} workers, back in {RestartSeconds} s, scans of {ScanSeconds} s, reports {Reports}{(IsScannedBefore ? ", scanned before" : "")}{(Busy ? ", busy" : "")}: {string.Join("; ", Steps)}; {Rest}m";

    /// <summary>Does what a step says; no time passes but what the act itself takes.</summary>
    public static async Task ActAsync(HarborSimulation harbor, Step step, int number, List<long> executions)
    {
        var open = await harbor.TruthAsync();
        long? victim = open.Count == 0 ? null : open[step.Pick % open.Count].TaskId;
        var running = open.Where(truth => harbor.IsRunning(truth.TaskId)).Select(truth => truth.TaskId).ToList();
        long? run = running.Count == 0 ? null : running[step.Pick % running.Count];
        switch (step.Act)
        {
            case Act.Scan or Act.ScanIndex:
                for (var i = 0; i < step.Count; i++) Note(await harbor.PushAndScanAsync("web", "app", $"{number}.{i}", step.Act == Act.ScanIndex ? 2 : 0));
                break;
            case Act.Rescan:
                for (var i = 0; i < step.Count; i++) Note(await harbor.ScanAsync(harbor.Artifacts[(step.Pick + i) % harbor.Artifacts.Count]));
                break;
            case Act.Sbom when harbor.Release.HasSbom:
                for (var i = 0; i < step.Count; i++) await harbor.GenerateSbomAsync(await harbor.PushAsync("web", "sbom", $"{number}.{i}"));
                break;
            case Act.ScanAll: Note(await harbor.ScanAllAsync()); break;
            case Act.ScheduledScanAll: Note(await harbor.ScanAllAsync(manual: false)); break;
            case Act.NightlyScanAllDiesWithCore:
                await harbor.ScanAllAsync(manual: step.Pick % 2 == 0);
                await harbor.AdvanceAsync(TimeSpan.FromSeconds(step.Pick % 4));
                harbor.RestartCore();
                break;
            case Act.LoseRedis: await harbor.LoseRedisAsync(); break;
            case Act.LoseRedisAndRestart:
                await harbor.LoseRedisAsync();
                harbor.KillJobService();
                await harbor.StartJobServiceAsync();
                break;
            case Act.LoseRedisAndReplacePool:
                await harbor.LoseRedisAsync();
                await harbor.ReplacePoolAsync();
                break;
            case Act.LoseRedisWhileDown:
                harbor.KillJobService();
                await harbor.LoseRedisAsync();
                break;
            case Act.LoseHeartbeats:
                // Gone before a living pool looks for dead ones, which is ten seconds after its start.
                await harbor.ReplacePoolAsync();
                await harbor.LoseDeadHeartbeatsAsync();
                break;
            case Act.ReplacePool: await harbor.ReplacePoolAsync(); break;
            case Act.LoseJob when victim is { } task: await harbor.LoseJobAsync(task); break;
            case Act.LoseRecord when victim is { } task: await harbor.LoseRecordAsync(task); break;
            case Act.LoseFinalHook when victim is { } task: harbor.LoseFinalHook(task); break;
            case Act.LoseRefreshes: harbor.LoseRefreshes(true); break;
            case Act.FinishWithoutTelling when run is { } task: await harbor.FinishWithoutTellingAsync(task); break;
            case Act.FinishWithoutResult when run is { } task: await harbor.FinishWithoutTellingAsync(task, stored: false); break;
            case Act.Hang when run is { } task: harbor.Hang(task); break;
            case Act.PickBeforeSaved: harbor.PickNextBeforeSaved(step.Count); break;
            case Act.JobServiceIsDown: harbor.KillJobService(); break;
            case Act.JobServiceIsStopped: await harbor.StopJobServiceAsync(); break;
            case Act.RollPool: await harbor.RollPoolAsync(); break;
            case Act.StoreAndKill when run is { } task:
                await harbor.StoreAndKillAsync(task);
                await harbor.ReplacePoolAsync();
                break;
            case Act.CoreIsDown: harbor.StopCore(); break;
            case Act.ReadOnly: await harbor.SetReadOnlyAsync(true); break;
            case Act.Pause when harbor.Release.CanStopQueues: await harbor.PauseQueueAsync(); break;
            case Act.Resume when harbor.Release.CanStopQueues: await harbor.ResumeQueueAsync(); break;
            case Act.StopQueue when harbor.Release.CanStopQueues: await harbor.StopQueueAsync(); break;
            case Act.StopTask when victim is { } task: await harbor.StopTaskAsync(task); break;
            case Act.StopScanAll when harbor.Release.CanStopScans: await harbor.StopScanAllAsync(); break;
            case Act.ManualFix: await harbor.RunManualFixAsync(); break;
            case Act.SetExecutionSuccess when executions.Count > 0:
                await harbor.SetExecutionStatusAsync(executions[step.Pick % executions.Count], "Success");
                break;
            case Act.DeleteTask when victim is { } task: await harbor.DeleteTaskAsync(task); break;
            case Act.Sweep when harbor.Release.SweepsByJob: await harbor.SweepAsync(); break;
            default: break;
        }

        void Note(ScanResponse response)
        {
            if (response.ExecutionId is { } execution) executions.Add(execution);
        }
    }

    /// <summary>Ends the state that a step brought about.</summary>
    public static async Task UndoAsync(HarborSimulation harbor, Act act)
    {
        switch (act)
        {
            case Act.JobServiceIsDown or Act.JobServiceIsStopped or Act.LoseRedisWhileDown: await harbor.StartJobServiceAsync(); break;
            case Act.CoreIsDown: harbor.StartCore(); break;
            case Act.ReadOnly: await harbor.SetReadOnlyAsync(false); break;
            case Act.LoseRefreshes: harbor.LoseRefreshes(false); break;
            default: break;
        }
    }
}
