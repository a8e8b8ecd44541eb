namespace HarborScanExporter.Database.Queries;

/// <summary>
/// Ids to read by primary key, as ranges: rows made together lie together, and each range costs one descent of the index where each id
/// would cost one of its own.
/// </summary>
/// <param name="Lows">The first id of each range.</param>
/// <param name="Highs">The last id of each range.</param>
internal sealed record IdRanges(long[] Lows, long[] Highs)
{
    /// <summary>No range.</summary>
    public static IdRanges None { get; } = new([], []);

    /// <summary>The ranges over these ids.</summary>
    /// <param name="ids">In any order.</param>
    /// <param name="gap">Ids so close are read together with those between them: about what one page of the table holds.</param>
    public static IdRanges Of(IEnumerable<long> ids, int gap)
    {
        long[] sorted = [.. ids];
        Array.Sort(sorted);
        List<long> lows = [], highs = [];
        foreach (var id in sorted)
        {
            if (highs.Count > 0 && id - highs[^1] <= gap)
            {
                highs[^1] = id;
                continue;
            }
            lows.Add(id);
            highs.Add(id);
        }
        return new IdRanges([.. lows], [.. highs]);
    }

    /// <summary>The ids that are a range of their own.</summary>
    public IEnumerable<long> Singles => Lows.Where((low, range) => low == Highs[range]);

    /// <summary>The same without the ranges of these single ids.</summary>
    public IdRanges Without(IReadOnlyCollection<long> singles)
    {
        if (singles.Count == 0) return this;
        var left = Enumerable.Range(0, Lows.Length).Where(range => Lows[range] != Highs[range] || !singles.Contains(Lows[range])).ToArray();
        return new IdRanges([.. left.Select(range => Lows[range])], [.. left.Select(range => Highs[range])]);
    }

    /// <summary>The same with everything above an id.</summary>
    public IdRanges WithAbove(long id) => new([.. Lows, id + 1], [.. Highs, long.MaxValue]);
}
