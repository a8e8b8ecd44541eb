using Dapper;

namespace HarborScanExporter.Database.Session;

/// <summary>What the statements of a transaction have read of one table so far, as the server counts it.</summary>
/// <param name="Table">Its name.</param>
/// <param name="WholeReads">How often it was read from end to end.</param>
/// <param name="Rows">Rows fetched, by index or in such reads.</param>
internal sealed record TableWork(string Table, long WholeReads, long Rows)
{
    private const string Sql = """
        select t.name as Table,
               pg_stat_get_xact_numscans(t.name::regclass) as WholeReads,
               case when pg_stat_get_xact_numscans(t.name::regclass) > 0 then pg_stat_get_xact_tuples_returned(t.name::regclass) else 0 end
                   + pg_stat_get_xact_tuples_fetched(t.name::regclass) as Rows
        from unnest(@Tables) as t (name)
        """;

    /// <summary>The tables that grow with every scan.</summary>
    public static IReadOnlyList<string> Tables { get; } = ["task", "execution"];

    /// <summary>Reads the server's count of this transaction.</summary>
    public static async Task<IReadOnlyList<TableWork>> ReadAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
    [
        .. (await snapshot.Connection.QueryAsync<Row>(Sql, new Parameters { Tables = [.. Tables], CancellationToken = cancellationToken }, snapshot.Transaction))
            .Select(row => new TableWork(row.Table, row.WholeReads, row.Rows)),
    ];

    internal sealed record Row
    {
        public string Table { get; init; } = "";

        public long WholeReads { get; init; }

        public long Rows { get; init; }
    }

    internal sealed record Parameters
    {
        public required string[] Tables { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}
