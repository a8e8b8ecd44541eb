using System.Globalization;
using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Simulator;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>One history, played step by step, with a scrape and a comparison after each.</summary>
internal sealed partial class WatchedRun : IAsyncDisposable
{
    private const string Drift = "harbor_scan_reconciliation_drift_total";

    /// <summary>A failover loses so much.</summary>
    private static readonly TimeSpan Lost = TimeSpan.FromMinutes(1);

    /// <summary>No scan of Harbor's takes an hour to commit, and nobody waits for one that does.</summary>
    private static readonly TimeSpan LongestTransaction = TimeSpan.FromMinutes(55);

    private readonly WatchedHistory _history;
    private readonly bool _ofHarbor;
    private readonly SimulatedHarbor _simulated;
    private readonly OneClock _clock;
    private readonly NpgsqlConnection _connection;
    private readonly RowJournal _journal;
    private readonly WatchedExporters _exporters;
    private readonly FamilyComparison _comparison;
    private readonly RedisServer? _redis;
    private readonly KnownRows _rows = new();
    private readonly List<long> _executions = [];
    private readonly SortedDictionary<string, long> _seen;
    private HashSet<string> _held = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, long> _least = new Dictionary<string, long>();
    private IReadOnlyList<RowChange> _changes = [];
    private OpenScan? _late;
    private int _lateFor;
    private bool _lateCommits;
    private DateTime _lateSince;
    private bool _isBackedUp;
    private bool _isFirst = true;

    private WatchedRun(WatchedHistory history, bool ofHarbor, SimulatedHarbor simulated, OneClock clock, NpgsqlConnection connection, WatchedExporters exporters, FamilyComparison comparison,
        RedisServer? redis, SortedDictionary<string, long> seen)
    {
        (_history, _ofHarbor, _simulated, _clock, _connection) = (history, ofHarbor, simulated, clock, connection);
        (_exporters, _comparison, _redis, _seen) = (exporters, comparison, redis, seen);
        _journal = new RowJournal(connection);
    }

    /// <summary>Scrapes compared.</summary>
    public int Scrapes { get; private set; }

    /// <summary>Steps done.</summary>
    public int Steps { get; private set; }

    private HarborSimulation Simulation => _simulated.Simulation;

    /// <summary>Makes a Harbor and the exporters.</summary>
    /// <param name="harbor">An empty one.</param>
    /// <param name="history">What will happen.</param>
    /// <param name="ofHarbor">Whether it holds only what Harbor does itself: then nothing may drift, and every end is counted once.</param>
    /// <param name="interval">How often the tables are read whole.</param>
    /// <param name="redis">An empty one; null for a Harbor whose Redis the exporters are not told of.</param>
    /// <param name="seen">What happened, to be added to.</param>
    public static async Task<WatchedRun> StartAsync(TestHarbor harbor, WatchedHistory history, bool ofHarbor, TimeSpan interval, RedisServer? redis, SortedDictionary<string, long> seen)
    {
        // The clock of Redis is the real one: what is later than it has a fresh heartbeat, what is earlier has none.
        var simulated = await SimulatedHarbor.StartAsync(harbor, history.Seed % 3 == 0 ? TimeSpan.FromHours(12) : TimeSpan.Zero, history.Settings, redis?.Database);
        var clock = await OneClock.InstallAsync(harbor, simulated.Simulation.Now);
        await RowJournal.InstallAsync(harbor);
        var exporters = await WatchedExporters.StartAsync(harbor, clock, interval,
            [("HARBOR_SCAN_COLLECTORS_ENABLED", "sweepable,orphan_reports"), .. redis is null ? Array.Empty<(string, string)>() : [("HARBOR_REDIS_URL", redis.Url)]]);
        var connection = await harbor.Database.OpenAsync();
        return new WatchedRun(history, ofHarbor, simulated, clock, connection, exporters, new FamilyComparison(harbor, connection, redis is not null), redis, seen);
    }

    /// <summary>Plays it up to the first step after which something differs.</summary>
    public async Task<IReadOnlyList<string>> PlayAsync()
    {
        for (var i = 0; i < 6; i++) await Simulation.PushAsync("library", "base", $"{i}", i % 6 == 5 ? 2 : 0);
        var problems = await LookAsync();
        for (var number = 0; number < _history.Steps.Count && problems.Count == 0; number++)
        {
            var step = _history.Steps[number];
            Steps++;
            problems = [.. (await DoAsync(step, number)).Select(problem => $"step {number} {step}: {problem}")];
        }
        if (problems.Count == 0) problems = await ReconcileAsync();
        Add("rows that came to life again", _rows.Reopened);
        Add("rows that came to life again after the window, found by the queue", _rows.ReopenedFromQueue);
        Add("rows that only a reconciliation finds", _rows.Excused);
        Add("answers without the database's families", _exporters.Unready);
        return problems;
    }

    public async ValueTask DisposeAsync()
    {
        if (_late is not null) await _late.DisposeAsync();
        await _exporters.DisposeAsync();
        await _simulated.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task<IReadOnlyList<string>> DoAsync(WatchedStep step, int number)
    {
        if (_late is not null && (--_lateFor <= 0 || Simulation.Now + TimeSpan.FromSeconds(step.Seconds) - _lateSince > LongestTransaction || TakesHours(step.Change))) await EndLateAsync();
        if (step.Act is { } act)
        {
            var its = new Step(act, step.Pick, step.Count, 0);
            await History.ActAsync(Simulation, its, number, _executions);
            await Simulation.AdvanceAsync(TimeSpan.FromSeconds(step.Seconds));
            await History.UndoAsync(Simulation, act);
            return await LookAsync();
        }
        var problems = await ChangeAsync(step, number);
        if (problems.Count > 0) return problems;
        await Simulation.AdvanceAsync(TimeSpan.FromSeconds(step.Change is Change.LateScan or Change.ScanThatNeverWas ? Math.Min(step.Seconds, 1500) : step.Seconds));
        return await LookAsync();
    }

    private async Task<IReadOnlyList<string>> ChangeAsync(WatchedStep step, int number)
    {
        switch (step.Change)
        {
            case Change.LateScan or Change.ScanThatNeverWas when _late is null:
                _late = await Simulation.BeginScanAsync(Simulation.Artifacts[step.Pick % Simulation.Artifacts.Count]);
                (_lateFor, _lateCommits, _lateSince) = (step.Count, step.Change == Change.LateScan, Simulation.Now);
                // Somebody gets a higher id before it is over.
                await Simulation.PushAndScanAsync("web", "later", $"{number}");
                return [];
            case Change.TooLongInTheQueue when Simulation.Release.CanStopQueues:
                return await WaitTooLongAsync(step, number);
            case Change.Restart:
                Add("exporters restarted");
                await _exporters.RestartAsync();
                _isFirst = true;
                return await LookAsync();
            case Change.Reconcile:
                return await ReconcileAsync();
            case Change.BackUpOrRestore:
                return await BackUpOrRestoreAsync(number);
            case Change.FailOver:
                return await FailOverAsync(step, number);
            default:
                await ChangeByHandAsync(step);
                return [];
        }
    }

    private async Task ChangeByHandAsync(WatchedStep step)
    {
        var open = (await Simulation.TruthAsync()).Select(truth => truth.TaskId).ToArray();
        var moment = $"timestamp '{_clock.Time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}'";
        switch (step.Change)
        {
            case Change.DeleteOpenRow when Picked(open) is { } task: await Simulation.DeleteTaskAsync(task); break;
            case Change.DeleteFinalRow when Picked(Ended(true, _ => true)) is { } task: await Simulation.DeleteTaskAsync(task); break;
            case Change.DeleteExecution:
                var executions = (await Rows.OfAsync(_connection, "select id from execution where vendor_type in ('IMAGE_SCAN', 'SBOM') order by id")).Select(id => long.Parse(id, CultureInfo.InvariantCulture)).ToArray();
                if (Picked(executions) is not { } execution) return;
                await Simulation.DeleteExecutionAsync(execution);
                break;
            case Change.CloseByHand when Picked(open) is { } task:
                await RunAsync($"update task set status = '{(step.Count % 2 == 0 ? "Error" : "Stopped")}', status_code = 3, update_time = {moment}, end_time = {moment} where id = {task}");
                break;
            case Change.CloseByHandWithoutTime when Picked(open) is { } task: await RunAsync($"update task set status = 'Error' where id = {task}"); break;
            case Change.ReopenRecent when Picked(Ended(true, over => over < KnownRows.Window)) is { } task: await ReopenAsync(task); break;
            case Change.ReopenOld when Picked(Ended(true, over => over > KnownRows.Window)) is { } task: await ReopenAsync(task); break;
            case Change.ReopenExecution when Picked(Ended(false, over => over < KnownRows.Window)) is { } reopened:
                await RunAsync($"update execution set status = 'Running', end_time = null where id = {reopened}");
                break;
            default: return;
        }
        Add($"{step.Change}");

        long? Picked(long[] ids) => ids.Length == 0 ? null : ids[step.Pick % ids.Length];

        long[] Ended(bool tasks, Func<TimeSpan, bool> when) => [.. _rows.Ended(tasks).Where(row => when(row.Over)).Select(row => row.Key.Id)];

        Task ReopenAsync(long task) => RunAsync($"""
            update task set status = '{(step.Count % 2 == 0 ? "Pending" : "Running")}', status_code = {(step.Count % 2 == 0 ? 0 : 2)}{(step.Count > 2 ? $", update_time = {moment}" : "")} where id = {task}
            """);
    }

    /// <summary>The job service fails what waited too long; its job still waits, and is worked at when the queue is let go.</summary>
    private async Task<IReadOnlyList<string>> WaitTooLongAsync(WatchedStep step, int number)
    {
        await Simulation.PauseQueueAsync();
        for (var i = 0; i < 2; i++) await Simulation.PushAndScanAsync("web", "waits", $"{number}.{i}");
        // Acknowledged, failed, and out of the window.
        foreach (var wait in new[] { TimeSpan.FromMinutes(1), TimeSpan.FromHours(2), TimeSpan.FromHours(3.5), TimeSpan.FromHours(2.5) })
        {
            await Simulation.AdvanceAsync(wait);
            var problems = await LookAsync();
            if (problems.Count > 0) return problems;
        }
        if (step.Pick % 2 == 0)
        {
            await _exporters.RestartAsync();
            _isFirst = true;
            var problems = await LookAsync();
            if (problems.Count > 0) return problems;
        }
        await Simulation.ResumeQueueAsync();
        await Simulation.AdvanceAsync(TimeSpan.FromSeconds(2));
        return await LookAsync();
    }

    private async Task<IReadOnlyList<string>> BackUpOrRestoreAsync(int number)
    {
        if (!_isBackedUp)
        {
            await Simulation.BackUpAsync();
            _isBackedUp = true;
            return [];
        }
        await EndLateAsync();
        // Of a restore that leaves the newest id where it was nobody could tell.
        await Simulation.PushAndScanAsync("web", "restored", $"{number}");
        await Simulation.AdvanceAsync(TimeSpan.FromSeconds(20));
        var problems = await LookAsync();
        if (problems.Count > 0) return problems;
        Add("restored");
        await Simulation.RestoreAsync();
        _isBackedUp = false;
        await _journal.ReadAsync();
        await _rows.ReloadAsync(_connection);
        return await LookAsync();
    }

    private async Task<IReadOnlyList<string>> FailOverAsync(WatchedStep step, int number)
    {
        await EndLateAsync();
        for (var i = 0; i < step.Count; i++) await Simulation.PushAndScanAsync("web", "lost", $"{number}.{i}");
        await Simulation.AdvanceAsync(TimeSpan.FromSeconds(15));
        var problems = await LookAsync();
        if (problems.Count > 0) return problems;
        Add("failed over");
        await Simulation.FailOverAsync(Lost);
        // The ids go to others before the next scrape, or after it.
        if (step.Pick % 2 == 0)
        {
            for (var i = 0; i < step.Count; i++) await Simulation.PushAndScanAsync("web", "again", $"{number}.{i}");
        }
        return await LookAsync();
    }

    private async Task EndLateAsync()
    {
        if (_late is not { } late) return;
        _late = null;
        if (_lateCommits) await late.CommitAsync();
        await late.DisposeAsync();
        Add($"{(_lateCommits ? "late commits" : "late rollbacks")} after {(Simulation.Now - _lateSince > TimeSpan.FromMinutes(10) ? "more" : "less")} than ten minutes");
    }

    /// <summary>Lets time pass until the tables have been read whole, and compares every family.</summary>
    private async Task<IReadOnlyList<string>> ReconcileAsync()
    {
        if (!await TablesWereReadAsync()) return await NotReconciledAsync();
        Add("reconciliations compared");
        var (scrape, whole) = await _exporters.ScrapeAsync();
        Scrapes++;
        return [.. await _comparison.ExactAsync(scrape, whole, Simulation.Now), .. await _comparison.AllAsync(scrape, whole)];
    }

    private async Task<bool> TablesWereReadAsync()
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (Simulation.Now + _exporters.ReconciliationInterval - _lateSince > LongestTransaction) await EndLateAsync();
            if (WatchedExporters.Remembers) await Simulation.AdvanceAsync(_exporters.ReconciliationInterval + TimeSpan.FromSeconds(1));
            await FollowAsync();
            if (await _exporters.HasReconciledAsync(FamilyComparison.Seconds(Simulation.Now) - 0.001))
            {
                _rows.Reconcile();
                return true;
            }
        }
        return false;
    }

    /// <summary>The clock, and what must be known, follow the simulation.</summary>
    private async Task FollowAsync()
    {
        await _clock.MoveToAsync(Simulation.Now);
        _changes = await _journal.ReadAsync();
        _rows.Apply(_changes, _held, Simulation.Now);
    }

    /// <summary>One scrape, compared.</summary>
    private async Task<IReadOnlyList<string>> LookAsync()
    {
        await FollowAsync();
        var (scrape, whole) = await _exporters.ScrapeAsync();
        if (_isFirst) _rows.Restart();
        else if (_rows.Unknown.Count > 0 && WatchedExporters.Remembers)
        {
            if (!await TablesWereReadAsync()) return await NotReconciledAsync();
            (scrape, whole) = await _exporters.ScrapeAsync();
        }
        Scrapes++;
        List<string> problems = [.. await _comparison.ExactAsync(scrape, whole, Simulation.Now)];
        if (!WatchedExporters.Remembers) problems.AddRange(await _comparison.AllAsync(scrape, whole));
        if (_ofHarbor)
        {
            if (!_isFirst) problems.AddRange(FamilyComparison.Counted(scrape, _least, _rows.Most));
            if (scrape.Families.Contains(Drift) && scrape.Sum(Drift) > _rows.Excused) problems.Add($"{Drift} is {scrape.Sum(Drift)}, and {_rows.Excused} rows were beyond what can be known");
        }
        _least = new Dictionary<string, long>(_rows.Least);
        _isFirst = false;
        _held = await HeldAsync();
        if (problems.Count > 0) problems.Add(await ToldAsync());
        return problems;
    }

    private async Task<IReadOnlyList<string>> NotReconciledAsync() => ["It does not reconcile at its interval", await ToldAsync()];

    /// <summary>What helps to understand a difference.</summary>
    private async Task<string> ToldAsync()
    {
        var open = await Rows.OfAsync(_connection, """
            select id, execution_id, vendor_type, status, status_code, status_revision, run_count, job_id, creation_time, update_time, end_time
            from task where vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM') and status in ('Pending', 'Scheduled', 'Running') order by id
            """);
        var truths = await Simulation.TruthAsync();
        return string.Join(Environment.NewLine, (string[])
        [
            $"at {Simulation.Now:O}, changed since the scrape before:", .. _changes.TakeLast(20).Select(change => $"    {change}"),
            "open:", .. open.Take(20).Select(row => $"    {row}"), .. truths.Take(20).Select(truth => $"    {truth}"),
            .. _exporters.Warnings.TakeLast(8).Select(warning => $"told: {warning}"),
        ]);
    }

    /// <summary>The jobs in the queue and in the lists in progress.</summary>
    private async Task<HashSet<string>> HeldAsync()
    {
        var held = new HashSet<string>(StringComparer.Ordinal);
        if (_redis is null) return held;
        foreach (var key in (string[])(await _redis.Database.ExecuteAsync("KEYS", $"{JobServiceSeed.Prefix}jobs:IMAGE_SCAN*"))!)
        {
            if (!key.EndsWith(":IMAGE_SCAN", StringComparison.Ordinal) && !key.EndsWith(":inprogress", StringComparison.Ordinal)) continue;
            foreach (var item in await _redis.Database.ListRangeAsync(key)) held.Add(JobId().Match(item.ToString()).Groups["id"].Value);
        }
        return held;
    }

    private async Task RunAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static bool TakesHours(Change? change) => change is Change.TooLongInTheQueue or Change.Reconcile;

    private void Add(string what, long number = 1) => _seen[what] = _seen.GetValueOrDefault(what) + number;

    [GeneratedRegex("\"id\":\"(?<id>[0-9a-f]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex JobId();
}
