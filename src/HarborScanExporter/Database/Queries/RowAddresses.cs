namespace HarborScanExporter.Database.Queries;

/// <summary>
/// Where rows stood when they were read last (ctid), by key. An address leads to its row over one page at any size of the table, a key over a
/// descent of an index that grows with it. Only a hint: who reads by it asks for the key too, and reads by key what is not found there.
/// </summary>
/// <typeparam name="TKey">Unique in the table.</typeparam>
internal sealed class RowAddresses<TKey>
    where TKey : notnull
{
    private volatile Dictionary<TKey, string> _known = [];

    /// <summary>The addresses of those of these rows that have been read before.</summary>
    public Dictionary<TKey, string> Of(IEnumerable<TKey> keys)
    {
        var all = _known;
        var known = new Dictionary<TKey, string>();
        foreach (var key in keys)
        {
            if (all.TryGetValue(key, out var address)) known[key] = address;
        }
        return known;
    }

    /// <summary>Replaces what was known: a row that is not read again needs no address.</summary>
    public void Keep(Dictionary<TKey, string> addresses) => _known = addresses;
}
