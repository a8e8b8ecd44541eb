namespace HarborScanExporter.JobService;

/// <summary>
/// Where the walk over the jobs that the job service tracks stands. Each collection looks at one window of them; what was found stays until
/// the walk has come round again, so that the number is that of a whole round.
/// </summary>
internal sealed class TrackedWindow
{
    /// <summary>Records looked up in one collection.</summary>
    public const int Lookups = 500;

    /// <summary>Pages of Redis' walk in one collection, of a thousand ids each.</summary>
    private const int Pages = 4;

    /// <summary>More than this are not remembered one by one.</summary>
    private const int Remembered = 10_000;

    private readonly Queue<string> _pending = new();
    private readonly Dictionary<string, (long Round, string KnownAs)> _found = new(StringComparer.Ordinal);
    private long _round;
    private bool _allPagesRead;
    private int _pages;

    /// <summary>Redis' cursor of the next page; 0 at the start of a round.</summary>
    public string Cursor { get; private set; } = "0";

    /// <summary>Whether this collection has room for another page.</summary>
    public bool WantsPage => _pending.Count < Lookups && !_allPagesRead && _pages < Pages;

    /// <summary>Takes a page of tracked ids.</summary>
    public void Add(string nextCursor, IEnumerable<string> ids)
    {
        foreach (var id in ids) _pending.Enqueue(id);
        Cursor = nextCursor;
        _allPagesRead = nextCursor == "0";
        _pages++;
    }

    /// <summary>The ids to look up now; until <see cref="Keep"/> says what they showed, they stay to be looked up.</summary>
    public IReadOnlyList<string> Take() => [.. _pending.Take(Lookups)];

    /// <summary>Keeps what the window showed; at the end of a round, what was not found again is gone.</summary>
    /// <param name="looked">All ids of the window, as taken.</param>
    /// <param name="unclaimed">Those among them whose hook is sent again and again, and the id by which core looks for their row.</param>
    /// <returns>The ids by which core looks, of all that is known to be so.</returns>
    public IReadOnlyList<string> Keep(IReadOnlyList<string> looked, IEnumerable<(string Id, string KnownAs)> unclaimed)
    {
        foreach (var id in looked)
        {
            _pending.Dequeue();
            _found.Remove(id);
        }
        foreach (var (id, knownAs) in unclaimed)
        {
            if (_found.Count < Remembered) _found[id] = (_round, knownAs);
        }
        if (_allPagesRead && _pending.Count == 0)
        {
            foreach (var (id, (round, _)) in _found.ToArray())
            {
                if (round < _round) _found.Remove(id);
            }
            _round++;
            _allPagesRead = false;
        }
        _pages = 0;
        return [.. _found.Values.Select(found => found.KnownAs).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }
}
