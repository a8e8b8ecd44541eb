using CsCheck;
using HarborSimulator;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>What happens to rows beyond what Harbor's users do.</summary>
internal enum Change
{
    /// <summary>A transaction with a new scan stays open while others write, and commits: Harbor's own doing.</summary>
    LateScan,

    /// <summary>The same, rolled back.</summary>
    ScanThatNeverWas,

    /// <summary>A scan waits until the job service fails it, and is worked at hours later: Harbor's own doing.</summary>
    TooLongInTheQueue,

    /// <summary>The exporters are started anew.</summary>
    Restart,

    /// <summary>Time passes until the tables are read whole again, and every family is compared.</summary>
    Reconcile,

    DeleteOpenRow,
    DeleteFinalRow,
    DeleteExecution,
    CloseByHand,
    CloseByHandWithoutTime,
    ReopenRecent,
    ReopenOld,
    ReopenExecution,

    /// <summary>The first time a copy of the tables is made, the second time it is restored.</summary>
    BackUpOrRestore,

    FailOver,
}

/// <summary>Something that is done, and the seconds until the next scrape.</summary>
/// <param name="Act">What users, operators or the world do; null for a change of rows.</param>
/// <param name="Change">What happens to rows; null for an act.</param>
/// <param name="Pick">Chooses which row it hits.</param>
/// <param name="Count">How many images, and for how many steps a transaction stays open.</param>
/// <param name="Seconds">The time that passes.</param>
internal sealed record WatchedStep(Act? Act, Change? Change, int Pick, int Count, int Seconds)
{
    public override string ToString() => $"{(Act is { } act ? $"{act}" : $"{Change}")}({Pick},{Count}) {Seconds}s";
}

/// <summary>A random life of a Harbor that is scraped after every step.</summary>
/// <param name="Release">Harbor's release.</param>
/// <param name="Seed">The simulator's.</param>
/// <param name="Workers">Of the one worker pool.</param>
/// <param name="ScanSeconds">The mean duration of a scan.</param>
/// <param name="Busy">Whether pushes and jobs of others come by themselves.</param>
/// <param name="Steps">What happens.</param>
internal sealed record WatchedHistory(string Release, int Seed, int Workers, int ScanSeconds, bool Busy, IReadOnlyList<WatchedStep> Steps)
{
    private static readonly Gen<Act> OwnActs = Gen.Frequency(
        (8, Gen.Const(Act.Scan)), (2, Gen.Const(Act.ScanIndex)), (1, Gen.Const(Act.Sbom)), (3, Gen.Const(Act.ScanAll)), (2, Gen.Const(Act.ReplacePool)),
        (14, Gen.Enum<Act>().Where(act => act is not (Act.ManualFix or Act.SetExecutionSuccess or Act.DeleteTask))));

    private static readonly Gen<Act> AllActs = Gen.Frequency((20, OwnActs), (3, Gen.OneOf(Act.ManualFix, Act.SetExecutionSuccess, Act.DeleteTask)));

    private static readonly Gen<Change> OwnChanges = Gen.Frequency(
        (8, Gen.Const(EndToEnd.Change.LateScan)), (2, Gen.Const(EndToEnd.Change.ScanThatNeverWas)), (2, Gen.Const(EndToEnd.Change.TooLongInTheQueue)),
        (2, Gen.Const(EndToEnd.Change.Restart)), (3, Gen.Const(EndToEnd.Change.Reconcile)));

    private static readonly Gen<Change> AllChanges = Gen.Frequency(
        (5, OwnChanges), (14, Gen.Enum<Change>().Where(change => change > EndToEnd.Change.Reconcile)), (6, Gen.Const(EndToEnd.Change.BackUpOrRestore)),
        (4, Gen.Const(EndToEnd.Change.ReopenRecent)));

    private static readonly Gen<int> Times = Gen.Frequency((6, Gen.Int[1, 60]), (4, Gen.Int[60, 1500]), (1, Gen.Int[5400, 9000]));

    /// <summary>Only what Harbor, its users and the world do, and transactions that commit late.</summary>
    public static Gen<WatchedHistory> OfHarbor { get; } = Of(OwnActs, OwnChanges);

    /// <summary>With rows changed behind Harbor's back.</summary>
    public static Gen<WatchedHistory> WithHands { get; } = Of(AllActs, AllChanges);

    public SimulationSettings Settings => new()
    {
        Seed = Seed,
        WorkersPerPool = Workers,
        MeanScan = TimeSpan.FromSeconds(ScanSeconds),
        PushesPerHour = Busy ? 4 : 0,
        BackgroundJobs = Busy,
        ErrorShare = 0.1,
        // A day would only take longer.
        MaxJobDuration = TimeSpan.FromHours(4),
    };

    private static Gen<WatchedHistory> Of(Gen<Act> acts, Gen<Change> changes) => Gen.Select(
        Gen.OneOf("2.2.0", "2.5.0", "2.8.0", "2.9.0", "2.11.0", "2.16.0"), Gen.Int[1, 1_000_000], Gen.OneOf(1, 3, 10), Gen.OneOf(20, 90, 600), Gen.Bool,
        Gen.Frequency(
            (3, Gen.Select(acts, Gen.Int[0, 999], Gen.Int[1, 5], Times, (act, pick, count, seconds) => new WatchedStep(act, null, pick, count, seconds))),
            (2, Gen.Select(changes, Gen.Int[0, 999], Gen.Int[1, 5], Times, (change, pick, count, seconds) => new WatchedStep(null, change, pick, count, seconds)))).Array[14, 22],
        (release, seed, workers, seconds, busy, steps) => new WatchedHistory(release, seed, workers, seconds, busy, steps));

    public override string ToString() => $"{Release} seed {Seed}, {Workers} workers, scans of {ScanSeconds} s{(Busy ? ", busy" : "")}: {string.Join("; ", Steps)}";
}
