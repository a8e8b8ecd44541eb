using HarborScanExporter.Tests.Simulator;
using Npgsql;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// What an exporter that remembers ids between scrapes must know of the rows, kept from the journal: every open row, but one that was over for
/// longer than its window when it came to life again, and whose job stood in no list of the job service at the scrape before. Such a row only a
/// reconciliation finds.
/// </summary>
internal sealed class KnownRows
{
    /// <summary>For how long after its end a row is looked at again: 2h10m, less a minute for what lies on the edge.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(129);

    private readonly Dictionary<RowKey, Row> _rows = [];
    private readonly HashSet<RowKey> _unknown = [];
    private readonly SortedDictionary<string, long> _least = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _most = new(StringComparer.Ordinal);
    private DateTime _moment;

    /// <summary>Open rows that only a reconciliation finds.</summary>
    public IReadOnlyCollection<RowKey> Unknown => _unknown;

    /// <summary>How many such rows there were.</summary>
    public int Excused { get; private set; }

    /// <summary>How many rows came to life again and had to be seen.</summary>
    public int Reopened { get; private set; }

    /// <summary>How many of them had been over for longer than the window.</summary>
    public int ReopenedFromQueue { get; private set; }

    /// <summary>The ends of tasks by type and status that the exporter must have seen since its start: what a scrape found open or not at all, and the next one over.</summary>
    public IReadOnlyDictionary<string, long> Least => _least;

    /// <summary>The ends that there were at most: each end of each run, also of rows that were open only between two scrapes.</summary>
    public IReadOnlyDictionary<string, long> Most => _most;

    /// <summary>Takes what happened between two scrapes.</summary>
    /// <param name="changes">The journal's changes.</param>
    /// <param name="held">The jobs that stood in the queue or in a list in progress at the scrape before.</param>
    /// <param name="moment">The moment of the coming scrape.</param>
    public void Apply(IReadOnlyList<RowChange> changes, IReadOnlySet<string> held, DateTime moment)
    {
        _moment = moment;
        var before = new Dictionary<RowKey, Row?>();
        var reopenings = new Dictionary<RowKey, RowChange>();
        foreach (var change in changes)
        {
            before.TryAdd(change.Key, _rows.GetValueOrDefault(change.Key));
            if (change.Key.IsTask && change.Ends) Add(_most, change.Type, change.New!);
            if (change.Change == "d")
            {
                _rows.Remove(change.Key);
                continue;
            }
            if (change is { Opens: true, WasOpen: false, Old: not null }) reopenings.TryAdd(change.Key, change);
            var old = _rows.GetValueOrDefault(change.Key);
            var ended = change.Opens ? (DateTime?)null : change.Ends || old?.Ended is null ? change.At : old.Ended;
            _rows[change.Key] = new Row(change.Type, change.New!, change.Opens, ended, change.Ends || change.Opens || (old?.WasSeen ?? true), change.JobId, change.Execution);
        }
        // Tasks first: an open task that is known leads to its execution.
        foreach (var (key, old) in before.OrderByDescending(pair => pair.Key.IsTask)) Judge(key, old, reopenings.GetValueOrDefault(key), held);
    }

    /// <summary>A reconciliation has read the tables since the last change.</summary>
    public void Reconcile() => _unknown.Clear();

    /// <summary>The exporter was started and has read the tables: it counts from now on, and of the ends before it knows only what the rows say.</summary>
    public void Restart()
    {
        _unknown.Clear();
        _least.Clear();
        _most.Clear();
        foreach (var (key, row) in _rows) _rows[key] = row with { WasSeen = row.IsOpen };
    }

    /// <summary>The tables became others: what was known of the old rows says nothing of these.</summary>
    public async Task ReloadAsync(NpgsqlConnection connection)
    {
        _rows.Clear();
        _unknown.Clear();
        foreach (var line in await Rows.OfAsync(connection, """
            select 't', id, vendor_type, status, coalesce(job_id, ''), execution_id, greatest(creation_time, update_time, end_time) from task where vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            union all
            select 'e', id, vendor_type, status, '', id, greatest(start_time, update_time, end_time) from execution where vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            """))
        {
            var values = line.Split('|');
            var open = values[3] is "Pending" or "Scheduled" or "Running";
            var time = DateTime.Parse(values[6], System.Globalization.CultureInfo.InvariantCulture);
            _rows[new RowKey(values[0] == "t", long.Parse(values[1], System.Globalization.CultureInfo.InvariantCulture))] =
                new Row(values[2], values[3], open, open ? null : time, open, values[4], long.Parse(values[5], System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The rows that are over, with the time since their end; only those whose end this exporter saw.</summary>
    public IEnumerable<(RowKey Key, TimeSpan Over)> Ended(bool tasks) =>
        from pair in _rows
        where pair.Key.IsTask == tasks && pair.Value is { IsOpen: false, Ended: not null, WasSeen: true }
        orderby pair.Key.Id
        select (pair.Key, _moment - pair.Value.Ended!.Value);

    private void Judge(RowKey key, Row? old, RowChange? reopening, IReadOnlySet<string> held)
    {
        var wasUnknown = _unknown.Contains(key);
        if (!_rows.TryGetValue(key, out var row))
        {
            _unknown.Remove(key);
            return;
        }
        if (!row.IsOpen)
        {
            _unknown.Remove(key);
            if (key.IsTask && !wasUnknown && old is null or { IsOpen: true }) Add(_least, row.Type, row.Status);
            return;
        }
        if (old is null or { IsOpen: true } || reopening is null) return;
        var over = _moment - ((old.WasSeen ? old.Ended : reopening.OldTime) ?? DateTime.MinValue);
        var isFound = over <= Window || (key.IsTask ? held.Contains(row.JobId) : HasKnownOpenTask(key.Id));
        if (isFound)
        {
            Reopened++;
            if (over > Window && key.IsTask) ReopenedFromQueue++;
            return;
        }
        Excused++;
        _unknown.Add(key);
    }

    private bool HasKnownOpenTask(long execution) => _rows.Any(row => row.Key.IsTask && row.Value.IsOpen && row.Value.Execution == execution && !_unknown.Contains(row.Key));

    private static void Add(SortedDictionary<string, long> counts, string type, string status)
    {
        var series = $$"""{status="{{status}}",type="{{type}}"}""";
        counts[series] = counts.GetValueOrDefault(series) + 1;
    }

    /// <param name="Type">vendor_type</param>
    /// <param name="Status">status</param>
    /// <param name="IsOpen">Its status is an open one.</param>
    /// <param name="Ended">When it came to its end; null while it is open.</param>
    /// <param name="WasSeen">The exporter saw it come to its end; else it knows the row's own times.</param>
    /// <param name="JobId">task.job_id</param>
    /// <param name="Execution">task.execution_id</param>
    private sealed record Row(string Type, string Status, bool IsOpen, DateTime? Ended, bool WasSeen, string JobId, long Execution);
}
