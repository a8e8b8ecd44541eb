using HarborScanExporter.Database.Queries;

namespace HarborScanExporter.Tracking;

/// <summary>
/// Above which id a table is read whole at each scrape. Harbor inserts inside transactions, so that a lower id can appear after a higher one:
/// an id that was the highest counts as settled when some minutes have passed and no transaction of then is open any more.
/// </summary>
internal sealed class HighWater
{
    /// <summary>Highest ids are kept so far apart, so that frequent scrapes keep no more of them; seconds.</summary>
    private const double Step = 10;

    private readonly Queue<Mark> _marks = new();
    private double _newestMark = double.NegativeInfinity;

    /// <param name="settled">The id above which to read whole at first.</param>
    public HighWater(long settled) => Settled = settled;

    /// <summary>Begins where nothing was seen before: what is older than ten minutes is settled once no transaction of now is open any more.</summary>
    /// <param name="settled">By when the rows were made.</param>
    /// <param name="horizon">The transactions at that snapshot.</param>
    /// <param name="now">The database's clock at it, seconds since 1970.</param>
    public HighWater(SettledIds settled, TableHorizon horizon, double now)
        : this(settled.OfTheHour) =>
        _marks.Enqueue(new Mark(settled.OfTenMinutes, horizon.NextTransaction, now - TableHorizonProbe.CommitSeconds));

    private HighWater(HighWater other)
    {
        (_marks, _newestMark, Settled) = (new Queue<Mark>(other._marks), other._newestMark, other.Settled);
    }

    /// <summary>Nothing new appears at or below this id.</summary>
    public long Settled { get; private set; }

    /// <summary>A read has seen the table up to its highest id.</summary>
    /// <param name="newest">The highest id.</param>
    /// <param name="horizon">The transactions at that snapshot.</param>
    /// <param name="now">The database's clock, seconds since 1970.</param>
    public void Saw(long newest, TableHorizon horizon, double now)
    {
        // A clock that went back starts the wait anew.
        if (now < _newestMark) Change(mark => mark with { At = Math.Min(mark.At, now) });
        if (now - _newestMark >= Step || now < _newestMark)
        {
            _marks.Enqueue(new Mark(newest, horizon.NextTransaction, now));
            _newestMark = now;
        }
        while (_marks.TryPeek(out var mark) && IsOver(mark, horizon, now))
        {
            Settled = Math.Max(Settled, mark.Newest);
            _marks.Dequeue();
        }
    }

    /// <summary>The highest rows were deleted: what is inserted next may take their ids again.</summary>
    /// <param name="newest">The highest id that is left.</param>
    public void Lower(long newest)
    {
        if (newest >= Settled)
        {
            Change(mark => mark with { Newest = Math.Min(mark.Newest, newest) });
            return;
        }
        Settled = newest;
        _marks.Clear();
        _newestMark = double.NegativeInfinity;
    }

    /// <summary>A copy of its own.</summary>
    public HighWater Copy() => new(this);

    private void Change(Func<Mark, Mark> change)
    {
        for (var left = _marks.Count; left > 0; left--) _marks.Enqueue(change(_marks.Dequeue()));
    }

    private static bool IsOver(Mark mark, TableHorizon horizon, double now)
    {
        var waited = now - mark.At;
        return waited >= TableHorizonProbe.CommitSeconds && (horizon.OldestTransaction >= mark.Next || waited >= TableHorizonProbe.MostCommitSeconds);
    }

    private readonly record struct Mark(long Newest, long Next, double At);
}
