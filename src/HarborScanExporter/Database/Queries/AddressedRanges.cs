namespace HarborScanExporter.Database.Queries;

/// <summary>One statement of a read by ranges of ids and by addresses.</summary>
/// <param name="whole">Of these ranges every row.</param>
/// <param name="finished">Of these only those open.</param>
/// <param name="known">The addresses of rows that are read by them, by id.</param>
/// <param name="read">Takes the addresses of the single rows that were found.</param>
internal delegate Task<List<T>> RangesStatement<T>(IdRanges whole, IdRanges finished, Dictionary<long, string> known, Dictionary<long, string> read);

/// <summary>Reads ranges of ids, and those of a single id by where their row stood.</summary>
internal static class AddressedRanges
{
    /// <summary>Reads them, and remembers where the single ones stand.</summary>
    /// <param name="addresses">Where they stood.</param>
    /// <param name="whole">Of these ranges every row.</param>
    /// <param name="finished">Of these only those open.</param>
    /// <param name="statement">Reads; run again for rows that have moved.</param>
    public static async Task<IReadOnlyList<T>> ReadAsync<T>(RowAddresses<long> addresses, IdRanges whole, IdRanges finished, RangesStatement<T> statement)
    {
        var known = addresses.Of(whole.Singles);
        Dictionary<long, string> kept = [];
        var rows = await statement(whole.Without(known.Keys), finished, known, kept);
        foreach (var id in kept.Keys) known.Remove(id);
        // Updated rows have moved.
        if (known.Count > 0) rows.AddRange(await statement(IdRanges.Of(known.Keys, 0), IdRanges.None, [], kept));
        addresses.Keep(kept);
        return rows;
    }
}
