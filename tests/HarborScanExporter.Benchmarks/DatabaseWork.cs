using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>What the server counted for one table.</summary>
/// <param name="SequentialScans">Reads of the whole table.</param>
/// <param name="Pages">Pages of the table, its indexes and its TOAST table, found in shared_buffers or not.</param>
/// <param name="HeapPages">Those of the table alone.</param>
internal sealed record TableWork(double SequentialScans, double Pages, double HeapPages);

/// <summary>What the server did for a database: its own counters, before and after.</summary>
/// <param name="Tables">By table.</param>
/// <param name="TemporaryBytes">Spilled to disk by sorts and hashes.</param>
internal sealed record DatabaseWork(IReadOnlyDictionary<string, TableWork> Tables, double TemporaryBytes)
{
    private const string TablesSql = """
        select relname, seq_scan::float8,
               (coalesce(heap_blks_read + heap_blks_hit, 0) + coalesce(idx_blks_read + idx_blks_hit, 0)
                + coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0))::float8,
               (heap_blks_read + heap_blks_hit)::float8
        from pg_stat_user_tables join pg_statio_user_tables using (relid, relname)
        """;

    /// <summary>The counters of now. Sessions write theirs when they end, so nobody else may be connected.</summary>
    public static async Task<DatabaseWork> CountedAsync(FilledHarbor harbor)
    {
        await using var connection = await harbor.OpenAsync();
        await using (var others = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()", connection))
        {
            while (await others.ExecuteScalarAsync() is not 0L) await Task.Delay(50);
        }
        await using var spilled = new NpgsqlCommand("select temp_bytes::float8 from pg_stat_database where datname = current_database()", connection);
        var temporary = (double)(await spilled.ExecuteScalarAsync())!;
        var tables = new Dictionary<string, TableWork>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(TablesSql, connection);
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync()) tables[rows.GetString(0)] = new TableWork(rows.GetDouble(1), rows.GetDouble(2), rows.GetDouble(3));
        return new DatabaseWork(tables, temporary);
    }

    /// <summary>The work since <paramref name="before"/>, for each of so many scrapes.</summary>
    public DatabaseWork Since(DatabaseWork before, int scrapes) => new(
        Tables.ToDictionary(
            table => table.Key,
            table => before.Tables[table.Key] is var first
                ? new TableWork((table.Value.SequentialScans - first.SequentialScans) / scrapes, (table.Value.Pages - first.Pages) / scrapes, (table.Value.HeapPages - first.HeapPages) / scrapes)
                : table.Value,
            StringComparer.Ordinal),
        (TemporaryBytes - before.TemporaryBytes) / scrapes);
}
